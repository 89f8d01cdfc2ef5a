"""Django settings.  Everything an operator may set is read here, from `GATEHUB_*`, and refused here when unreadable."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from accounts import pooled
from gatehub import email_url, env, secret_key, sign_in

BASE_DIR = Path(__file__).resolve().parent.parent
KIB, MIB, GIB = 1024, 1024**2, 1024**3

# --- Where things are -----------------------------------------------------------------------------------------------

DATA_DIR = env.path("GATEHUB_DATA_DIR", BASE_DIR / "var")
PORT = env.integer("GATEHUB_PORT", 8000, least=1, most=65535)
PUBLIC_URL = env.url("GATEHUB_PUBLIC_URL", f"http://127.0.0.1:{PORT}", schemes=["http", "https"])
"""The address in mails, where no request tells which host the reader uses."""

GATEHUB_GIT_DIR = DATA_DIR / "git"
GATEHUB_OBJECTS_DIR = DATA_DIR / "objects"
GATEHUB_TMP_DIR = DATA_DIR / "tmp"
"""Uploads in progress.  On the file system of the objects, so that finished ones can be renamed into place."""

# --- Database -------------------------------------------------------------------------------------------------------

_database_url = env.text("GATEHUB_DATABASE_URL", f"sqlite:///{DATA_DIR / 'gatehub.sqlite3'}")
try:
    _database = dj_database_url.parse(_database_url)
except (ValueError, KeyError) as error:
    raise env.refuse("GATEHUB_DATABASE_URL", f"cannot be read: {type(error).__name__}") from None

EMBEDDED = _database["ENGINE"].endswith("sqlite3")
if EMBEDDED:
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # A writer waits for its turn instead of failing half-way.
        "timeout": 30,
        # FULL: an acknowledged write survives a power cut, which WAL with NORMAL does not promise.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
    }
elif _database["ENGINE"].endswith("postgresql"):
    # Threads come and go; connections must not.  See docs/adr/ on the pool.
    _database["OPTIONS"] = _database.get("OPTIONS", {}) | {
        "pool": {
            "min_size": 1,
            "max_size": env.integer("GATEHUB_DATABASE_POOL", 16, least=1),
            "timeout": 20,
            "connection_class": pooled.Session,
        },
        # Of the statements that `accounts.compiled` keeps, from the fifth time on.
        "prepare_threshold": 5 if env.flag("GATEHUB_DATABASE_PREPARE", "1") else None,
    }
    _database["CONN_HEALTH_CHECKS"] = True  # Of a pool's session: the database may have been restarted since.
else:
    raise env.refuse("GATEHUB_DATABASE_URL", "must be a postgres:// or sqlite:/// address")
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Security -------------------------------------------------------------------------------------------------------

DEBUG = env.flag("GATEHUB_DEBUG", "0")
if EMBEDDED:
    DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    SECRET_KEY = env.text("GATEHUB_SECRET_KEY", "") or secret_key.of_data_folder(DATA_DIR)
else:
    SECRET_KEY = env.text("GATEHUB_SECRET_KEY")  # No default: several machines must share it.
if len(SECRET_KEY) < 32:
    raise env.refuse("GATEHUB_SECRET_KEY", "must have at least 32 characters; try `openssl rand -hex 32`")

ALLOWED_HOSTS = [
    *env.words("GATEHUB_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]"),
    urlsplit(PUBLIC_URL).hostname or "",
]
BEHIND_PROXY = env.flag("GATEHUB_BEHIND_PROXY", "0")
"""Trust X-Forwarded-For and X-Forwarded-Proto.  Only when every request comes through a proxy that sets them."""

ADMIN_PATH = env.admin_path("GATEHUB_ADMIN_PATH", "admin")
"""Where the admin is: one or more segments, without a slash at either end."""
REACHED_FROM_HERE_ALONE = not BEHIND_PROXY and all(
    env.is_this_machine(host) for host in (*ALLOWED_HOSTS, env.text("GATEHUB_BIND", "127.0.0.1"))
)
ADMIN_SECOND_FACTOR = env.choice(
    "GATEHUB_ADMIN_SECOND_FACTOR", "optional" if REACHED_FROM_HERE_ALONE else "required", ["required", "optional"]
)
"""Whether the admin is closed to staff without a second factor.  Who has one must use it in either case."""

_secure = PUBLIC_URL.startswith("https://")
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _secure
SECURE_SSL_REDIRECT = _secure
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _secure
SECURE_REFERRER_POLICY = "same-origin"
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "gatehub_session"
CSRF_COOKIE_NAME = "gatehub_csrf"
CSRF_COOKIE_HTTPONLY = False
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_FAILURE_VIEW = "gatehub.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "https:", "data:"],
        "media-src": [SELF, "https:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Signing in elsewhere -------------------------------------------------------------------------------------------

OPEN_SIGNUP = env.flag("GATEHUB_OPEN_SIGNUP", "1")
SOCIALACCOUNT_PROVIDERS = sign_in.providers(open_sign_up=OPEN_SIGNUP)
SOCIALACCOUNT_ADAPTER = "gatehub.web.social_adapter.SocialAdapter"
SOCIALACCOUNT_FORMS = {"signup": "gatehub.web.account_forms.SocialSignupForm"}
SOCIALACCOUNT_REAUTHENTICATION_REQUIRED = True
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10

# --- Django ---------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "accounts",
    "repos",
    "access",
    "notifications",
    "unfold.apps.BasicAppConfig",  # Before the admin, whose templates it replaces.
    "unfold.contrib.filters",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    *(f"allauth.socialaccount.providers.{kind}" for kind in SOCIALACCOUNT_PROVIDERS),
    "anymail",
    "csp",
    "django_celery_beat",
    "drf_spectacular",
    "rest_framework",
    "gatehub.apps.StaffConfig",  # The admin, on the site of `gatehub.staff`.
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "gatehub",  # After those whose admin pages it replaces.
]
MIDDLEWARE = [
    "gatehub.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "gatehub.middleware.PrivatePages",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "gatehub.web.known_browsers.KnownBrowsers",
    "gatehub.middleware.Refusals",
]
ROOT_URLCONF = "gatehub.urls"
WSGI_APPLICATION = "gatehub.wsgi.application"
APPEND_SLASH = False  # A redirect that appends a slash breaks the Hub clients.
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
                "gatehub.web.context.signup",
            ]
        },
    }
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = env.text("GATEHUB_TIME_ZONE", "UTC")
USE_I18N = False
FORMAT_MODULE_PATH = "gatehub.formats"
USE_TZ = True
SILENCED_SYSTEM_CHECKS: list[str] = []

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA_DIR / "files"}},
    "staticfiles": {"BACKEND": "gatehub.static_files.StaticFiles"},
    "lfs": {"BACKEND": "repos.objects.LocalObjectStorage"},
}

# Bodies that are read whole: forms and small JSON.  Uploads are streamed and have limits of their own.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * MIB
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000  # paths-info sends up to 500 paths.
FILE_UPLOAD_HANDLERS = ["gatehub.uploads.NoFiles"]

# --- People ---------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "gatehub.web.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "gatehub.web.forms.SignUpForm"
ACCOUNT_FORMS = {
    "login": "gatehub.web.account_forms.LoginForm",
    "signup": "gatehub.web.account_forms.SignupForm",
    "add_email": "gatehub.web.account_forms.AddEmailForm",
    "change_password": "gatehub.web.account_forms.ChangePasswordForm",
    "set_password": "gatehub.web.account_forms.SetPasswordForm",
    "reset_password": "gatehub.web.account_forms.ResetPasswordForm",
    "reset_password_from_key": "gatehub.web.account_forms.ResetPasswordKeyForm",
    "reauthenticate": "gatehub.web.account_forms.ReauthenticateForm",
}
ACCOUNT_EMAIL_VERIFICATION = env.choice("GATEHUB_EMAIL_VERIFICATION", "mandatory", ["mandatory", "optional"])
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_MAX_EMAIL_ADDRESSES = 5
ACCOUNT_USERNAME_MIN_LENGTH = 2
ACCOUNT_PRESERVE_USERNAME_CASING = True
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[GateHub] "
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(PUBLIC_URL).scheme
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60
"""How long after giving password or factor once more a person may change how they sign in, in seconds."""
MFA_ADAPTER = "gatehub.web.mfa_adapter.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "gatehub.web.factor_forms.AuthenticateForm",
    "authenticate_webauthn": "gatehub.web.factor_forms.AuthenticateWebAuthnForm",
    "reauthenticate": "gatehub.web.factor_forms.ReauthenticateForm",
    "reauthenticate_webauthn": "gatehub.web.factor_forms.ReauthenticateWebAuthnForm",
    "activate_totp": "gatehub.web.factor_forms.ActivateTOTPForm",
    "add_webauthn": "gatehub.web.factor_forms.AddWebAuthnForm",
    "edit_webauthn": "gatehub.web.factor_forms.EditWebAuthnForm",
}
MFA_TOTP_TOLERANCE = 1  # A code is good for the half minute before and after, too: clocks differ, and people type.
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # Of addresses beside the primary one; that one our forms look at.

AUDIT_ADDRESS_DAYS = env.integer("GATEHUB_AUDIT_ADDRESS_DAYS", 365, least=0, most=36500)
"""How long the audit trail remembers IP addresses; 0: for ever."""

# --- Admin ----------------------------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "GateHub",
    "SITE_HEADER": "GateHub",
    "SITE_SUBHEADER": "Staff",
    "SITE_URL": "/",
    "SITE_ICON": lambda _: static("img/favicon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("img/favicon.svg")}],
    "STYLES": [lambda _: static("css/staff-tokens.css"), lambda _: static("css/staff.css")],
    "SCRIPTS": [lambda _: static("js/staff.js")],
    "SHOW_HISTORY": False,  # The audit trail tells more.
    "DASHBOARD_CALLBACK": "gatehub.staff.dashboard.callback",
    "SIDEBAR": {"navigation": "gatehub.staff.navigation.groups"},
}

# --- API ------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "gatehub.authentication.AccessTokenAuthentication",
        "gatehub.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],  # Each view asks access.policy.
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "gatehub.openapi.HubSchema",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "gatehub.negotiation.AnyAccept",
    "EXCEPTION_HANDLER": "gatehub.errors.api_exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,  # `?format=` belongs to the report.
}
SPECTACULAR_SETTINGS = {
    "TITLE": "GateHub",
    "DESCRIPTION": "What this server answers to the Hugging Face tools, and to scripts and CI jobs.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "gatehub.openapi.arrange"],
    "SCHEMA_PATH_PREFIX": r"/api/",
}

# --- Limits and modes -----------------------------------------------------------------------------------------------

LFS_MAX_OBJECT_BYTES = env.integer("GATEHUB_LFS_MAX_OBJECT_BYTES", 50 * GIB, least=1)
REGULAR_FILE_MAX_BYTES = env.integer("GATEHUB_REGULAR_FILE_MAX_BYTES", 10 * MIB, least=1)
"""A file inside a commit body may not be larger; larger ones go the LFS or Xet way."""
COMMIT_MAX_BYTES = env.integer("GATEHUB_COMMIT_MAX_BYTES", 1 * GIB, least=1)
UPLOAD_URL_SECONDS = env.integer("GATEHUB_UPLOAD_URL_SECONDS", 3600, least=1)
"""How long an upload URL or a Xet token may be used."""
LFS_MULTIPART_FROM_BYTES = env.integer("GATEHUB_LFS_MULTIPART_FROM_BYTES", 512 * MIB, least=1)
LFS_PART_BYTES = env.integer("GATEHUB_LFS_PART_BYTES", 64 * MIB, least=5 * MIB)
UPLOAD_LEFTOVERS_HOURS = env.integer("GATEHUB_UPLOAD_LEFTOVERS_HOURS", 24, least=1)
"""What an unfinished upload left behind is swept after this long."""
DOWNLOAD_MODE = env.choice("GATEHUB_DOWNLOAD_MODE", "direct", ["direct", "accel"])
"""`direct`: the app server sends files.  `accel`: nginx does, told by X-Accel-Redirect."""
DEMO = env.flag("GATEHUB_DEMO", "1")
"""Whether `make up` makes demo content, once."""
GATEHUB_GEOIP_DB = env.existing_file("GATEHUB_GEOIP_DB")
GATEHUB_LOCAL_COUNTRY = env.country("GATEHUB_LOCAL_COUNTRY")
"""Where private addresses are, which no database knows: a country's two letters.  Empty: not known."""

