"""RQ entry points of the vouchers' room."""

from typing import Any

from promoengine.core.models import AsyncAction
from vouchers.services import campaigns, generate, import_codes, usage


def generate_codes(action: AsyncAction) -> None:
    """Make a campaign's codes."""
    generate.run_generation(action)


def import_codes_csv(action: AsyncAction) -> None:
    """Import a campaign's codes from an uploaded file."""
    import_codes.run_code_import(action)


def propagate_terms(action: AsyncAction) -> None:
    """Bring a changed campaign's terms to its codes."""
    campaigns.run_propagation(action)


def purge_codes(action: AsyncAction) -> None:
    """Delete a deleted campaign's codes."""
    campaigns.run_purge(action)


def roll_up_usage(**_: Any) -> None:
    """Count the uses of codes without limit."""
    while usage.roll_up_usage():
        pass
