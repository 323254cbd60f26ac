"""Asking for a row by its public id."""

from typing import TypeVar

from django.db.models import QuerySet

from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import PublicModel

Row = TypeVar("Row", bound=PublicModel)


def row_by_id(rows: QuerySet[Row], ref: str, kind: str) -> Row:
    """Return the row of that public id; `kind` is what a refusal calls it, as in `segment`.

    Raises:
        NotFound: it is none of these rows.
    """
    key = parse_public_id(rows.model.prefix, ref)
    row = rows.filter(pk=key).first() if key else None
    if row is None:
        raise NotFound(kind, ref)
    return row
