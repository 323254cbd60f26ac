"""The opaque id under which a storefront may mention a customer in public."""

import base64
import hashlib
import hmac

from django.conf import settings


def tracking_id_of(name: str) -> str:
    """Return the tracking id of a customer's source id or id: always the same, and not to be turned back."""
    digest = hmac.new(settings.SECRET_KEY.encode(), name.encode(), hashlib.sha256).digest()
    return f"track_{base64.b64encode(digest[:16]).decode()}"
