"""What lives outside the language prefix: the front door, what robots read, the API and Stripe's webhook."""

from django.urls import path

from audit.api.views import api
from audit.orders import webhook as payments_webhook
from audit.pages import scan as views
from audit.pages import site as views_site

urlpatterns = [
    path("", views.front_door, name="front-door"),
    path("robots.txt", views_site.robots, name="robots"),
    path("sitemap.xml", views_site.sitemap, name="sitemap"),
    path(".well-known/security.txt", views_site.security_txt, name="security-txt"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("api/", api.urls),
    path("stripe/webhook", payments_webhook.webhook, name="stripe-webhook"),
]
