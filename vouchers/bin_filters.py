"""What the bin's list may be filtered by."""

from campaigns.models import BinEntry
from promoengine.core.api.filters import Field, by_id

BIN_FIELDS = {
    "id": by_id("pk", BinEntry.prefix),
    "resource_id": Field("resource_id"),
    "resource_type": Field("resource_type"),
    "resource_name": Field("resource_name"),
}
