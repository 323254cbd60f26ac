"""Exports: a CSV file of a list's rows, written part by part by a job, and read the same way."""

import csv
import io
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.core import signing
from django.db import transaction
from django.http import QueryDict

from promoengine.core.errors import DomainError, InvalidPayload, NotFound, Unauthorized
from promoengine.core.ids import parse_public_id
from promoengine.core.models import AsyncAction, Project
from promoengine.core.services.async_actions import advance, start_async_action
from redemptions.export_objects import EXPORTED, check_fields, title
from redemptions.models import Export, ExportPart

ROWS_A_PART = 2000
LINK_GOOD_FOR = timedelta(hours=24)
FILES_KEPT = timedelta(days=7)
SIGNED_FOR = "promoengine.exports"


def start_export(project: Project, *, data: Any, channel: str = "API", now: datetime) -> Export:
    """Start the export that a published body asks for, and return it.

    Raises:
        InvalidPayload: the body, the order or a filter is wrong; the details name it.
        InvalidExportFields: a field is not there to export.
    """
    exported_object, parameters = _read(data)
    export = Export(
        project=project,
        exported_object=exported_object,
        parameters=parameters,
        channel=channel,
        created_at=now,
    )
    _fields_of(export)
    _rows_of(export)
    with transaction.atomic():
        export.save(force_insert=True)
        start_async_action(
            project,
            "EXPORT",
            job="redemptions.jobs.write_export",
            params={"export": str(export.pk)},
            now=now,
        )
    return export


def export_by_id(project: Project, ref: str) -> Export:
    """Return the export of that id.

    Raises:
        NotFound: the project has none.
    """
    key = parse_public_id(Export.prefix, ref)
    export = Export.objects.filter(project=project, pk=key).first() if key else None
    if export is None:
        raise NotFound("export", ref)
    return export


def delete_export(project: Project, ref: str) -> None:
    """Delete an export and its file; one that is being made stops.

    Raises:
        NotFound: the project has none.
    """
    export_by_id(project, ref).delete()


def run_export(action: AsyncAction) -> None:
    """Write an export's file, from its start: rows are read as they are at one moment."""
    found = Export.objects.select_related("project").filter(pk=action.params["export"]).first()
    if found is None:
        action.message = "The export was deleted"
        return
    ExportPart.objects.filter(export=found).delete()
    Export.objects.filter(pk=found.pk).update(status=Export.Status.IN_PROGRESS)
    AsyncAction.objects.filter(pk=action.pk).update(done_count=0)
    action.done_count = 0
    try:
        is_whole = _write(found, action)
    except Exception:
        Export.objects.filter(pk=found.pk).update(status=Export.Status.ERROR)
        raise
    if is_whole:
        Export.objects.filter(pk=found.pk).update(status=Export.Status.DONE)
    action.message = f"{action.done_count} rows exported"


def download_token(export: Export) -> str:
    """Return what opens an export's file, without a key, for a day."""
    return signing.dumps(str(export.pk), salt=SIGNED_FOR, compress=False)


def file_of(export_id: str, token: str) -> Iterator[bytes]:
    """Return the parts of an export's file, for whoever has its link.

    Raises:
        Unauthorized: the token is of another export, made up, or a day old.
        NotFound: there is no such file any more.
    """
    try:
        signed = signing.loads(token, salt=SIGNED_FOR, max_age=LINK_GOOD_FOR)
    except signing.BadSignature as error:
        raise Unauthorized from error
    key = parse_public_id(Export.prefix, export_id)
    if key is None or str(key) != signed:
        raise Unauthorized
    if not Export.objects.filter(pk=key, status=Export.Status.DONE, is_lapsed=False).exists():
        raise NotFound("export", export_id)
    return _parts(key)


