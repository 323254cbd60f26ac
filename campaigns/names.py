"""What things are called, by their public ids."""

from collections.abc import Collection

from campaigns.models import Product, ProductCollection, Sku
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project

NAMED = (Product, Sku, ProductCollection)


def names_of(project: Project, ids: Collection[str]) -> dict[str, str]:
    """Return the names of products, SKUs and collections, in at most a query for each kind."""
    names: dict[str, str] = {}
    for model in NAMED:
        keys = [key for one in ids if (key := parse_public_id(model.prefix, one))]
        rows = model._default_manager.filter(project=project, pk__in=keys) if keys else ()
        names |= {row.public_id: str(row) for row in rows}
    return names
