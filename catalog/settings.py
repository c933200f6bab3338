"""Django settings: everything a person may set is read here, once, and runs with none of it set.

What is wrong with a value is told by the system checks (catalog/checks.py), never by a traceback.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from catalog.environment import Environment
from ingest.errors import SettingError
from ingest.settings import EngineSettings, monitor_paths

BASE_DIR = Path(__file__).resolve().parent.parent
_environment = Environment(os.environ)

# What a person may set -------------------------------------------------------------------------------------------

ENGINE = EngineSettings()
MONITOR_PATHS: tuple[Path, ...] = (BASE_DIR / "data",)
# Apart: one that is wrong makes no other look wrong.
try:
    ENGINE = EngineSettings.from_env(os.environ)
except SettingError as error:
    _environment.problems.append(str(error))
try:
    MONITOR_PATHS = monitor_paths(os.environ, BASE_DIR / "data")
except SettingError as error:
    _environment.problems.append(str(error))
MONITOR_PATH_IS_DEFAULT = not _environment.text("MONITOR_PATH")
FAIRFOLDER_STATE_DIR = ENGINE.state_dir
FAIRFOLDER_BIND = _environment.text("FAIRFOLDER_BIND") or "127.0.0.1:8000"
FAIRFOLDER_URL_PREFIX = _environment.url_prefix("FAIRFOLDER_URL_PREFIX")
FAIRFOLDER_HTTPS = _environment.flag("FAIRFOLDER_HTTPS")
FAIRFOLDER_ALLOWED_HOSTS = _environment.hosts("FAIRFOLDER_ALLOWED_HOSTS")
SECRET_KEY_IS_GIVEN = bool(_environment.text("FAIRFOLDER_SECRET_KEY"))
SECRET_KEY = _environment.secret("FAIRFOLDER_SECRET_KEY", FAIRFOLDER_STATE_DIR / "secret_key", MONITOR_PATHS)
FAIRFOLDER_PROXIES = _environment.number("FAIRFOLDER_PROXIES", 0, 0, 20)
FAIRFOLDER_SIGN_IN_FAILURES = _environment.number("FAIRFOLDER_SIGN_IN_FAILURES", 10, 3, 1_000)
FAIRFOLDER_SIGN_IN_WAIT_MINUTES = _environment.number("FAIRFOLDER_SIGN_IN_WAIT_MINUTES", 15, 1, 1_440)
FAIRFOLDER_ADMIN_SECOND_FACTOR = _environment.flag("FAIRFOLDER_ADMIN_SECOND_FACTOR")
FAIRFOLDER_PREVIEWS = _environment.flag("FAIRFOLDER_PREVIEWS", default=True)
FAIRFOLDER_BASE_URL = _environment.web_address(
    "FAIRFOLDER_BASE_URL", f"{'https' if FAIRFOLDER_HTTPS else 'http'}://{FAIRFOLDER_BIND}{FAIRFOLDER_URL_PREFIX}"
)
FAIRFOLDER_CATALOG_TITLE = _environment.line("FAIRFOLDER_CATALOG_TITLE", "Research data")
FAIRFOLDER_CATALOG_DESCRIPTION = _environment.line(
    "FAIRFOLDER_CATALOG_DESCRIPTION", "Published research datasets with their files, runs and instruments."
)
FAIRFOLDER_CATALOG_EMAIL = _environment.mail_address("FAIRFOLDER_CATALOG_EMAIL")
FAIRFOLDER_CATALOG_THEME = _environment.iri(
    "FAIRFOLDER_CATALOG_THEME", "http://publications.europa.eu/resource/authority/data-theme/TECH"
)
FAIRFOLDER_SENDFILE = _environment.choice("FAIRFOLDER_SENDFILE", ("off", "x-accel-redirect", "x-sendfile"))
FAIRFOLDER_SENDFILE_PREFIX = _environment.url_prefix("FAIRFOLDER_SENDFILE_PREFIX") or "/protected"
FAIRFOLDER_FILES_IN_RECORD = _environment.number("FAIRFOLDER_FILES_IN_RECORD", 1_000, 1, 1_000_000)
FAIRFOLDER_SPARQL = _environment.flag("FAIRFOLDER_SPARQL", default=True)
FAIRFOLDER_SPARQL_FILES = _environment.number("FAIRFOLDER_SPARQL_FILES", 1_000_000, 1, 100_000_000)
FAIRFOLDER_SPARQL_SECONDS = _environment.number("FAIRFOLDER_SPARQL_SECONDS", 20, 1, 3_600)
FAIRFOLDER_SPARQL_ROWS = _environment.number("FAIRFOLDER_SPARQL_ROWS", 100_000, 1, 100_000_000)
FAIRFOLDER_SPARQL_MEGABYTES = _environment.number("FAIRFOLDER_SPARQL_MEGABYTES", 50, 1, 10_000)
FAIRFOLDER_SPARQL_MEMORY_MEGABYTES = _environment.number("FAIRFOLDER_SPARQL_MEMORY_MEGABYTES", 1_024, 64, 1_000_000)
FAIRFOLDER_SPARQL_WORKERS = _environment.number("FAIRFOLDER_SPARQL_WORKERS", 3, 1, 64)
FAIRFOLDER_SPARQL_QUERY_URL = _environment.iri("FAIRFOLDER_SPARQL_QUERY_URL", "")
FAIRFOLDER_SPARQL_UPDATE_URL = _environment.iri("FAIRFOLDER_SPARQL_UPDATE_URL", "")
if bool(FAIRFOLDER_SPARQL_QUERY_URL) != bool(FAIRFOLDER_SPARQL_UPDATE_URL):
    _environment.problems.append(
        "FAIRFOLDER_SPARQL_QUERY_URL and FAIRFOLDER_SPARQL_UPDATE_URL name the two addresses of one server, "
        "and only one of them is set. Set both, or none."
    )
DEBUG = _environment.flag("FAIRFOLDER_DEBUG")
SETTING_PROBLEMS = _environment.problems

# Django ----------------------------------------------------------------------------------------------------------

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *FAIRFOLDER_ALLOWED_HOSTS]
ROOT_URLCONF = "catalog.urls"
WSGI_APPLICATION = "catalog.wsgi.application"
FORCE_SCRIPT_NAME = FAIRFOLDER_URL_PREFIX or None

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "catalog.apps.AdminConfig",
    "catalog",
]

MIDDLEWARE = [
    "catalog.pages.headers.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "catalog.pages.failures.UnavailableDatabase",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "catalog.editing.signed_out.KeepsForms",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "catalog" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "catalog.rights.in_templates",
                "catalog.sparql.answering.in_templates",
            ]
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": FAIRFOLDER_STATE_DIR / "fairfolder.sqlite3",
        "OPTIONS": {
            "timeout": 10,
            # A transaction that reads before it writes must hold the write lock from its start.
            "transaction_mode": "IMMEDIATE",
            # In WAL mode NORMAL keeps the file sound after a power cut; a lost tail is caught up from the documents.
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
                "PRAGMA cache_size=-16384;"
                "PRAGMA wal_autocheckpoint=8192; PRAGMA journal_size_limit=67108864;"
            ),
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# In each process's own memory: what a page works out anew when it is not there.
_LOCAL = "django.core.cache.backends.locmem.LocMemCache"
CACHES = {
    "default": {"BACKEND": _LOCAL},
    "figures": {"BACKEND": _LOCAL, "LOCATION": "figures", "TIMEOUT": None, "OPTIONS": {"MAX_ENTRIES": 200}},
    "previews": {"BACKEND": _LOCAL, "LOCATION": "previews", "OPTIONS": {"MAX_ENTRIES": 30}},
}

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = f"{FAIRFOLDER_URL_PREFIX}/static/"
WHITENOISE_USE_FINDERS = True

# Sign-in and browser safety --------------------------------------------------------------------------------------

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "projects"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Failed sign-ins are counted for each user name and each address (catalog/attempts.py).
AXES_HANDLER = "catalog.attempts.Attempts"
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]
AXES_FAILURE_LIMIT = FAIRFOLDER_SIGN_IN_FAILURES
AXES_COOLOFF_TIME = timedelta(minutes=FAIRFOLDER_SIGN_IN_WAIT_MINUTES)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # or whoever goes on trying would lock the account for ever
AXES_CLIENT_IP_CALLABLE = "catalog.attempts.address"
AXES_LOCKOUT_CALLABLE = "catalog.pages.signing_in.locked_out"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken", "next"]
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
OTP_TOTP_ISSUER = "Fairfolder"

SESSION_COOKIE_NAME = "fairfolder_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = FAIRFOLDER_HTTPS
CSRF_COOKIE_NAME = "fairfolder_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = FAIRFOLDER_HTTPS
CSRF_FAILURE_VIEW = "catalog.pages.failures.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = FAIRFOLDER_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31_536_000 if FAIRFOLDER_HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if FAIRFOLDER_HTTPS else None
X_FRAME_OPTIONS = "DENY"
# Whether the other names of a domain keep to https, and enter the browsers' own lists, is not ours to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1_048_576  # a form with lists of thousands of entries
DATA_UPLOAD_MAX_NUMBER_FIELDS = 30_000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "django.request": {"level": "ERROR"},  # a mistyped address is no event
    },
}
