"""Which columns hold personal data.

Every model says so of its own columns, in one declaration; erasing a person, exporting what is held on them
and forgetting after a time all go by it, so a column that is declared is erased, exported and forgotten.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Model, Q


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """What a model's columns have to do with people. Its key and its keys to other rows need no mention.

    `personal` maps each column with personal data to what is left in its place: a value, an expression, or a
    function from the old value to the new one. `free` names the columns without, separated by blanks.
    `person` says whose row it is, as a lookup of the customer's key or a function from the key to a
    condition; where it is empty and yet there is something personal, `lapses` says how that goes away.
    `lasting` names personal columns that ledgers are compared by: erased with the person, and only then.
    """

    free: str = ""
    personal: Mapping[str, Any] = field(default_factory=dict)
    person: str | Callable[[uuid.UUID], Q] = ""
    lapses: str = ""
    lasting: str = ""
    is_deleted: bool = False  # the row goes with the person, instead of its personal columns alone
    is_copy: bool = False  # of answers given: searched in the background, and no part of an export
    told: str = ""  # columns of other rows without which an export of these says nothing, with blanks between
    retention: str = ""  # what the rows are called where a project says how long they are kept
    settled: Q = Q()  # which rows may be forgotten after that time
    forgotten_by: str = ""  # the function, by its dotted name, that forgets them in a way of its own
    moved_by: str = ""  # likewise the one that makes them another customer's, where more is to be done

    @property
    def free_columns(self) -> tuple[str, ...]:
        return tuple(self.free.split())

    @property
    def passing(self) -> dict[str, Any]:
        """The personal columns that may be forgotten while the person is known."""
        lasting = self.lasting.split()
        return {name: left for name, left in self.personal.items() if name not in lasting}

    def rows_of(self, customer_id: uuid.UUID) -> Q:
        """Return the condition of the rows about a customer."""
        return self.person(customer_id) if callable(self.person) else Q(**{self.person: customer_id})


def privacy_of(model: type[Model]) -> Privacy | None:
    """Return what a model says of its columns, None where it says nothing."""
    declared = getattr(model, "privacy", None)
    return declared if isinstance(declared, Privacy) else FROM_ELSEWHERE.get(model._meta.label)


def models_about_people() -> Iterator[tuple[type[Model], Privacy]]:
    """Yield the models whose rows are about customers."""
    for model in apps.get_models():
        privacy = privacy_of(model)
        if privacy is not None and privacy.person and not model._meta.proxy:
            yield model, privacy


def retained_models() -> dict[str, tuple[type[Model], Privacy]]:
    """Return, by their labels, the models of which a project may say how long rows are kept."""
    found = ((model, privacy_of(model)) for model in apps.get_models())
    return {
        model._meta.label: (model, privacy)
        for model, privacy in found
        if privacy and privacy.retention and not model._meta.proxy
    }


def without_metadata(value: Any) -> Any:
    """Return a JSON value with nothing in any `metadata`, however deep."""
    if isinstance(value, list):
        return [without_metadata(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: {} if name == "metadata" else without_metadata(one) for name, one in value.items()}


def _entries_on(customer_id: uuid.UUID) -> Q:
    return Q(content_type__app_label="customers", content_type__model="customer", object_id=str(customer_id))


FROM_ELSEWHERE = {
    "admin.LogEntry": Privacy(
        free="action_time object_id action_flag",
        personal={"object_repr": "", "change_message": ""},
        person=_entries_on,
    ),
    "auth.User": Privacy(
        free="password last_login date_joined",
        personal={"username": "", "first_name": "", "last_name": "", "email": ""},
        lapses="is of staff, whom an administrator deletes",
    ),
    "auth.Group": Privacy(free="name"),
    "auth.Permission": Privacy(free="name codename"),
    "auth.Group_permissions": Privacy(),
    "auth.User_groups": Privacy(),
    "auth.User_user_permissions": Privacy(),
    "contenttypes.ContentType": Privacy(free="app_label model"),
    "sessions.Session": Privacy(
        free="expire_date",
        personal={"session_data": ""},
        lapses="is of staff, and expires",
    ),
    "django_rq.Dashboard": Privacy(),
}
