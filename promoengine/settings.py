"""All of PromoEngine's settings; what an operator may change is read from the environment."""

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.templatetags.static import static

from promoengine.embedded.place import embedded_database_url, embedded_redis_url
from promoengine.embedded.secrets import secret_key
from promoengine.env import env_bool, env_int, env_list, env_secret

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = Path(env_secret("PROMO_STATE_DIR") or BASE_DIR / ".promoengine")

DEBUG = env_bool("DEBUG", False)
SECRET_KEY = env_secret("SECRET_KEY") or secret_key(STATE_DIR)
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", ["*"])
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", [])
PUBLIC_URL = env_secret("PUBLIC_URL").rstrip("/")

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.humanize",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_rq",
    "promoengine.core",
    "customers",
    "campaigns",
    "vouchers",
    "redemptions",
    "notifications",
    "promoengine",
]

MIDDLEWARE = [
    "promoengine.core.api.middleware.ApiPaths",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "promoengine.dashboard.middleware.Sessions",
    "promoengine.dashboard.middleware.Locale",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "promoengine.dashboard.middleware.Authentication",
    "promoengine.dashboard.middleware.Messages",
    "promoengine.dashboard.middleware.FrameOptions",
    "promoengine.dashboard.zone.ProjectZone",
]

ROOT_URLCONF = "promoengine.urls"
WSGI_APPLICATION = "promoengine.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def database(url: str) -> dict[str, object]:
    """Return Django's settings of a `postgresql://user:password@host:port/name?host=/socket/dir` URL."""
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    host = options.pop("host", None) or unquote(parts.hostname or "")
    return {
        "ENGINE": "promoengine.core.postgres",
        "NAME": unquote(parts.path.lstrip("/")) or "promoengine",
        "USER": unquote(parts.username or "") or options.pop("user", ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(options.pop("port", None) or parts.port or ""),
        "CONN_MAX_AGE": env_int("DATABASE_CONN_MAX_AGE", 600) or None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "application_name": "promoengine",
            "server_side_binding": True,
            # A statement is prepared when it comes the fifth time; empty for poolers that can't have that.
            "prepare_threshold": env_int("DATABASE_PREPARE_THRESHOLD", 5) or None,
            **options,
        },
    }


DATABASES = {"default": database(env_secret("DATABASE_URL") or embedded_database_url(STATE_DIR))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env_secret("REDIS_URL") or embedded_redis_url(STATE_DIR)
# The dashboard's quick search would keep what it found for minutes, whichever project it was of.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
RQ_QUEUES = {name: {"URL": REDIS_URL, "DEFAULT_TIMEOUT": 3600} for name in ("high", "default", "low")}
RQ = {"JOB_CLASS": "rq.job.Job"}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Served from where they are installed: nothing to collect, nothing to forget after an upgrade.
WHITENOISE_USE_FINDERS = True

LOGIN_URL = "admin:login"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env_bool("COOKIES_SECURE", PUBLIC_URL.startswith("https://"))
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Ten megabytes is the wire format's limit of a body; the API's parser holds it, this one guards forms.
DATA_UPLOAD_MAX_MEMORY_SIZE = 11 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "promoengine.core.api.schema.Schema",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "URL_FORMAT_OVERRIDE": None,
}

# Requests a key may send in a minute, and a browser's address in five seconds; 0 is without limit.
RATE_LIMIT_PER_MINUTE = env_int("RATE_LIMIT_PER_MINUTE", 60_000)
CLIENT_RATE_LIMIT = env_int("CLIENT_RATE_LIMIT", 50)
# Codes that do not exist: how many a visitor may try within ten minutes before they have to wait, and how
# many, tried in a project, are told of as guessing; 0 is without limit, and never.
CLIENT_MISSES = env_int("CLIENT_MISSES", 30)
GUESSING_ALERT = env_int("GUESSING_ALERT", 300)
# Proxies of one's own before the web server, each of which adds to X-Forwarded-For whom it was called by.
PROXIES = env_int("PROXIES", 0)

SPECTACULAR_SETTINGS = {
    "TITLE": "PromoEngine",
    "DESCRIPTION": "Campaigns, codes, validation and redemption. Amounts are integers in minor units.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "CollectionTypeEnum": ["STATIC", "AUTO_UPDATE"],
        "AsyncActionStatusEnum": ["ENQUEUED", "IN_PROGRESS", "DONE", "FAILED"],
    },
}

UNFOLD = {
    "SITE_TITLE": "PromoEngine",
    "SITE_HEADER": "PromoEngine",
    "SITE_SYMBOL": "sell",
    "SHOW_HISTORY": False,
    "STYLES": [lambda request: static("css/dashboard.css")],
    "DASHBOARD_CALLBACK": "promoengine.dashboard.home.home_context",
    "COMMAND": {"search_models": ["vouchers.voucher", "campaigns.campaign", "customers.customer"]},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": "promoengine.dashboard.navigation.navigation",
    },
}

EMAIL_BACKEND = env_secret("EMAIL_BACKEND") or "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = STATE_DIR / "mail"
DEFAULT_FROM_EMAIL = env_secret("DEFAULT_FROM_EMAIL") or "PromoEngine <promo@localhost>"
SENDGRID_API_KEY = env_secret("SENDGRID_API_KEY")
SENDGRID_URL = env_secret("SENDGRID_URL") or "https://api.sendgrid.com"
TWILIO_ACCOUNT_SID = env_secret("TWILIO_ACCOUNT_SID")
TWILIO_AUTH_TOKEN = env_secret("TWILIO_AUTH_TOKEN")
TWILIO_FROM = env_secret("TWILIO_FROM")
TWILIO_URL = env_secret("TWILIO_URL") or "https://api.twilio.com"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "promoengine.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env_secret("LOG_LEVEL") or "INFO"},
    # A line or two for every job would bury what matters.
    "loggers": {"rq": {"level": "WARNING"}},
}
