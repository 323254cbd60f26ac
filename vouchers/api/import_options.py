"""What imports of codes may be told beside the published format, in the query or as fields of the form.

`mode`, `mapping[<column>]` and `batch[<term>]` are our own; where they are absent, imports are as published.
"""

import re
from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from promoengine.core.api.serializers import FileBody, read_body
from promoengine.core.api.views import ApiRequest
from promoengine.core.errors import InvalidPayload
from vouchers.api.serializers import BatchBody
from vouchers.import_plans import ALL, CHECK, FIELDS, GOOD, LEFT_OUT, METADATA
from vouchers.services.batches import NO_TERMS, BatchTerms

MODES = [CHECK, ALL, GOOD]
# A column may have brackets in its name.
NESTED = re.compile(r"(mapping|batch)\[(.*)\]", re.DOTALL)
HELP = {
    "mode": "Look at all rows and change nothing; import all or nothing; import the good rows, as published.",
    "batch": "What is said of the batch that codes of a campaign become: `batch[locked_until]=2027-12-24`.",
}


class ImportOptions(serializers.Serializer):
    mode = serializers.ChoiceField(MODES, required=False, help_text=HELP["mode"])
    mapping = serializers.DictField(
        child=serializers.ChoiceField([*FIELDS, METADATA, LEFT_OUT], allow_blank=True),
        required=False,
        help_text="What a column is, whatever its header says: `mapping[Kupon]=code`.",
    )
    batch = BatchBody(required=False, help_text=HELP["batch"])


class ImportBody(FileBody, ImportOptions):
    pass


IN_QUERY = [
    OpenApiParameter("mode", str, enum=MODES, description=HELP["mode"]),
    OpenApiParameter("batch", OpenApiTypes.OBJECT, style="deepObject", description=HELP["batch"]),
]


class SentOptions:
    """The options of a request."""

    def __init__(self, request: ApiRequest) -> None:
        """Read them; a field of the form goes before the query.

        Raises:
            InvalidPayload, ValidationError: one is wrong; the details name it.
        """
        read = read_body(ImportOptions, _nested({**request.GET.dict(), **request.POST.dict()}))
        self.mode: str = read.get("mode", GOOD)
        self.mapping: Mapping[str, str] | None = read.get("mapping")
        self.batch = BatchTerms(**read["batch"]) if "batch" in read else NO_TERMS


def _nested(sent: Mapping[str, str]) -> dict[str, Any]:
    """Return `a[b]=c` as `{"a": {"b": "c"}}`, of our options alone."""
    found: dict[str, Any] = {"mode": sent["mode"]} if "mode" in sent else {}
    for key, value in sent.items():
        if key in ("mapping", "batch"):
            raise InvalidPayload(f"Property .{key} should be sent as {key}[name]=value")
        if parts := NESTED.fullmatch(key):
            option, name = parts.groups()
            if option == "batch" and name not in BatchBody().fields:
                allowed = ", ".join(BatchBody().fields)
                raise InvalidPayload(f"Property .batch.{name} should be one of [ {allowed} ]")
            found.setdefault(option, {})[name] = value
    return found
