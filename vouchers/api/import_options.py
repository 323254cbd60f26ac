"""What imports of codes may be told beside the published format."""

from collections.abc import Mapping
from dataclasses import dataclass

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from promoengine.core.api.import_options import MAPPING, sent_options
from promoengine.core.api.serializers import FileBody
from promoengine.core.api.views import ApiRequest
from promoengine.core.row_imports import CHECK, GOOD, LEFT_OUT, METADATA
from vouchers.api.serializers import BatchBody
from vouchers.import_plans import ALL, FIELDS
from vouchers.services.batches import BatchTerms

MODES = [CHECK, ALL, GOOD]
MODE = "Look at all rows and change nothing; import all or nothing; import the good rows, as published."
BATCH = "What is said of the batch that codes of a campaign become: `batch[locked_until]=2027-12-24`."


class ImportOptions(serializers.Serializer):
    mode = serializers.ChoiceField(MODES, required=False, help_text=MODE)
    mapping = serializers.DictField(
        child=serializers.ChoiceField([*FIELDS, METADATA, LEFT_OUT], allow_blank=True),
        required=False,
        help_text=MAPPING,
    )
    batch = BatchBody(required=False, help_text=BATCH)


class ImportBody(FileBody, ImportOptions):
    pass


IN_QUERY = [
    OpenApiParameter("mode", str, enum=MODES, description=MODE),
    OpenApiParameter("batch", OpenApiTypes.OBJECT, style="deepObject", description=BATCH),
]


@dataclass(frozen=True, slots=True)
class SentImport:
    """The options of a request; a mapping of None leaves all to the published headers."""

    mode: str
    mapping: Mapping[str, str] | None
    batch: BatchTerms


def sent_import(request: ApiRequest) -> SentImport:
    """Return which options are sent.

    Raises:
        InvalidPayload, ValidationError: one is wrong; the details name it.
    """
    sent = sent_options(request, ImportOptions)
    return SentImport(sent.get("mode", GOOD), sent.get("mapping"), BatchTerms(**sent.get("batch", {})))