def drop_old_files(*, now: datetime) -> None:
    """Delete the files of exports that are a week old: they are full of people's data."""
    old = Export.objects.filter(created_at__lt=now - FILES_KEPT, is_lapsed=False)
    for key in list(old.values_list("pk", flat=True)):
        with transaction.atomic():
            ExportPart.objects.filter(export=key).delete()
            Export.objects.filter(pk=key).update(is_lapsed=True)


def _parts(key: uuid.UUID) -> Iterator[bytes]:
    number = 0
    while part := ExportPart.objects.filter(export=key, number=number).first():
        yield bytes(part.content)
        number += 1


def _write(export: Export, action: AsyncAction) -> bool:
    """Write the file part by part; return False where the export has been deleted meanwhile."""
    exported, fields = EXPORTED[export.exported_object], _fields_of(export)
    rows = _rows_of(export).iterator(chunk_size=ROWS_A_PART)
    if not _keep(export, action, 0, [[title(name) for name in fields]], 0):
        return False
    number = 0
    while batch := list(islice(rows, ROWS_A_PART)):
        number += 1
        exported.prepare(batch)
        for row in batch:
            row.project = export.project
        if not _keep(export, action, number, [exported.read(fields, row) for row in batch], len(batch)):
            return False
    return True


def _keep(export: Export, action: AsyncAction, number: int, lines: list[list[str]], done: int) -> bool:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    with transaction.atomic():
        if not Export.objects.select_for_update().filter(pk=export.pk).exists():
            return False
        ExportPart.objects.create(export=export, number=number, content=text.getvalue().encode())
        advance(action, done=done)
    return True


def _read(data: Any) -> tuple[str, dict[str, Any]]:
    if not isinstance(data, Mapping):
        raise InvalidPayload("Payload should be object")
    exported_object = data.get("exported_object")
    if exported_object not in EXPORTED:
        allowed = ", ".join(EXPORTED)
        raise InvalidPayload(
            f"Property .exported_object should be equal to one of the allowed values [ {allowed} ]"
        )
    parameters = {} if data.get("parameters") is None else data["parameters"]
    if not isinstance(parameters, Mapping):
        raise InvalidPayload("Property .parameters should be object")
    fields, order = parameters.get("fields"), parameters.get("order")
    if fields is not None and not (
        isinstance(fields, list) and fields and all(isinstance(name, str) for name in fields)
    ):
        raise InvalidPayload("Property .parameters.fields should be an array of names")
    if order is not None and not isinstance(order, str):
        raise InvalidPayload("Property .parameters.order should be string")
    return str(exported_object), dict(parameters)


def _fields_of(export: Export) -> list[str]:
    exported = EXPORTED[export.exported_object]
    fields = export.parameters.get("fields") or list(exported.default_fields)
    check_fields(exported, fields)
    return fields


def _rows_of(export: Export) -> Any:
    query = _query(export.parameters)
    try:
        return EXPORTED[export.exported_object].rows(export.project, query)
    except DomainError as refusal:
        raise InvalidPayload(refusal.details.replace("Property .", "Property .parameters.", 1)) from refusal


def _query(parameters: Mapping[str, Any]) -> QueryDict:
    """Return an export's order and filters as the query of a list, which asks for the same."""
    query = QueryDict(mutable=True)
    if order := parameters.get("order"):
        query["order"] = order
    if campaign := parameters.get("campaign_id"):
        query["campaign_id"] = str(campaign)
    filters = parameters.get("filters") or {}
    if not isinstance(filters, Mapping):
        raise InvalidPayload("Property .parameters.filters should be object")
    for name, asked in filters.items():
        if name == "junction":
            query["filters[junction]"] = str(asked)
            continue
        conditions = asked.get("conditions") if isinstance(asked, Mapping) else None
        if not isinstance(conditions, Mapping):
            raise InvalidPayload(f"Property .parameters.filters.{name}.conditions should be object")
        for operator, values in conditions.items():
            listed = values if isinstance(values, list) else [values]
            texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in listed]
            query.setlist(f"filters[{name}][conditions][{operator}]", texts or [""])
    return query
