"""The `Idempotency-Key` header."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rest_framework.response import Response

from promoengine.core.api.views import ApiRequest
from promoengine.core.errors import DomainError
from promoengine.core.json_text import to_json
from promoengine.core.services.idempotency import Answer, answer_once


def answer_once_for(request: ApiRequest, produce: Callable[[], dict[str, Any]]) -> Response:
    """Answer with what `produce` returns; a retry with the same key gets the first answer again."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return Response(produce())
    asked = f"{request.method} {request.get_full_path()}\n".encode() + to_json(request.data)

    def kept() -> Answer:
        try:
            return Answer(200, to_json(produce()))
        except DomainError as refusal:
            return Answer(refusal.status, to_json(refusal.body(request.request_id)))

    answer = answer_once(
        request.project,
        key=key,
        fingerprint=hashlib.sha256(asked).hexdigest(),
        now=datetime.now(UTC),
        produce=kept,
    )
    return Response(answer.body, status=answer.status)
