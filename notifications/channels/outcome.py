"""What became of an attempt to send."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    UNKNOWN = "unknown"  # the vendor may have taken it: sending again could send it twice


@dataclass(frozen=True, slots=True)
class Receipt:
    """An outcome, the vendor's id of the message, and what to do or tell; `retry_after` in seconds."""

    outcome: Outcome
    vendor_id: str = ""
    detail: str = ""
    retry_after: int | None = None


def receipt_of_status(status: int, detail: str, retry_after: str | None = None) -> Receipt:
    """Return the receipt of a vendor's HTTP answer that is no success."""
    if status == 429 or status in (502, 503, 504):
        seconds = int(retry_after) if retry_after and retry_after.isdigit() else None
        return Receipt(Outcome.RETRY, detail=detail, retry_after=seconds)
    if status >= 500:
        return Receipt(Outcome.UNKNOWN, detail=detail)
    return Receipt(Outcome.FAILED, detail=detail)
