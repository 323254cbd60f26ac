"""Django's middleware for pages, which the API has no use for: its callers have keys and no cookies."""

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.locale import LocaleMiddleware
from django.utils.deprecation import MiddlewareMixin

from promoengine.core.api.middleware import API_PREFIXES


class OfPages(MiddlewareMixin):
    """Lets requests to the API pass by the middleware it is mixed into."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(API_PREFIXES):
            return self.get_response(request)
        return super().__call__(request)


class Sessions(OfPages, SessionMiddleware):
    pass


class Locale(OfPages, LocaleMiddleware):
    pass


class Authentication(OfPages, AuthenticationMiddleware):
    pass


class Messages(OfPages, MessageMiddleware):
    pass


class FrameOptions(OfPages, XFrameOptionsMiddleware):
    pass
