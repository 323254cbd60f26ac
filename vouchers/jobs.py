"""RQ entry points of the vouchers' room."""

from datetime import UTC, datetime
from typing import Any

from promoengine.core.models import AsyncAction
from vouchers.services import (
    bin,
    bulk_change,
    bulk_metadata,
    campaigns,
    generate,
    pool_alerts,
    propagate,
    staging,
    usage,
)
from vouchers.services.import_codes import run_code_import


def generate_codes(action: AsyncAction) -> None:
    """Make a campaign's codes."""
    generate.run_generation(action)


def import_codes(action: AsyncAction) -> None:
    """Import codes from an uploaded table or the records of a request."""
    run_code_import(action)


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
    propagate.run_propagation(action)


def end_given_up(**_: Any) -> None:
    """Free the campaigns that nobody works on any more, though they say so."""
    propagate.end_given_up(now=datetime.now(UTC))


def purge_codes(action: AsyncAction) -> None:
    """Delete a deleted campaign's codes."""
    campaigns.run_purge(action)


def restore_codes(action: AsyncAction) -> None:
    """Bring the codes of a campaign back that came out of the bin."""
    bin.run_restore(action)


def drop_left_over(**_: Any) -> None:
    """Drop what imports have staged that ended in the middle."""
    staging.drop_left_over()


def empty_bins(**_: Any) -> None:
    """Delete for good what has been in the bin for as long as its project keeps it."""
    bin.empty_bins(now=datetime.now(UTC))


def forget_undo(**_: Any) -> None:
    """Forget how to take back changes of a month ago."""
    bulk_change.forget_undo(now=datetime.now(UTC))


def roll_up_usage(**_: Any) -> None:
    """Count the uses of codes without limit."""
    while usage.roll_up_usage():
        pass


def watch_pools(**_: Any) -> None:
    """Tell of campaigns that run out of codes."""
    pool_alerts.watch_pools(now=datetime.now(UTC))
