"""A vendor's server on this machine: it holds each request against the vendor's own description."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest
from openapi_core.exceptions import OpenAPIError
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

SHARED = Path(os.environ.get("PROMO_SHARED") or Path(__file__).parents[2].parent / "shared")
SPECS = SHARED / "platforms" / "specs"


@dataclass
class Vendor:
    """What the server is to answer, and what it was sent; `problems` are breaches of the description."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    drops: bool = False
    requests: list[Request] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@contextmanager
def vendor_server(name: str) -> Iterator[Vendor]:
    """Run a vendor's server for the time of a test."""
    vendor = Vendor()
    description = json.loads((SPECS / f"{name}.json").read_text())
    prefix = urlsplit(description["servers"][0]["url"]).path.rstrip("/")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(
                EnvironBuilder(
                    path=self.path, base_url=vendor.url, method="POST", headers=dict(self.headers), data=raw
                ).get_environ()
            )
            vendor.requests.append(request)
            try:
                api.validate_request(WerkzeugOpenAPIRequest(request))
            except OpenAPIError as error:
                vendor.problems.append(f"{error!r} {error.__cause__!r}")
            if vendor.drops:
                self.connection.close()
                return
            self.send_response(vendor.status)
            for header, value in ({"Content-Type": "application/json"} | vendor.headers).items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(vendor.body)

        def log_message(self, *args: object) -> None:
            """Keep the tests' output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    vendor.url = f"http://127.0.0.1:{server.server_port}"
    description["servers"] = [{"url": vendor.url + prefix}]
    for operations in description["paths"].values():
        operations.pop("servers", None)
    api = OpenAPI.from_dict(description)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield vendor
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
