"""What rules and filters name is not deleted under them."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model, Q, TextField
from django.db.models.functions import Cast

from campaigns.models import ProductCollection, ValidationRule
from customers.models import Segment
from promoengine.core.errors import DomainError
from promoengine.core.models import Project

# Who may name something: what the wire calls them, and the columns they do it in.
NAMING: dict[type[Model], tuple[str, tuple[str, ...]]] = {
    ValidationRule: ("validation_rules", ("rules", "bundle_rules", "applicable_to")),
    Segment: ("segments", ("filter",)),
    ProductCollection: ("products_collections", ("filter",)),
}
NAMED_MAX = 20

User = ValidationRule | Segment | ProductCollection


class ResourceInUse(DomainError):
    """Something names what was to be deleted; `users` are some of those that do, at least one."""

    key = "resource_in_use"
    message = "Resource in use"

    def __init__(self, resource: str, resource_id: str, users: Sequence[User]) -> None:
        self.users = users
        # The published answer speaks of one kind.
        self.kind = NAMING[type(users[0])][0]
        self.ids = [user.public_id for user in users if NAMING[type(user)][0] == self.kind]
        super().__init__(
            f"Resource {resource} with id {resource_id} is in use by {self.kind}s"
            f" with ids [{', '.join(self.ids)}]"
        )

    def body(self, request_id: str) -> dict[str, Any]:
        related = {"related_object_ids": self.ids, "related_object_type": self.kind}
        return super().body(request_id) | related


def refuse_if_in_use(project: Project, resource: str, resource_id: str) -> None:
    """Refuse to delete what is named, in the caller's transaction, which has called `definitions_changed`.

    Whoever writes a rule or filter waits for that lock too, so that none comes to name what is being deleted.

    Raises:
        ResourceInUse: a rule, segment or collection names it.
    """
    if users := users_of(project, resource_id):
        raise ResourceInUse(resource, resource_id, users)


def users_of(project: Project, resource_id: str) -> list[User]:
    """Return the rules, segments and collections, some of each at most, that name a resource anywhere."""
    return [row for model in NAMING for row in _naming(model, project, resource_id)]


def _naming(model: type[Model], project: Project, resource_id: str) -> list[Any]:
    texts = {f"{name}_text": Cast(name, TextField()) for name in NAMING[model][1]}
    named = Q()
    for text in texts:
        named |= Q(**{f"{text}__contains": resource_id})
    rows = model._default_manager.filter(project=project).annotate(**texts).filter(named).order_by("pk")
    return list(rows[:NAMED_MAX])