# --- Mail -----------------------------------------------------------------------------------------------------------

_mail = email_url.read()
EMAIL_BACKEND = _mail.backend
EMAIL_HOST = _mail.smtp.get("EMAIL_HOST", "localhost")
EMAIL_PORT = _mail.smtp.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = _mail.smtp.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = _mail.smtp.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = _mail.smtp.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.smtp.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = email_url.timeout()
MAILS_PER_HOUR = env.integer("GATEHUB_MAILS_PER_HOUR", 60, least=10)
"""So many mails about requests an address gets within an hour; what comes beyond, as a summary each ten minutes."""
MAIL_LEASE_SECONDS = env.integer("GATEHUB_MAIL_LEASE_SECONDS", 30, least=1)
"""How long nobody else sends what a worker had in hand when it was killed."""
MAIL_LOG_DAYS = env.integer("GATEHUB_MAIL_LOG_DAYS", 90, least=7)
"""How long it is kept what became of a mail."""
DIGEST_HOUR = env.integer("GATEHUB_DIGEST_HOUR", 8, least=0, most=23)
"""When the daily digests go out, in GATEHUB_TIME_ZONE.  The schedule in the admin may say otherwise."""
EMAIL_FILE_PATH = DATA_DIR / "mail"
ANYMAIL = dict(_mail.anymail)
MAIL_SERVICE = _mail.service
"""The mail service, by django-anymail's name; empty for SMTP and files."""
MAIL_WEBHOOKS = _mail.webhooks
"""Whether the service's reports on mails are taken: only when it can prove who it is."""
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.mailbox(
    "GATEHUB_FROM_EMAIL", f"GateHub <gatehub@{urlsplit(PUBLIC_URL).hostname}>"
)

