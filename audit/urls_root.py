"""What lives outside the language prefix: the front door, robots.txt and the API."""

from django.urls import path
from django.views.generic import RedirectView

from audit import views
from audit.api import api

urlpatterns = [
    path("", views.front_door, name="front-door"),
    path("robots.txt", views.robots, name="robots"),
    path("favicon.ico", RedirectView.as_view(url="/static/audit/favicon.svg"), name="favicon"),
    path("api/", api.urls),
]
