"""Shapes that several rooms' endpoints share."""

from rest_framework import serializers


class FileBody(serializers.Serializer):
    file = serializers.FileField()


class AsyncAnswer(serializers.Serializer):
    async_action_id = serializers.CharField()
