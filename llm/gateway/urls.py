"""`path("v1/", include("llm.gateway.urls"))`"""

from django.urls import path, re_path

from llm.gateway import views

urlpatterns = [
    path("chat/completions", views.completions, name="gateway-completions"),
    path("models", views.models, name="gateway-models"),
    path("models/<path:name>", views.model, name="gateway-model"),
    path("openapi.json", views.description, name="gateway-openapi"),
    re_path(r"^(?P<rest>.*)$", views.nothing),
]
