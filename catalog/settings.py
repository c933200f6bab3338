"""Django settings: everything a person may set is read here, once, and runs with none of it set.

What is wrong with a value is told by the system checks (catalog/checks.py), never by a traceback.
"""

from __future__ import annotations

import os
from pathlib import Path

from catalog.environment import Environment
from ingest.errors import SettingError
from ingest.settings import EngineSettings, monitor_paths

BASE_DIR = Path(__file__).resolve().parent.parent
_environment = Environment(os.environ)

# What a person may set -------------------------------------------------------------------------------------------

ENGINE = EngineSettings()
MONITOR_PATHS: tuple[Path, ...] = (BASE_DIR / "data",)
try:
    ENGINE = EngineSettings.from_env(os.environ)
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
SECRET_KEY = _environment.secret("FAIRFOLDER_SECRET_KEY", FAIRFOLDER_STATE_DIR / "secret_key")
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
    "django.contrib.admin",
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
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

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
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576

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
