"""Exports: a file of a list's rows, made by a job, kept in parts and read the same way."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any

from django.contrib.auth.models import User
from django.core import signing
from django.db import OperationalError, transaction
from django.db.models import QuerySet, Sum
from django.db.models.functions import Length
from django.http import QueryDict

from promoengine.core.errors import DomainError, InvalidPayload, NotFound, Unauthorized
from promoengine.core.ids import parse_public_id
from promoengine.core.models import AsyncAction, Project
from promoengine.core.pages import total_of
from promoengine.core.selectors import row_by_id
from promoengine.core.services.aside import Aside, aside
from promoengine.core.services.async_actions import Paused, advance, checkpoint, start_async_action
from redemptions.export_formats import FileColumn, Format, write_file
from redemptions.export_objects import EXPORTED, title
from redemptions.models import Export, ExportPart

BYTES_A_PART = 1 << 20
# A step of the work takes as long as a part does.
PARTS_A_STEP = 8
LINK_GOOD_FOR = timedelta(hours=24)
FILES_KEPT = timedelta(days=7)
# Parts of an export's work: until its file is written; until rows are read that are yet to be put together.
WRITTEN, READ_TO_BE_PUT_TOGETHER = 0.75, 0.25
SIGNED_FOR = "promoengine.exports"
# Whose work has ended otherwise than by `run_export`, which would have said so.
ENDED = (AsyncAction.Status.FAILED, AsyncAction.Status.CANCELED)
WAITING = (Export.Status.SCHEDULED, Export.Status.IN_PROGRESS)

RowsOf = Callable[[Export], QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file to be downloaded; it is `size` bytes long."""

    format: Format
    size: int
    parts: Iterator[bytes]


class _Deleted(Exception):
    """The export was deleted while it was made."""


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
    rows_asked_for(export)
    return _start(export, job="redemptions.jobs.write_export", now=now)


def start_listed_export(
    project: Project,
    *,
    data: Any,
    listed: str,
    job: str,
    user: User,
    channel: str,
    now: datetime,
) -> Export:
    """Start the export of a list that a user sees, and return it; `job` knows which rows `listed` means.

    Raises:
        InvalidPayload: the body is wrong; the details name what of it.
        InvalidExportFields: a field is not there to export.
    """
    exported_object, parameters = _read(data)
    export = Export(
        project=project,
        exported_object=exported_object,
        parameters=parameters,
        listed=listed,
        user=user,
        channel=channel,
        created_at=now,
    )
    return _start(export, job=job, now=now)


def export_by_id(project: Project, ref: str) -> Export:
    """Return the export of that id.

    Raises:
        NotFound: the project has none.
    """
    return row_by_id(Export.objects.filter(project=project), ref, "export")


def delete_export(project: Project, ref: str) -> None:
    """Delete an export and its file; one that is being made stops.

    Raises:
        NotFound: the project has none.
    """
    export_by_id(project, ref).delete()


def run_export(action: AsyncAction, rows_of: RowsOf | None = None) -> None:
    """Make an export's file, from its start: a worker that died has left nothing that counts.

    Raises:
        Canceled, Paused: somebody asked for it; there is no file.
        OperationalError: the database broke it off; there is no file yet.
    """
    found = Export.objects.select_related("project", "user").filter(pk=action.params["export"]).first()
    if found is None:
        action.message = "The export was deleted"
        return
    if found.status == Export.Status.DONE:
        action.message = _in_words(found.row_count or 0)
        return
    _begin_anew(found, action)
    try:
        _make(found, action, (rows_of or rows_asked_for)(found))
    except _Deleted:
        action.message = "The export was deleted"
        return
    except (Paused, OperationalError):
        _drop_file(found, Export.Status.SCHEDULED)
        raise
    except Exception:
        _drop_file(found, Export.Status.ERROR)
        raise
    action.message = _in_words(action.total_count)


def rows_asked_for(export: Export) -> QuerySet[Any]:
    """Return the rows that a published body asks for, in its order.

    Raises:
        InvalidPayload: the order or a filter is wrong; the details name it.
    """
    query = _query(export.parameters)
    try:
        return EXPORTED[export.exported_object].rows(export.project, query)
    except DomainError as refusal:
        raise InvalidPayload(refusal.details.replace("Property .", "Property .parameters.", 1)) from refusal


def format_of(export: Export) -> Format:
    """Return what an export's file is."""
    return Format(export.parameters.get("format") or Format.CSV)


def has_file(export: Export) -> bool:
    """Return whether an export's file is there to be downloaded."""
    return export.status == Export.Status.DONE and not export.is_lapsed


def download_token(export: Export) -> str:
    """Return what opens an export's file, without a key, for a day."""
    return signing.dumps(str(export.pk), salt=SIGNED_FOR, compress=False)


def file_of(export_id: str, token: str) -> ExportFile:
    """Return an export's file, for whoever has its link.

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
    export = Export.objects.filter(pk=key).first()
    if export is None or not has_file(export):
        raise NotFound("export", export_id)
    size = ExportPart.objects.filter(export=key).aggregate(size=Sum(Length("content")))["size"]
    return ExportFile(format_of(export), size or 0, _parts(key))


def drop_old_files(*, now: datetime) -> None:
    """Delete the files of exports that are a week old: they are full of people's data."""
    old = Export.objects.filter(created_at__lt=now - FILES_KEPT, is_lapsed=False)
    for key in list(old.values_list("pk", flat=True)):
        with transaction.atomic():
            ExportPart.objects.filter(export=key).delete()
            Export.objects.filter(pk=key).update(is_lapsed=True)


