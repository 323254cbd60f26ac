"""What imports may be told beside the published format, in the query or as fields of the form.

`mode`, `mapping[<column>]` and whatever else a serializer of them has are our own; where they are absent,
imports are as published.
"""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from promoengine.core.api.serializers import FileBody, read_body
from promoengine.core.api.views import ApiRequest
from promoengine.core.errors import InvalidPayload
from promoengine.core.row_imports import CHECK, GOOD, RowPlan

# A column may have brackets in its name.
NESTED = re.compile(r"(\w+)\[(.*)\]", re.DOTALL)
MAPPING = "What a column is, whatever its header says: `mapping[Kupon]=code`."


class RowImportOptions(serializers.Serializer):
    mode = serializers.ChoiceField(
        [CHECK, GOOD],
        required=False,
        help_text="Look at all rows and change nothing, or import the good rows, as published.",
    )
    mapping = serializers.DictField(
        child=serializers.CharField(allow_blank=True), required=False, help_text=MAPPING
    )


class RowImportBody(FileBody, RowImportOptions):
    pass


def sent_options(request: ApiRequest, options: type[serializers.Serializer]) -> dict[str, Any]:
    """Return which options are sent; a field of the form goes before the query.

    Raises:
        InvalidPayload, ValidationError: one is wrong; the details name it.
    """
    return read_body(options, _nested({**request.GET.dict(), **request.POST.dict()}, options().fields))


def sent_row_plan(request: ApiRequest) -> RowPlan:
    """Return how the rows of a request are to be imported.

    Raises:
        InvalidPayload, ValidationError: an option is wrong; the details name it.
    """
    return RowPlan(**sent_options(request, RowImportOptions))


def _nested(sent: Mapping[str, str], fields: Mapping[str, serializers.Field]) -> dict[str, Any]:
    """Return `a[b]=c` as `{"a": {"b": "c"}}`, of the options alone."""
    found: dict[str, Any] = {}
    for key, value in sent.items():
        parts = NESTED.fullmatch(key)
        name = parts[1] if parts else key
        if name not in fields or isinstance(fields[name], serializers.ChoiceField):
            found |= {key: value} if key in fields else {}
        elif parts:
            _check_inner(name, parts[2], fields[name])
            found.setdefault(name, {})[parts[2]] = value
        else:
            raise InvalidPayload(f"Property .{name} should be sent as {name}[name]=value")
    return found


def _check_inner(name: str, inner: str, field: serializers.Field) -> None:
    if isinstance(field, serializers.Serializer) and inner not in field.fields:
        allowed = ", ".join(field.fields)
        raise InvalidPayload(f"Property .{name}.{inner} should be one of [ {allowed} ]")
