"""Pages, all under a language prefix."""

from django.urls import path

from audit.pages import library as views_library
from audit.pages import method as views_method
from audit.pages import orders as views_orders
from audit.pages import receipts as views_receipts
from audit.pages import scan as views
from audit.pages import site as views_site
from audit.pages import yours

app_name = "audit"
urlpatterns = [
    path("", views.landing, name="landing"),
    path("scan/", views.scan, name="scan"),
    path("privacy/", views.privacy, name="privacy"),
    path("incidents/", views_library.incidents, name="incidents"),
    path("incidents/cases.json", views_library.cases_json, name="cases-json"),
    path("incidents/<slug:slug>/", views_library.incident, name="incident"),
    path("method/", views_method.method, name="method"),
    path("method/bank.json", views_method.bank_json, name="bank"),
    path("terms/", views_orders.terms_page, name="terms"),
    path("about/", views_site.about, name="about"),
    path("approvals/", views_site.approvals, name="approvals"),
    path("hacked/", views_site.hacked, name="hacked"),
    path("deleted/", views.deleted, name="deleted"),
    path("r/<str:token>/", views.result, name="result"),
    path("r/<str:token>/report", views.report, name="report"),
    path("r/<str:token>/events", views.events, name="events"),
    path("r/<str:token>/new-version", views_receipts.new_version, name="new-version"),
    path("receipt/", views_receipts.receipt, name="receipt"),
    path("r/<str:token>/delete", views.delete, name="delete"),
    path("r/<str:token>/again", views.again, name="again"),
    path("r/<str:token>/fixes", yours.fixes, name="fixes"),
    path("r/<str:token>/replay/", yours.replay, name="replay"),
    path("r/<str:token>/plan.ics", yours.plan_ics, name="plan"),
    path("r/<str:token>/print", yours.plain_print, name="print"),
    path("r/<str:token>/export.md", yours.export_markdown, name="export-md"),
    path("r/<str:token>/export.json", yours.export_json, name="export-json"),
    path("r/<str:token>/share", yours.share, name="share"),
    path("r/<str:token>/unshare", yours.unshare, name="unshare"),
    path("s/<str:token>/", yours.card, name="card"),
    path("order/", views_orders.order, name="order"),
    path("order/sample/", views_orders.sample, name="order-sample"),
    path("order/<str:token>/", views_orders.status, name="order-status"),
    path("order/<str:token>/pay", views_orders.pay, name="order-pay"),
    path("order/<str:token>/cancel", views_orders.cancel, name="order-cancel"),
    path("order/<str:token>/withdraw", views_orders.withdraw, name="order-withdraw"),
    path("order/<str:token>/receipt", views_orders.receipt, name="order-receipt"),
    path("order/<str:token>/link", views_orders.link, name="order-link"),
    path("order/<str:token>/report", views_orders.report, name="order-report"),
]