# --- Background work ------------------------------------------------------------------------------------------------

REDIS_URL = env.text("GATEHUB_REDIS_URL", "")
if REDIS_URL:
    if not REDIS_URL.startswith(("redis://", "rediss://")):
        raise env.refuse("GATEHUB_REDIS_URL", "must start with redis:// or rediss://")
    CELERY_BROKER_URL = REDIS_URL
    # Whoever tells a worker of something is in the middle of an answer, and a sweep does what nobody was told of.
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, int | str | bool] = {
        "max_retries": 0,
        "interval_start": 0,
        "socket_connect_timeout": 2,
        "socket_timeout": 4,  # More than the second for which a worker waits for tasks at a time.
    }
    _redis = {"LOCATION": REDIS_URL, "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2}}
    CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", **_redis},
        "kept": {"BACKEND": "gatehub.caches.ForgivingRedisCache", **_redis},
    }
else:
    CELERY_BROKER_URL = "filesystem://"
    _queue = DATA_DIR / "broker"
    # One folder for both ends: what web puts in, the worker takes out.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_queue / "queue"),
        "data_folder_out": str(_queue / "queue"),
        "control_folder": str(_queue / "control"),
        "store_processed": False,
    }
    try:
        for _folder in (_queue / "queue", _queue / "control"):
            _folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ImproperlyConfigured(f"GATEHUB_DATA_DIR: cannot be written: {error}") from None
    CACHES = {
        # Limits are counted here, and count for all processes.
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "gatehub_limits",
            "OPTIONS": {"MAX_ENTRIES": 100_000},  # Beyond, those go that have expired, then any.
        },
        "kept": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "kept"},
    }
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "gatehub.schedules:Scheduler"
"""What the settings say is written to the database once; an operator may change it there, in the admin."""
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "sweep leftovers of broken uploads": {"task": "repos.tasks.sweep_leftovers", "schedule": 3600.0},
    "tidy git repositories": {"task": "repos.tasks.tidy_repositories", "schedule": 24 * 3600.0},
    "bring repos up to date with their heads": {"task": "repos.tasks.sync_heads", "schedule": 300.0},
    "resume bulk reviews": {"task": "access.tasks.resume_bulk_reviews", "schedule": 60.0},
    "send digests": {"task": "notifications.tasks.send_digests", "schedule": crontab(hour=DIGEST_HOUR, minute=0)},
    # A sweep that no worker took in time is worthless: the next one does its work.
    "send what is due": {"task": "notifications.tasks.sweep", "schedule": 10.0, "options": {"expire_seconds": 30}},
    "forget addresses in the audit trail": {"task": "accounts.tasks.forget_addresses", "schedule": 24 * 3600.0},
    "forget old mails": {"task": "notifications.tasks.forget_old_mails", "schedule": 24 * 3600.0},
}

# --- Logging --------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "gatehub": {"level": env.choice("GATEHUB_LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"])},
        "django.request": {"level": "ERROR"},  # Refusals are answers, not incidents.
        "kombu.connection": {"level": "ERROR"},  # The filesystem broker has no host name, and needs none.
        "django.security.DisallowedHost": {"handlers": [], "propagate": False},
    },
}
