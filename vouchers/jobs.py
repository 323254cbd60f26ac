"""RQ entry points of the vouchers' room."""

from datetime import UTC, datetime
from typing import Any

from promoengine.core.models import AsyncAction
from vouchers.services import bulk_change, bulk_metadata, campaigns, generate, import_codes, usage


def generate_codes(action: AsyncAction) -> None:
    """Make a campaign's codes."""
    generate.run_generation(action)


def import_codes_csv(action: AsyncAction) -> None:
    """Import a campaign's codes from an uploaded file."""
    import_codes.run_code_import(action)


def change_codes(action: AsyncAction) -> None:
    """Change many codes."""
    bulk_change.run_bulk_change(action)


def undo_change_of_codes(action: AsyncAction) -> None:
    """Take back that codes were enabled or disabled."""
    bulk_change.run_undo(action)


def merge_metadata(action: AsyncAction) -> None:
    """Merge metadata into codes."""
    bulk_metadata.run_metadata_update(action)


def propagate_terms(action: AsyncAction) -> None:
    """Bring a changed campaign's terms to its codes."""
    campaigns.run_propagation(action)


def purge_codes(action: AsyncAction) -> None:
    """Delete a deleted campaign's codes."""
    campaigns.run_purge(action)


def forget_undo(**_: Any) -> None:
    """Forget how to take back changes of a month ago."""
    bulk_change.forget_undo(now=datetime.now(UTC))


def roll_up_usage(**_: Any) -> None:
    """Count the uses of codes without limit."""
    while usage.roll_up_usage():
        pass
