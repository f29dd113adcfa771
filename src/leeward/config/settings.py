"""Settings. What differs between servers comes from the environment; everything written lies under LEEWARD_HOME."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from csp.constants import NONE, SELF

from leeward.config.keys import SQLITE, keyring
from leeward.web import languages

PACKAGE = Path(__file__).resolve().parent.parent
LEEWARD_HOME = Path(os.environ.get("LEEWARD_HOME", "var")).resolve()
LEEWARD_HOME.mkdir(parents=True, exist_ok=True, mode=0o700)
LEEWARD_KEYRING = keyring(LEEWARD_HOME, database_url=os.environ.get("DATABASE_URL", ""))
LEEWARD_DEMO = (LEEWARD_HOME / "demo.json").exists()
LEEWARD_EXAMPLE_LINES_COUNT = LEEWARD_DEMO  # elsewhere a help line that is an example opens no group
LEEWARD_HELP_LINES = Path(os.environ.get("HELP_LINES", LEEWARD_HOME / "help-lines.toml"))

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8000"))
PUBLIC_URL = (
    os.environ.get("PUBLIC_URL") or f"http://{'localhost' if HOST in ('127.0.0.1', '::1') else HOST}:{PORT}"
).rstrip("/")

SECRET_KEY = LEEWARD_KEYRING.secret
DEBUG = False
ALLOWED_HOSTS = [*filter(None, os.environ.get("ALLOWED_HOSTS", "").split(","))] or [
    "localhost",
    "127.0.0.1",
    "[::1]",
    urlsplit(PUBLIC_URL).hostname or "localhost",
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
HTTPS = PUBLIC_URL.startswith("https://")

INSTALLED_APPS = [
    "leeward.config",
    "leeward.web",
    "leeward.domain.people",
    "leeward.domain.groups",
    "leeward.domain.places",
    "leeward.domain.founding",
    "leeward.domain.pledges",
    "leeward.domain.ideas",
    "leeward.domain.meetings",
    "leeward.domain.polls",
    "leeward.domain.commitments",
    "leeward.domain.room",
    "leeward.domain.journal",
    "leeward.domain.portability",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "leeward.web.middleware.language",
    "leeward.web.middleware.answers",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "leeward.config.urls"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [PACKAGE / "web" / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "leeward.web.jinja.environment",
            "auto_reload": False,
            "context_processors": [
                "django.contrib.messages.context_processors.messages",
                "leeward.web.jinja.chrome",
            ],
            "extensions": ["jinja2.ext.i18n"],
        },
    },
]


def _database() -> dict[str, object]:
    url = urlsplit(os.environ.get("DATABASE_URL", ""))
    if url.scheme in ("postgres", "postgresql"):
        query = parse_qs(url.query)
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(url.path.lstrip("/")),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": query.get("host", [url.hostname or ""])[0],
            "PORT": str(url.port or ""),
            "CONN_MAX_AGE": 0,
            "OPTIONS": {"pool": {"min_size": 1, "max_size": 8}},
        }
    if url.scheme not in ("", "sqlite"):
        sys.exit(f"DATABASE_URL: {url.scheme}:// is not known. Use postgresql://… or leave it out for SQLite.")
    file = LEEWARD_HOME / SQLITE
    os.close(os.open(file, os.O_RDONLY | os.O_CREAT, 0o600))  # SQLite itself would let everybody read it
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": file,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
            " PRAGMA foreign_keys=ON; PRAGMA cache_size=-16000;",
        },
        "TEST": {"NAME": os.environ.get("LEEWARD_TEST_SQLITE") or None},
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIGRATION_MODULES: dict[str, str] = {}

# People and sign-in -----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "people.Person"
AUTHENTICATION_BACKENDS = ["leeward.web.people.adapter.Recognition"]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/arrived/"
SESSION_ENGINE = "leeward.web.sessions"
SESSION_COOKIE_NAME = "leeward"
SESSION_COOKIE_AGE = 60 * 24 * 3600
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "leeward_form"
CSRF_FAILURE_VIEW = "leeward.web.errors.csrf"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

ACCOUNT_ADAPTER = "leeward.web.people.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
MFA_ADAPTER = "leeward.web.people.adapter.PasskeyAdapter"
MFA_SUPPORTED_TYPES = ["webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS

# Letters -----------------------------------------------------------------------------------------------------------
DEFAULT_FROM_EMAIL = os.environ.get("MAIL_FROM", "Leeward <leeward@localhost>")
_mail = urlsplit(os.environ.get("MAIL_URL", ""))
if _mail.scheme in ("smtp", "smtps", "smtp+tls"):
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _mail.hostname or "localhost"
    EMAIL_PORT = _mail.port or {"smtp": 25, "smtps": 465, "smtp+tls": 587}[_mail.scheme]
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_USE_SSL = _mail.scheme == "smtps"
    EMAIL_USE_TLS = _mail.scheme == "smtp+tls"
    EMAIL_TIMEOUT = 20
elif _mail.scheme:
    sys.exit(f"MAIL_URL: {_mail.scheme}:// is not known. Use smtp://, smtp+tls:// or smtps://.")
else:
    EMAIL_BACKEND = "leeward.notices.outbox.OutboxBackend"
LEEWARD_SENDS_MAIL = bool(_mail.scheme)

# Language and time -------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
try:
    LANGUAGES, LOCALE_PATHS = languages.gathered(
        [PACKAGE / "web" / "locale", LEEWARD_HOME / "locale"], into=LEEWARD_HOME / "locale-made"
    )
except ValueError as _error:
    sys.exit(str(_error))
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Files and headers -------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = LEEWARD_HOME / "static"
_plain = os.environ.get("LEEWARD_PLAIN_STATIC")  # tests: names without content digests, nothing to gather first
STORAGES = {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if _plain
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    }
}
for _folder in ("static", "static-made"):
    (LEEWARD_HOME / _folder).mkdir(exist_ok=True)
STATICFILES_DIRS = [PACKAGE / "web" / "static", LEEWARD_HOME / "static-made"]
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
WHITENOISE_MANIFEST_STRICT = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 300
LEEWARD_UPLOAD_MOST = 9 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = LEEWARD_UPLOAD_MOST  # nothing is written outside LEEWARD_HOME
SECURE_REFERRER_POLICY = "same-origin"  # "no-referrer" makes browsers send `Origin: null` with forms (decision 0006)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if os.environ.get("BEHIND_PROXY") else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
SILENCED_SYSTEM_CHECKS = ["security.W003"]

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"err": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["err"], "level": "WARNING"},
    "loggers": {"django.request": {"level": "ERROR"}, "django.security": {"level": "ERROR"}},
}
