"""A storefront's way in, as tests use it: real requests through all of Django, with a project's keys."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.http import HttpResponse
from django.test import Client

from promoengine.core.api.auth import HEADERS
from promoengine.core.models import ApiKey, Project
from promoengine.core.services.api_keys import create_api_key


class Api:
    """Calls the API with one key of a project."""

    def __init__(self, project: Project, kind: ApiKey.Kind = ApiKey.Kind.SERVER) -> None:
        made = create_api_key(project, name="tests", kind=kind)
        id_header, token_header = HEADERS[kind]
        self.project = project
        self.headers = {id_header: str(made.key.app_id), token_header: made.token}
        self.client = Client(raise_request_exception=False)

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> HttpResponse:
        return self.client.get(path, query, headers=self.headers | headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self._send("post", path, body, headers)

    def put(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self._send("put", path, body, headers)

    def delete(self, path: str, **headers: str) -> HttpResponse:
        return self.client.delete(path, headers=self.headers | headers)

    def upload(self, path: str, file: Any, fields: Mapping[str, str] | None = None) -> HttpResponse:
        return self.client.post(path, {"file": file, **(fields or {})}, headers=self.headers)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> HttpResponse:
        raw = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        send = getattr(self.client, method)
        return send(path, raw, content_type="application/json", headers=self.headers | headers)
