"""Projects: made, changed and deleted, from the dashboard, the command line and the management API."""

import re
import zoneinfo
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model, Q
from django.utils.text import slugify

from promoengine.core.errors import Duplicate, InvalidPayload
from promoengine.core.models import ApiKey, Project
from promoengine.core.selectors import row_by_id
from promoengine.core.services.api_keys import revoke_api_key
from promoengine.core.services.definitions import definitions_changed

KEY_MAX = 50
DESCRIPTION_MAX = 10_000
SWITCHES = (
    "client_redeem_enabled",
    "client_publish_enabled",
    "client_list_vouchers_enabled",
    "client_create_customer_enabled",
)
# What the published API lets a client keep with a project and nothing here goes by, with its JSON type.
KEPT: dict[str, tuple[type, str]] = {
    "dial_code": (str, "string"),
    "client_loyalty_events_enabled": (bool, "boolean"),
    "client_set_voucher_expiration_date_enabled": (bool, "boolean"),
    "api_usage_notifications": (dict, "object"),
    "webhooks_callout_notifications": (dict, "object"),
    "default_code_config": (dict, "object"),
}


def create_project(name: str, *, key: str = "", currency: str = "EUR", timezone: str = "UTC") -> Project:
    """Create a project and return it.

    Raises:
        InvalidPayload: the currency is no ISO 4217 code or the zone no IANA name.
        Duplicate: another project has that key.
    """
    _currency(currency)
    _timezone(timezone)
    key = key or slugify(name)
    project, created = Project.objects.get_or_create(
        key=key, defaults={"name": name, "currency": currency, "timezone": timezone}
    )
    if not created:
        raise Duplicate(f"Duplicated project exists with key {key}")
    return project


@transaction.atomic
def add_project(maker: Project, *, data: Any) -> Project:
    """Make a project of the published fields, which the keys of `maker` may manage, and return it.

    Raises:
        InvalidPayload: a field is missing or wrong; the details name it.
    """
    data = _sent(data)
    columns = _columns(data, {})
    for name in ("name", "case_sensitive_codes", "timezone", "currency"):
        if name not in data:
            raise InvalidPayload(f"Payload must have required property '{name}'")
    if not isinstance(data["case_sensitive_codes"], bool):
        raise InvalidPayload("Property .case_sensitive_codes must be boolean")
    project = Project(made_by=maker, case_sensitive_codes=data["case_sensitive_codes"], **columns)
    # The key is for people's commands, so it says the name; the id's end keeps two of one name apart.
    project.key = f"{slugify(project.name)[: KEY_MAX - 13]}-{project.pk.hex[-12:]}".strip("-")
    project.save(force_insert=True)
    return project


