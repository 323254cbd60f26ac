"""Erasing and exporting what is held on a person, over all models that say they hold something."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Model, QuerySet

from promoengine.core.privacy import Privacy, models_about_people

BATCH = 500


def erase_person(customer_id: uuid.UUID) -> dict[str, int]:
    """Delete or blank all rows about a customer, in the caller's transaction; return how many by model.

    Keys, amounts and times stay where rows stay, so that sums and ledgers are as before. Rows that go do so
    first, while the others still say whose they are.
    """
    models = sorted(models_about_people(), key=lambda one: not one[1].is_deleted)
    return {
        model._meta.label: erase_rows(_rows(model, privacy, customer_id), privacy)
        for model, privacy in models
        if not privacy.is_copy
    }


def erase_copies(customer_id: uuid.UUID) -> None:
    """Delete copies of answers that speak of a customer, which have to be searched for."""
    for model, privacy in models_about_people():
        if privacy.is_copy:
            _rows(model, privacy, customer_id).delete()


def erase_rows(rows: QuerySet[Model], privacy: Privacy, columns: Mapping[str, Any] | None = None) -> int:
    """Delete rows, or leave of their personal columns what their model says; return how many those were.

    `columns` are those to be left something of, where it is not all that are personal.
    """
    if privacy.is_deleted:
        return rows.delete()[0]
    columns = privacy.personal if columns is None else columns
    values = {name: left for name, left in columns.items() if not callable(left)}
    count = rows.update(**values) if values else 0
    functions = {name: left for name, left in columns.items() if callable(left)}
    if functions:
        count = _apply(rows, functions)
    return count


def personal_data(customer_id: uuid.UUID) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    """Yield what is held on a customer: the name of each kind of rows, and the rows one by one."""
    for model, privacy in models_about_people():
        if privacy.is_copy:
            continue
        columns = [column.attname for column in model._meta.concrete_fields if column.name != "project"]
        rows = _rows(model, privacy, customer_id).order_by("pk").values(*columns)
        yield str(model._meta.verbose_name_plural).replace(" ", "_"), rows.iterator(chunk_size=BATCH)


def _rows(model: type[Model], privacy: Privacy, customer_id: uuid.UUID) -> QuerySet[Model]:
    return model._base_manager.filter(privacy.rows_of(customer_id))


def _apply(rows: QuerySet[Model], functions: dict[str, Any]) -> int:
    count, last = 0, None
    ordered = rows.order_by("pk")
    while batch := list((ordered.filter(pk__gt=last) if last else ordered)[:BATCH]):
        for row in batch:
            for name, function in functions.items():
                setattr(row, name, function(getattr(row, name)))
        type(batch[0])._base_manager.bulk_update(batch, list(functions))
        count, last = count + len(batch), batch[-1].pk
    return count
