"""`path("v1/", include("llm.gateway.urls"))`. A slash at the end makes no difference."""

from django.urls import re_path

from llm.gateway import views

doors = [
    re_path(r"^chat/completions/?$", views.chat, name="gateway-completions"),
    re_path(r"^completions/?$", views.completions, name="gateway-text-completions"),
    re_path(r"^embeddings/?$", views.embeddings, name="gateway-embeddings"),
    re_path(r"^responses/?$", views.responses, name="gateway-responses"),
    re_path(r"^responses/(?P<id>[^/]+)/?$", views.response, name="gateway-response"),
    re_path(r"^messages/?$", views.messages, name="gateway-messages"),
    re_path(r"^messages/count_tokens/?$", views.count_tokens, name="gateway-count-tokens"),
    re_path(r"^quota/?$", views.quota_left, name="gateway-quota"),
    re_path(r"^models/?$", views.models, name="gateway-models"),
    re_path(r"^models/(?P<name>.+?)/?$", views.model, name="gateway-model"),
]
urlpatterns = [
    re_path(r"^$", views.index, name="gateway"),
    *doors,
    re_path(r"^openapi\.json$", views.description, name="gateway-openapi"),
    re_path(r"^(?P<rest>.*)$", views.nothing),
]
