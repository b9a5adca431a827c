"""Pages, all under a language prefix."""

from django.urls import path

from audit import views, views_orders

app_name = "audit"
urlpatterns = [
    path("", views.landing, name="landing"),
    path("scan/", views.scan, name="scan"),
    path("privacy/", views.privacy, name="privacy"),
    path("deleted/", views.deleted, name="deleted"),
    path("r/<str:token>/", views.result, name="result"),
    path("r/<str:token>/report", views.report, name="report"),
    path("r/<str:token>/delete", views.delete, name="delete"),
    path("order/", views_orders.order, name="order"),
    path("order/<str:token>/", views_orders.status, name="order-status"),
    path("order/<str:token>/pay", views_orders.pay, name="order-pay"),
    path("order/<str:token>/cancel", views_orders.cancel, name="order-cancel"),
    path("order/<str:token>/receipt", views_orders.receipt, name="order-receipt"),
    path("order/<str:token>/link", views_orders.link, name="order-link"),
    path("order/<str:token>/report", views_orders.report, name="order-report"),
]
