"""URL map: health, API and admin outside the language prefix, every page inside it."""

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

from guardlabs.operations import health, metrics

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("v1/", include("llm.gateway.urls")),
    path("admin/", admin.site.urls),
    path("", include("audit.urls_root")),
    path("", include("llm.gateway.urls_root")),
    *i18n_patterns(path("", include("audit.urls"))),
]
handler404 = "guardlabs.web.doors.not_found"
handler500 = "guardlabs.web.doors.server_error"
handler403 = "audit.pages.errors.forbidden"
handler400 = "guardlabs.web.doors.bad_request"
