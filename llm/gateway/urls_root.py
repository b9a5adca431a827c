"""`path("", include("llm.gateway.urls_root"))`: the doors without their prefix, for clients that leave it out.

Place it last among what has no prefix of its own.
"""

from django.urls import re_path

from llm.gateway import urls, views

urlpatterns = [re_path(r"^v1$", views.index), *urls.doors]