@transaction.atomic
def change_project(project: Project, *, data: Any) -> Project:
    """Change the published fields that `data` has, and return the project.

    Raises:
        InvalidPayload: a field is wrong; the details name it.
    """
    row = Project.objects.select_for_update().get(pk=project.pk)
    columns = _columns(_sent(data), row.other_settings)
    changed = {name: value for name, value in columns.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    if changed:
        update_project(row, changed=changed)
    return row


@transaction.atomic
def update_project(project: Project, *, changed: Collection[str]) -> None:
    """Write the fields named, and no others: checkouts are decided by its calendar, and caches kept by it."""
    definitions_changed(project)
    project.save(update_fields=[*changed])


@transaction.atomic
def delete_project(project: Project, *, now: datetime) -> None:
    """Close a project for good: its keys open nothing any more, and a job deletes all it has."""
    for key in ApiKey.objects.filter(project=project, revoked_at=None):
        revoke_api_key(project, key=key, now=now)
    # Its name in commands is free for another one.
    Project.objects.filter(pk=project.pk).update(deleted_at=now, key=f"deleted-{project.pk.hex}")


def purge_deleted_projects() -> None:
    """Delete all rows of projects that were deleted, table by table, those that refer to others first."""
    for project in Project.objects.exclude(deleted_at=None):
        for model, owner in owned_models():
            rows = model._default_manager.filter(**{owner: project})
            rows._raw_delete(rows.db)
        Project.objects.filter(made_by=project).update(made_by=None)
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {Project._meta.db_table} WHERE id = %s", [project.pk])


def managed_projects(project: Project) -> list[Project]:
    """Return the projects that a project's management keys may manage: itself, and those made by them."""
    found = Project.objects.filter(Q(pk=project.pk) | Q(made_by=project), deleted_at=None)
    return list(found.order_by("created_at", "pk"))


def managed_project(project: Project, project_id: str) -> Project:
    """Return the project of that id, where a project's management keys may manage it.

    Raises:
        NotFound: they may not, or there is none.
    """
    if project.public_id == project_id:
        return project
    return row_by_id(Project.objects.filter(made_by=project, deleted_at=None), project_id, "project")


def owned_models() -> list[tuple[type[Model], str]]:
    """Return the models whose rows belong to projects, with the way to the project, referring ones first."""
    owners: dict[type[Model], str] = {}
    models = [model for model in apps.get_models() if not model._meta.proxy]
    for _ in models:
        for model in models:
            for field in model._meta.concrete_fields:
                target = field.related_model
                if model in owners or not isinstance(target, type) or model is Project:
                    continue
                if target is Project and field.name == "project":
                    owners[model] = "project"
                elif target in owners:
                    owners[model] = f"{field.name}__{owners[target]}"
    ordered: list[tuple[type[Model], str]] = []
    left = dict(owners)
    while left:
        referred = {
            field.related_model
            for model in left
            for field in model._meta.concrete_fields
            # A row that refers to one of its own table goes in the same statement.
            if field.is_relation and field.related_model is not model
        }
        ordered += [(model, owner) for model, owner in left.items() if model not in referred]
        left = {model: owner for model, owner in left.items() if model in referred}
    return ordered


def _sent(data: Any) -> dict[str, Any]:
    """Return what a payload says: SDKs send what was not set as null."""
    if not isinstance(data, Mapping):
        raise InvalidPayload("Payload must be object")
    return {name: value for name, value in data.items() if value is not None}


def _columns(data: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if "name" in data:
        columns["name"] = _text(data["name"], "name", least=1, longest=200)
    if "description" in data:
        columns["description"] = _text(data["description"], "description", longest=DESCRIPTION_MAX)
    if "currency" in data:
        columns["currency"] = _currency(data["currency"])
    if "timezone" in data:
        columns["timezone"] = _timezone(data["timezone"])
    if "client_trusted_domains" in data:
        columns["client_trusted_domains"] = _domains(data["client_trusted_domains"])
    if "client_refusals" in data:
        columns["client_refusals"] = _client_refusals(data["client_refusals"])
    columns |= {name: _boolean(data[name], name) for name in SWITCHES if name in data}
    if other := {name: _kept(data[name], name) for name in KEPT if name in data}:
        columns["other_settings"] = dict(kept) | other
    return columns


def _text(value: Any, name: str, *, least: int = 0, longest: int) -> str:
    if not isinstance(value, str) or not least <= len(value.strip()) <= longest:
        raise InvalidPayload(f"Property .{name} must be a text of {least} to {longest} characters")
    return value


def _currency(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch("[A-Z]{3}", value):
        raise InvalidPayload(f"Property .currency must be an ISO 4217 currency code, and is {value!r}")
    return value


def _timezone(value: Any) -> str:
    if not isinstance(value, str) or value not in zoneinfo.available_timezones():
        raise InvalidPayload(f"Property .timezone must be an IANA time zone, and is {value!r}")
    return value


def _domains(value: Any) -> list[str]:
    if not isinstance(value, list) or any(not isinstance(one, str) or len(one) > 255 for one in value):
        raise InvalidPayload("Property .client_trusted_domains must be an array of strings")
    return value


def _client_refusals(value: Any) -> str:
    if value not in Project.ClientRefusals.values:
        said = ", ".join(Project.ClientRefusals.values)
        raise InvalidPayload(f"Property .client_refusals must be one of {said}")
    return str(value)


def _boolean(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidPayload(f"Property .{name} must be boolean")
    return value


def _kept(value: Any, name: str) -> Any:
    kind, said = KEPT[name]
    if not isinstance(value, kind):
        raise InvalidPayload(f"Property .{name} must be {said}")
    return value
