"""Shapes that several rooms' endpoints share."""

from typing import Any

from rest_framework import serializers


class MomentField(serializers.DateTimeField):
    """An ISO 8601 date-time, or a date, which is its midnight."""

    def to_internal_value(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) == 10:
            value = f"{value}T00:00:00Z"
        return super().to_internal_value(value)


class FileBody(serializers.Serializer):
    file = serializers.FileField()


class AsyncAnswer(serializers.Serializer):
    async_action_id = serializers.CharField()


def read_body(serializer: type[serializers.Serializer], data: Any) -> dict[str, Any]:
    """Return the fields that a body sets, checked for their shape.

    Raises:
        ValidationError: which the API's handler turns into the published body.
    """
    checked = serializer(data=data)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)
