"""RQ entry points of the notifications' room."""

import uuid
from datetime import UTC, datetime
from typing import Any

from notifications.services import announce, send, warn


def announce_publications(*, event_ids: list[str], **_: Any) -> None:
    """Tell customers of the codes they got."""
    announce.announce_publications(event_ids, now=datetime.now(UTC))


def warn_of_low_pools(*, event_ids: list[str], **_: Any) -> None:
    """Tell a shop's people of campaigns that run out of codes."""
    warn.warn_of_low_pools(event_ids, now=datetime.now(UTC))


def send_message(*, message_id: str, **_: Any) -> None:
    """Send one message."""
    send.send_message(uuid.UUID(message_id), now=datetime.now(UTC))


def send_waiting(**_: Any) -> None:
    """Send what waits for another attempt, or whose job was lost."""
    send.send_waiting(now=datetime.now(UTC))
