"""The WSGI entry point that the web server loads."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

GARBAGE_AFTER = 20_000

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promoengine.settings")

application = get_wsgi_application()

# All code is loaded now, and none of it is ever garbage: looking through it again and again, as the collector
# does every few hundred objects, was a tenth of a checkout.
get_resolver().url_patterns  # noqa: B018 - loads the pages, which Django else does with the first request
gc.collect()
gc.freeze()
gc.set_threshold(GARBAGE_AFTER)
