"""Making, changing and deleting product collections."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from campaigns.builtin import BuiltIn
from campaigns.catalogue_selectors import COLLECTION, collection_by_id, products_of, skus_of
from campaigns.membership import parse_filter
from campaigns.models import Product, ProductCollection, ProductCollectionMember, Sku, ValidationRule
from promoengine.core.errors import DomainError, InvalidPayload, NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed
from promoengine.engine.items import ALL_PRODUCTS

NAME_MAX = 255
OBJECTS = ("product", "sku")
RULES_NAMED = 20


class ResourceInUse(DomainError):
    """Validation rules name the collection; `rules` are the public ids of some of them."""

    key = "resource_in_use"
    message = "Resource in use"

    def __init__(self, collection_id: str, rules: list[str]) -> None:
        super().__init__(
            f"Resource {COLLECTION} with id {collection_id} is in use by validation_ruless"
            f" with ids [{', '.join(rules)}]"
        )
        self.rules = rules

    def body(self, request_id: str) -> dict[str, Any]:
        related = {"related_object_ids": self.rules, "related_object_type": "validation_rules"}
        return super().body(request_id) | related


@transaction.atomic
def create_collection(project: Project, *, data: Any, now: datetime) -> ProductCollection:
    """Make a collection, and return it: STATIC of listed `products`, or AUTO_UPDATE by a `filter`.

    Raises:
        InvalidPayload: a field is wrong; the details name it.
        NotFound: the project has no product or SKU of an id that is listed.
    """
    if not isinstance(data, Mapping):
        raise InvalidPayload("Payload should be object")
    for name in ("type", "name"):
        if data.get(name) in (None, ""):
            raise InvalidPayload(f"Payload must have required property '{name}'")
    if data["type"] not in ProductCollection.Type.values:
        raise InvalidPayload(f"Property .type should be one of {', '.join(ProductCollection.Type.values)}")
    collection = ProductCollection(
        project=project, name=_name(data["name"]), type=data["type"], created_at=now
    )
    if collection.type == ProductCollection.Type.AUTO_UPDATE:
        collection.filter = _filter(data.get("filter"))
        definitions_changed(project)
        collection.save(force_insert=True)
        return collection
    listed = _listed(project, data.get("products"))
    definitions_changed(project)
    collection.save(force_insert=True)
    for member in listed:
        member.collection = collection
    ProductCollectionMember.objects.bulk_create(listed, batch_size=1000)
    return collection


@transaction.atomic
def update_collection(project: Project, ref: str, *, data: Any, now: datetime) -> ProductCollection:
    """Give a collection another name, or an AUTO_UPDATE one another filter, and return it.

    What a STATIC collection lists stays as it is.

    Raises:
        InvalidPayload: a field is wrong; the details name it.
        NotFound: the project has no such collection.
        BuiltIn: it is the collection of all products.
    """
    _refuse_all_products(ref)
    collection = collection_by_id(project, ref)
    if not isinstance(data, Mapping):
        raise InvalidPayload("Payload should be object")
    if "name" in data:
        collection.name = _name(data["name"])
    if "filter" in data and collection.type == ProductCollection.Type.AUTO_UPDATE:
        collection.filter = _filter(data["filter"])
    collection.updated_at = now
    definitions_changed(project)
    collection.save(update_fields=["name", "filter", "updated_at"])
    return collection


@transaction.atomic
def delete_collection(project: Project, ref: str) -> None:
    """Delete a collection; its products stay.

    Raises:
        NotFound: the project has no such collection.
        ResourceInUse: a validation rule names it.
        BuiltIn: it is the collection of all products.
    """
    _refuse_all_products(ref)
    collection = collection_by_id(project, ref)
    # Whoever writes a rule waits for this lock too, so that none comes to name what is being deleted.
    definitions_changed(project)
    if rules := rules_naming(project, collection.public_id):
        raise ResourceInUse(collection.public_id, rules)
    collection.delete()


def rules_naming(project: Project, collection_id: str) -> list[str]:
    """Return the public ids of validation rules, some at most, that name a collection anywhere."""
    texts = {f"{name}_text": Cast(name, TextField()) for name in ("rules", "bundle_rules", "applicable_to")}
    named = Q()
    for text in texts:
        named |= Q(**{f"{text}__contains": collection_id})
    rules = ValidationRule.objects.filter(project=project).annotate(**texts).filter(named).order_by("pk")
    return [rule.public_id for rule in rules[:RULES_NAMED]]


def _refuse_all_products(ref: str) -> None:
    if ref == ALL_PRODUCTS:
        raise BuiltIn("The collection of all products is built in", resource_id=ref, resource_type=COLLECTION)


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise InvalidPayload("Property .name must be string")
    if not 1 <= len(name) <= NAME_MAX:
        raise InvalidPayload(f"Property .name should have 1 to {NAME_MAX} characters")
    return name


def _filter(data: Any) -> dict[str, Any]:
    parse_filter(data)
    return dict(data)


def _listed(project: Project, rows: Any) -> list[ProductCollectionMember]:
    """Return the members that a payload lists, each once, without their collection yet."""
    rows = [] if rows is None else rows
    if not isinstance(rows, list):
        raise InvalidPayload("Property .products should be array")
    asked: dict[tuple[str, str], None] = {}
    for index, row in enumerate(rows):
        where = f".products[{index}]"
        if not isinstance(row, Mapping):
            raise InvalidPayload(f"Property {where} should be object")
        if not isinstance(row.get("id"), str) or not row["id"]:
            raise InvalidPayload(f"Property {where} should have required property 'id'")
        if row.get("object") not in OBJECTS:
            raise InvalidPayload(f"Property {where}.object should be one of {', '.join(OBJECTS)}")
        asked[row["object"], row["id"]] = None
    products = _keys(Product, products_of(project), [ref for kind, ref in asked if kind == "product"])
    skus = _keys(Sku, skus_of(project), [ref for kind, ref in asked if kind == "sku"])
    members: dict[tuple[Any, Any], ProductCollectionMember] = {}
    for kind, ref in asked:
        key = (products if kind == "product" else skus).get(ref)
        if key is None:
            raise NotFound(kind, ref)
        column = f"{kind}_id"
        members[kind, key] = ProductCollectionMember(**{column: key})
    return list(members.values())


def _keys(model: type[Product | Sku], rows: Any, refs: list[str]) -> dict[str, Any]:
    """Return the keys of products or SKUs by the ids and source ids they are asked for by."""
    if not refs:
        return {}
    keys = {ref: key for ref in refs if (key := parse_public_id(model.prefix, ref))}
    found = rows.filter(Q(source_id__in=refs) | Q(pk__in=keys.values())).values_list("pk", "source_id")
    by_source, known = {}, set()
    for key, source_id in found:
        known.add(key)
        by_source[source_id] = key
    return {ref: key for ref, key in keys.items() if key in known} | {
        ref: by_source[ref] for ref in refs if ref in by_source
    }
