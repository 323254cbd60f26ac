"""The core's own objects as the wire has them."""

from typing import Any

from promoengine.core.api.renderers import wire_datetime
from promoengine.core.models import AsyncAction

OPERATION_STATUS = {"DONE": "SUCCESS", "FAILED": "FAILED", "CANCELED": "FAILED"}
# What has no word of its own in the published format.
PUBLISHED_STATUS = {"PAUSED": "IN_PROGRESS", "CANCELED": "FAILED"}


def async_action_to_wire(action: AsyncAction) -> dict[str, Any]:
    """Return an async action; it carries both statuses, because clients of either age wait for one."""
    ended = action.finished_at or action.updated_at
    return {
        "id": action.public_id,
        "type": action.type,
        "status": PUBLISHED_STATUS.get(action.status, action.status),
        "operation_status": OPERATION_STATUS.get(action.status, "UNKNOWN"),
        "result": {
            "message": action.message,
            "done_count": action.done_count,
            "failed_count": action.failed_count,
            "failed": action.failed,
        }
        if action.finished_at
        else None,
        "created_at": wire_datetime(action.created_at),
        "updated_at": wire_datetime(action.updated_at),
        "request_id": action.request_id,
        "progress": action.progress,
        "processing_time": int((ended - action.created_at).total_seconds() * 1000),
        "object": "async_action",
    }
