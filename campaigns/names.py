"""What things are called, by their public ids."""

from collections.abc import Collection

from campaigns.models import Product, ProductCollection, Sku
from customers.models import Location, Segment
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project, ProjectModel

NAMED = (
    Product.objects,
    Sku.objects.select_related("product"),
    ProductCollection.objects,
    Segment.objects,
    Location.objects,
)


def names_of(project: Project, ids: Collection[str]) -> dict[str, str]:
    """Return the names of goods, segments and locations, in at most a query for each kind."""
    names: dict[str, str] = {}
    for rows in (manager.filter(project=project) for manager in NAMED):
        keys = [key for one in ids if (key := parse_public_id(rows.model.prefix, one))]
        names |= {row.public_id: name_of(row) for row in rows.filter(pk__in=keys)} if keys else {}
    return names


def name_of(row: ProjectModel) -> str:
    """Return what people call it; a SKU that came with its product is called after both, as in `Shoe 42`."""
    if isinstance(row, Sku) and str(row.product).lower() not in str(row).lower():
        return f"{row.product} {row}"
    return str(row)
