"""Pages, all under a language prefix."""

from django.urls import path

from audit import views, views_library, views_method, views_receipts, views_site

app_name = "audit"
urlpatterns = [
    path("", views.landing, name="landing"),
    path("scan/", views.scan, name="scan"),
    path("privacy/", views.privacy, name="privacy"),
    path("incidents/", views_library.incidents, name="incidents"),
    path("incidents/<slug:slug>/", views_library.incident, name="incident"),
    path("method/", views_method.method, name="method"),
    path("method/bank.json", views_method.bank_json, name="bank"),
    path("hacked/", views_site.hacked, name="hacked"),
    path("deleted/", views.deleted, name="deleted"),
    path("r/<str:token>/", views.result, name="result"),
    path("r/<str:token>/report", views.report, name="report"),
    path("r/<str:token>/events", views.events, name="events"),
    path("r/<str:token>/new-version", views_receipts.new_version, name="new-version"),
    path("receipt/", views_receipts.receipt, name="receipt"),
    path("r/<str:token>/delete", views.delete, name="delete"),
]
