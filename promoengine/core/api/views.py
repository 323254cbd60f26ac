"""The base of every API view: keys, project, parsing, errors and headers."""

from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from promoengine.core import errors
from promoengine.core.api.addresses import address_of
from promoengine.core.api.auth import HEADERS, Caller, KeyAuthentication
from promoengine.core.api.handler import handle_exception
from promoengine.core.api.rate import Allowance, allowance_of_address, allowance_of_key
from promoengine.core.api.renderers import JsonParser, JsonRenderer, refuse_nul
from promoengine.core.ids import new_request_id
from promoengine.core.json_text import to_json
from promoengine.core.models import ApiKey, Project
from promoengine.core.services.projects import managed_project

CLIENT_HEADERS = ", ".join(
    [*HEADERS[ApiKey.Kind.CLIENT], "X-Voucherify-Channel", "Authorization", "Content-Type", "Idempotency-Key"]
)


class ApiRequest(Request):
    """A request that a key has opened."""

    request_id: str
    allowance: Allowance | None = None

    @property
    def caller(self) -> Caller:
        return cast(Caller, self.user)

    @property
    def project(self) -> Project:
        return self.caller.project

    @property
    def channel(self) -> str:
        """What the caller calls its channel, as stored with publications and balance changes."""
        return self.META.get("HTTP_X_VOUCHERIFY_CHANNEL", "API")[:64]


class ApiView(APIView):
    """Base of the three doors; `scope` is the OAuth scope that opens the view."""

    kind: ClassVar[ApiKey.Kind]
    scope: ClassVar[str] = "api"
    bearer: ClassVar[bool] = True
    permission_classes = ()
    parser_classes = (JsonParser,)
    renderer_classes = (JsonRenderer,)

    def get_authenticators(self) -> list[KeyAuthentication]:
        return [KeyAuthentication(self.kind, self.scope, bearer=self.bearer)]

    def get_exception_handler(self) -> Any:
        return handle_exception

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> ApiRequest:
        made = ApiRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )
        made.request_id = new_request_id()
        if self.parser_classes == (JsonParser,):
            # It leads back to the request, which then only the garbage collector could clear away.
            made.parser_context.clear()
        return made

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        # Every answer is JSON, whatever a client says it accepts: some send text/html and mean it no further.
        return self.get_renderers()[0], "application/json"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.count(cast(ApiRequest, request))
        refuse_nul(
            [*kwargs.values(), *request.GET.keys(), *(v for k in request.GET for v in request.GET.getlist(k))]
        )

    def count(self, request: ApiRequest) -> None:
        """Count the request, and refuse it where its key has sent too many."""
        if request.method == "OPTIONS":
            return
        request.allowance = self.allowance_of(request)
        if request.allowance is not None and request.allowance.is_exceeded:
            raise errors.TooManyRequests

    def allowance_of(self, request: ApiRequest) -> Allowance | None:
        return allowance_of_key(str(request.caller.key.app_id))

    def finalize_response(self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        if (allowance := getattr(request, "allowance", None)) is not None:
            for name, value in allowance.headers().items():
                final[name] = value
        if isinstance(final, Response):
            final.render()
        self._leave_no_circles(final)
        return final

    def _leave_no_circles(self, response: HttpResponse) -> None:
        """Part what knows each other in circles, which else only the garbage collector could clear away."""
        vars(self).pop("head", None)  # which Django has made the view's own `get`
        if isinstance(response, Response):
            response.renderer_context = None

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view = super().as_view(**initkwargs)
        # Keys travel in headers that no other site can make a browser send, so there is no forgery to fear.
        view.csrf_exempt = True
        return view


class ServerView(ApiView):
    """A door for storefront servers: `/v1`."""

    kind = ApiKey.Kind.SERVER


class ManagementView(ApiView):
    """A door for operators' scripts: `/management/v1`."""

    kind = ApiKey.Kind.MANAGEMENT
    bearer = False


class ClientView(ApiView):
    """A door for browsers and apps: `/client/v1`, open to the project's trusted origins."""

    kind = ApiKey.Kind.CLIENT

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "OPTIONS":
            return
        origin = request.headers.get("Origin")
        if not origin_is_trusted(cast(ApiRequest, request).project, origin):
            raise errors.MissingPermission(f"Origin {origin!r} is not among the project's trusted domains")

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(status=204)

    def allowance_of(self, request: ApiRequest) -> Allowance | None:
        return allowance_of_address(str(request.caller.key.app_id), address_of(request))

    def perform_authentication(self, request: Request) -> None:
        if request.method != "OPTIONS":
            super().perform_authentication(request)

    def finalize_response(self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
        final["Access-Control-Allow-Headers"] = CLIENT_HEADERS
        final["Access-Control-Allow-Methods"] = "GET, POST, PUT, OPTIONS"
        final["Vary"] = "Origin"
        return final


class FormOrJson:
    """Mix-in for the few endpoints that take forms as well."""

    parser_classes = (JsonParser, FormParser, MultiPartParser)


def origin_is_trusted(project: Project, origin: str | None) -> bool:
    """Return whether a browser page of `origin` may use the project's client key.

    A caller without an Origin is no browser page, so there is nothing its user must be protected from.
    """
    if origin is None or "*" in project.client_trusted_domains:
        return True
    host = urlsplit(origin).netloc or origin
    return any(trusted in (origin, host) for trusted in project.client_trusted_domains)


def own_project(request: ApiRequest, project_id: str) -> Project:
    """Return the project that a management call names: the key's own, or one that its project's keys made.

    Raises:
        NotFound: the id is of another project, or of none.
    """
    return managed_project(request.project, project_id)


def unknown_route(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a path that no route of the API matches."""
    refusal = errors.RouteNotFound(f"{request.method} {request.path} is not an endpoint")
    return HttpResponse(
        to_json(refusal.body(new_request_id())), status=refusal.status, content_type="application/json"
    )
