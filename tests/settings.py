"""Settings of the test run: the product's own, with a throw-away key, fast hashing and no outside world."""

import os
import tempfile

os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "k" * 50)
os.environ.setdefault("ENCRYPTION_KEYS", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
os.environ.setdefault("SCAN_RATE", "off")
os.environ.setdefault("SITE_URL", "http://testserver")
os.environ.setdefault("ALLOWED_HOSTS", "testserver,localhost,127.0.0.1")

from guardlabs.settings import *  # noqa: F403
from guardlabs.settings import CACHES, DATABASES, STORAGES

LLM_MAINTAIN_AFTER_CALLS = True  # as in a product without a worker
LLM_ALLOW_PRIVATE_HOSTS = ["127.0.0.0/8", "::1"]  # where the simulator is
STRIPE_SECRET_KEY = STRIPE_WEBHOOK_SECRET = ""  # whatever the developer's shell has set
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = True  # nothing is collected for tests
CACHES = {
    name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": name} for name in CACHES
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: threads and processes of a test share it as production's workers do.
    # As long as fifty threads take on a slow machine; in a copy, since the product's own is tested too.
    DATABASES["default"]["OPTIONS"] = {**DATABASES["default"]["OPTIONS"], "timeout": 120}
    DATABASES["default"]["TEST"] = {"NAME": f"{tempfile.gettempdir()}/guardlabs-test-{os.getpid()}.sqlite3"}
LLM_BOOKS = "request"  # calls that begin on a loop use the connection of their test