def end_given_up() -> None:
    """Say of exports that nobody will go on with that they failed."""
    given_up = Export.objects.filter(status__in=WAITING, action__status__in=ENDED)
    given_up.update(status=Export.Status.ERROR)


def _in_words(count: int) -> str:
    return f"{count} rows exported"


def _start(export: Export, *, job: str, now: datetime) -> Export:
    EXPORTED[export.exported_object].check(_fields_of(export), export.project)
    with transaction.atomic():
        export.action = start_async_action(
            export.project,
            "EXPORT",
            job=job,
            params={"export": str(export.pk)},
            is_stoppable=True,
            now=now,
        )
        export.save(force_insert=True)
    return export


def _begin_anew(export: Export, action: AsyncAction) -> None:
    ExportPart.objects.filter(export=export).delete()
    Export.objects.filter(pk=export.pk).update(status=Export.Status.IN_PROGRESS)
    action.done_count = action.total_count = 0
    action.save(update_fields=["done_count", "total_count"])


def _make(export: Export, action: AsyncAction, rows: QuerySet[Any]) -> None:
    """Write the file beside, and keep it in parts."""
    exported = EXPORTED[export.exported_object]
    columns = [
        FileColumn(name, title(name), exported.field(name, export.project)) for name in _fields_of(export)
    ]
    checkpoint(action)
    with TemporaryFile() as file, aside(action) as beside:
        progress = _Progress(export, action, beside, expected=total_of(rows).count)
        write_file(file, format_of(export), exported.name, columns, rows, progress)
        _keep(export, action, file)
    Export.objects.filter(pk=export.pk).update(status=Export.Status.DONE, row_count=action.total_count)


class _Progress:
    """How far an export is: what each stretch takes of the whole is about what it takes of the time."""

    def __init__(self, export: Export, action: AsyncAction, beside: Aside, *, expected: int) -> None:
        self._export, self._action, self._beside, self._expected = export, action, beside, expected
        is_put_together = format_of(export) == Format.XLSX
        self._reading = READ_TO_BE_PUT_TOGETHER if is_put_together else WRITTEN

    def read(self, count: int) -> None:
        # More than the database reckoned must not look like the end.
        total = max(self._expected, count * 4 // 3 if count > self._expected else count)
        self._beside.say(int(count * self._reading), total)

    def counted(self, count: int) -> None:
        self._action.total_count = count
        with _step(self._export, self._action, int(count * self._reading)):
            AsyncAction.objects.filter(pk=self._action.pk).update(total_count=count)

    def written(self, count: int) -> None:
        read = self._action.total_count * self._reading
        with _step(self._export, self._action, int(read + count * (WRITTEN - self._reading))):
            pass


def _keep(export: Export, action: AsyncAction, file: IO[bytes]) -> None:
    size, written = file.tell(), int(action.total_count * WRITTEN)
    file.seek(0)
    parts = enumerate(iter(partial(file.read, BYTES_A_PART), b""))
    while few := list(islice(parts, PARTS_A_STEP)):
        done = written + (action.total_count - written) * file.tell() // size
        with _step(export, action, done):
            ExportPart.objects.bulk_create(
                [ExportPart(export=export, number=number, content=part) for number, part in few]
            )


@contextmanager
def _step(export: Export, action: AsyncAction, done: int) -> Iterator[None]:
    """Do a step of the work, together with its progress.

    Raises:
        Canceled, Paused, _Deleted: it is not to be done.
    """
    checkpoint(action)
    with transaction.atomic():
        if not Export.objects.select_for_update().filter(pk=export.pk).exists():
            raise _Deleted
        yield
        advance(action, done=max(0, done - action.done_count))


def _drop_file(export: Export, status: Export.Status) -> None:
    ExportPart.objects.filter(export=export).delete()
    Export.objects.filter(pk=export.pk).update(status=status)


def _parts(key: uuid.UUID) -> Iterator[bytes]:
    number = 0
    while part := ExportPart.objects.filter(export=key, number=number).first():
        yield bytes(part.content)
        number += 1


def _read(data: Any) -> tuple[str, dict[str, Any]]:
    if not isinstance(data, Mapping):
        raise InvalidPayload("Payload should be object")
    exported_object = data.get("exported_object")
    _check_choice("exported_object", exported_object, EXPORTED)
    parameters = {} if data.get("parameters") is None else data["parameters"]
    if not isinstance(parameters, Mapping):
        raise InvalidPayload("Property .parameters should be object")
    fields, order, format = (parameters.get(name) for name in ("fields", "order", "format"))
    if fields is not None and not (
        isinstance(fields, list) and fields and all(isinstance(name, str) for name in fields)
    ):
        raise InvalidPayload("Property .parameters.fields should be an array of names")
    if order is not None and not isinstance(order, str):
        raise InvalidPayload("Property .parameters.order should be string")
    if format is not None:
        _check_choice("parameters.format", format, Format)
    return str(exported_object), dict(parameters)


def _check_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    allowed = list(choices)
    if value not in allowed:
        raise InvalidPayload(
            f"Property .{name} should be equal to one of the allowed values [ {', '.join(allowed)} ]"
        )


def _fields_of(export: Export) -> list[str]:
    return export.parameters.get("fields") or list(EXPORTED[export.exported_object].default_fields)


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
