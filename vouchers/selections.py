"""Which codes a bulk change is of: some that were picked, or all that match what a list was filtered by."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promoengine.core.errors import InvalidPayload
from promoengine.core.models import Project
from vouchers.models import Voucher, VoucherQuerySet

PICKED_MAX = 10_000
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Selection:
    """Codes by their keys, or by part of the code, campaign, type and whether they are enabled.

    `newest` leaves out what was made after the selection, so that a running campaign has an end.
    """

    picked: tuple[uuid.UUID, ...] = ()
    search: str = ""
    campaign: uuid.UUID | None = None
    type: str = ""
    active: bool | None = None
    newest: uuid.UUID | None = None

    def rows(self, project: Project) -> VoucherQuerySet:
        """Return the project's codes that are meant, without those in the bin."""
        rows = Voucher.objects.filter(project=project).present()
        if self.picked:
            return rows.filter(pk__in=self.picked)
        if self.search:
            rows = rows.filter(code_key__icontains=self.search)
        wanted = {"campaign_id": self.campaign, "type": self.type or None, "active": self.active}
        rows = rows.filter(**{column: value for column, value in wanted.items() if value is not None})
        return rows.filter(pk__lte=self.newest) if self.newest else rows

    def to_params(self) -> dict[str, Any]:
        """Return what `parse_selection` reads, as JSON has it."""
        if self.picked:
            return {"picked": [str(key) for key in self.picked]}
        said = {
            "search": self.search,
            "campaign": str(self.campaign) if self.campaign else "",
            "type": self.type,
            "active": "" if self.active is None else str(self.active).lower(),
            "newest": str(self.newest) if self.newest else "",
        }
        return {name: value for name, value in said.items() if value}


def parse_selection(params: Mapping[str, Any]) -> Selection:
    """Read a selection from the words of an address or of a job.

    Raises:
        InvalidPayload: a key, a type or a yes-or-no is none.
    """
    picked = params.get("picked") or []
    if len(picked) > PICKED_MAX:
        raise InvalidPayload(f"Pick up to {PICKED_MAX} codes, or filter the list and change all that match")
    kind, active = params.get("type") or "", params.get("active") or ""
    if kind and kind not in Voucher.Type.values:
        raise InvalidPayload(f"There is no type of code {kind!r}")
    if active and active not in BOOLEANS:
        raise InvalidPayload("Codes are enabled, or they are not")
    return Selection(
        picked=tuple(_key(text) for text in picked),
        search=(params.get("search") or "").strip(),
        campaign=_key(params["campaign"]) if params.get("campaign") else None,
        type=kind,
        active=BOOLEANS[active] if active else None,
        newest=_key(params["newest"]) if params.get("newest") else None,
    )


def _key(text: Any) -> uuid.UUID:
    try:
        return uuid.UUID(str(text))
    except ValueError as error:
        raise InvalidPayload(f"{text!r} is no key of a code or campaign") from error
