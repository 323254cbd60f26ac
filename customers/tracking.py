"""The opaque id under which a storefront may mention a customer in public."""

import base64
import hashlib
import hmac

from django.conf import settings

PREFIX = "track_"


def tracking_id_of(name: str) -> str:
    """Return the tracking id of a customer's source id or id: always the same, and not to be turned back."""
    digest = hmac.new(settings.SECRET_KEY.encode(), name.encode(), hashlib.sha256).digest()
    return f"{PREFIX}{base64.b64encode(digest[:16]).decode()}"


def as_tracking_id(name: str) -> str:
    """Return the tracking id that a name, or a tracking id given out before, stands for."""
    return name if name.startswith(PREFIX) else tracking_id_of(name)
