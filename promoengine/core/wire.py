"""The core's own objects as the wire has them."""

from typing import Any

from promoengine.core.api.renderers import wire_datetime
from promoengine.core.models import AsyncAction, MetadataSchema, Project

# The words of a definition that the storefront's API spells otherwise than the management API.
CAMEL = {
    "object_type": "objectType",
    "min_length": "minLength",
    "max_length": "maxLength",
    "exact_length": "exactLength",
}
API_VERSION, WEBHOOK_VERSION = "v2018-08-01", "v2024-01-01"
USAGE = ("messages", "api_calls", "cycle_calls", "redemptions", "webhook_calls", "bulk_api_calls")
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


def metadata_schema_to_wire(schema: MetadataSchema) -> dict[str, Any]:
    """Return a schema as the management API has it."""
    return {
        "id": schema.public_id,
        "related_object": schema.name,
        "properties": schema.properties,
        "allow_defined_only": schema.allow_defined_only,
        "created_at": wire_datetime(schema.created_at),
        "updated_at": wire_datetime(schema.updated_at),
        "object": "metadata_schema",
    }


def storefront_schema_to_wire(schema: MetadataSchema) -> dict[str, Any]:
    """Return a schema as the storefront's API has it."""
    properties = {
        name: {CAMEL.get(word, word): value for word, value in definition.items()}
        for name, definition in schema.properties.items()
    }
    return metadata_schema_to_wire(schema) | {"properties": properties}


def event_schema_to_wire(schema: MetadataSchema) -> dict[str, Any]:
    """Return the schema of a custom event; `updated_at` is there once it was updated."""
    wire = {
        "id": schema.public_id,
        "name": schema.name,
        "schema": {"properties": schema.properties},
        "created_at": wire_datetime(schema.created_at),
        "object": "custom-event-schema",
    }
    return wire | ({"updated_at": wire_datetime(schema.updated_at)} if schema.updated_at else {})


def project_to_wire(project: Project) -> dict[str, Any]:
    """Return a project as the management API has it, with settings that are only kept for clients.

    `cluster_id` is the installation's one cluster.
    """
    unsent = {"email": False, "emails": [], "in_app": False}
    kept = {
        "client_loyalty_events_enabled": False,
        "client_set_voucher_expiration_date_enabled": False,
        "api_usage_notifications": {
            name: {"value": 80, "emails": [], "in_app": False, "enabled": False} for name in USAGE
        },
        "webhooks_callout_notifications": {"webhooks": unsent, "distributions": unsent},
    }
    wire = {
        "id": project.public_id,
        "name": project.name,
        "description": project.description,
        "currency": project.currency,
        "timezone": project.timezone,
        "cluster_id": "self-hosted",
        "api_version": API_VERSION,
        "case_sensitive_codes": project.case_sensitive_codes,
        "client_trusted_domains": project.client_trusted_domains,
        "client_redeem_enabled": project.client_redeem_enabled,
        "client_publish_enabled": project.client_publish_enabled,
        "client_list_vouchers_enabled": project.client_list_vouchers_enabled,
        "client_create_customer_enabled": project.client_create_customer_enabled,
        "is_sandbox": False,
        "webhook_version": WEBHOOK_VERSION,
        **kept,
        **project.other_settings,
    }
    # Our own, so typed clients meet it only in projects that have chosen it.
    if project.client_refusals != Project.ClientRefusals.ALL:
        wire["client_refusals"] = project.client_refusals
    return wire
