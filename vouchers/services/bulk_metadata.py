"""Merging metadata into many codes that are named, in the background."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from promoengine.core.bulk_bodies import metadata_rows
from promoengine.core.errors import InvalidPayload
from promoengine.core.models import AsyncAction, Project
from promoengine.core.services.async_actions import advance, start_async_action
from promoengine.core.services.metadata import MetadataRefused, check_metadata, schemas_now
from vouchers.codes import code_key
from vouchers.models import Voucher

BATCH = 1000


def update_vouchers_metadata_each(project: Project, *, rows: Any, now: datetime) -> AsyncAction:
    """Start merging into each of `rows`, objects with a `code`, the `metadata` beside it.

    Raises:
        InvalidPayload: it is no array of such objects.
    """
    if not isinstance(rows, list):
        raise InvalidPayload("Payload should be array")
    for index, row in enumerate(rows):
        if not isinstance(row, Mapping) or not isinstance(row.get("code"), str) or not row["code"]:
            raise InvalidPayload(f"Property [{index}] should have required property 'code'")
        if not isinstance(row.get("metadata"), Mapping):
            raise InvalidPayload(f"Property [{index}].metadata should be object")
    return _start(project, "VOUCHERS.BULK_UPDATE", rows, now=now)


def update_vouchers_metadata(project: Project, *, data: Any, now: datetime) -> AsyncAction:
    """Start merging one `metadata` into the vouchers of all `codes`.

    Raises:
        InvalidPayload: one of the two is missing or of the wrong type.
    """
    rows = metadata_rows(data, "code")
    return _start(project, "VOUCHERS.METADATA_UPDATE", rows, now=now)


def run_metadata_update(action: AsyncAction) -> None:
    """Merge what an action lacks yet; codes that there are not are reported."""
    rows = action.params["rows"]
    while batch := rows[action.done_count + action.failed_count :][:BATCH]:
        with transaction.atomic():
            right, failures = _checked(action.project, batch)
            unknown = _merge(action.project, right) if right else []
            failures += [{"code": code, "reason": "There is no such code"} for code in unknown]
            advance(action, done=len(batch) - len(failures), failed=len(failures), failures=failures)
    action.message = f"{action.done_count} codes changed, {action.failed_count} failed"


def _start(project: Project, type: str, rows: list[Any], *, now: datetime) -> AsyncAction:
    return start_async_action(
        project,
        type,
        job="vouchers.jobs.merge_metadata",
        params={"rows": rows},
        total_count=len(rows),
        now=now,
    )


def _checked(
    project: Project, rows: Sequence[Mapping[str, Any]]
) -> tuple[list[Mapping[str, Any]], list[dict[str, Any]]]:
    """Return the rows that keep to the schema of vouchers, and why the others do not."""
    schemas = schemas_now(project)
    right, failures = [], []
    for row in rows:
        try:
            check_metadata(schemas, "voucher", row["metadata"], is_new=False)
            right.append(row)
        except MetadataRefused as refusal:
            failures.append({"code": row["code"], "reason": str(refusal)})
    return right, failures


def _merge(project: Project, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Merge in the caller's transaction, what comes later over what came before; return unknown codes."""
    patches: dict[str, dict[str, Any]] = {}
    for row in rows:
        patches.setdefault(code_key(project, row["code"]), {}).update(row["metadata"])
    with connection.cursor() as cursor:
        parameters: dict[str, Any] = {
            "project": project.pk,
            "keys": list(patches),
            "patches": json.dumps(patches),
        }
        cursor.execute(LOCK, parameters)
        known = {key for (key,) in cursor.fetchall()}
        cursor.execute(MERGE, parameters)
    return [row["code"] for row in rows if code_key(project, row["code"]) not in known]


# In the order of their ids, as redemptions lock them.
LOCK = f"""
    SELECT code_key FROM {Voucher._meta.db_table}
    WHERE project_id = %(project)s AND code_key = ANY(%(keys)s) AND deleted_at IS NULL
    ORDER BY id FOR UPDATE
"""
MERGE = f"""
    UPDATE {Voucher._meta.db_table}
    SET metadata = metadata || (%(patches)s::jsonb -> code_key), updated_at = now()
    WHERE project_id = %(project)s AND code_key = ANY(%(keys)s) AND deleted_at IS NULL
"""
