"""What lives outside the language prefix: the front door, robots.txt, the API and Stripe's webhook."""

from django.urls import path

from audit import payments_webhook, views
from audit.api import api

urlpatterns = [
    path("", views.front_door, name="front-door"),
    path("robots.txt", views.robots, name="robots"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("api/", api.urls),
    path("stripe/webhook", payments_webhook.webhook, name="stripe-webhook"),
]
