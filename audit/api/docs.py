"""The API's documentation as a plain page: no script and no third party, under the site's strict CSP."""

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase


class PlainDocs(DocsBase):
    """Lists the operations of the OpenAPI schema. English, like the schema."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        schema = api.get_openapi_schema(path_params=kwargs)
        with translation.override("en"):
            return render(
                request,
                "audit/api_docs.html",
                {
                    "info": schema["info"],
                    "openapi_url": self.get_openapi_url(api, kwargs),
                    "operations": list(operations(schema)),
                    "schemas": list(schemas(schema)),
                },
            )


def operations(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each operation with what it takes, an example call and what it answers."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            yield {
                "method": method.upper(),
                "path": path,
                "anchor": operation["operationId"],
                "summary": operation["summary"],
                "description": operation.get("description", ""),
                "parameters": operation.get("parameters", []),
                "curl": _curl(method.upper(), path, body.get("example")),
                "responses": [
                    {"status": status, "schema": _reference(response)}
                    for status, response in operation["responses"].items()
                ],
            }


def schemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each object of the schema with its fields."""
    for name, definition in schema["components"]["schemas"].items():
        yield {
            "name": name,
            "fields": [
                {"name": field, "type": _type(details), "description": details.get("description", "")}
                for field, details in definition.get("properties", {}).items()
            ],
        }


def _curl(method: str, path: str, example: Any) -> str:
    address = f"{settings.SITE_URL}{path}"
    if example is None:
        return f"curl {address}"
    body = json.dumps(example, indent=2)
    return f"curl -X {method} {address} \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'"


def _reference(response: dict[str, Any]) -> str:
    content = response.get("content", {}).get("application/json", {}).get("schema", {})
    return str(content.get("$ref", "")).rpartition("/")[2]


def _type(details: dict[str, Any]) -> str:
    if "$ref" in details:
        return str(details["$ref"]).rpartition("/")[2]
    if "enum" in details:
        return " | ".join(json.dumps(value) for value in details["enum"])
    if "anyOf" in details:
        return " | ".join(_type(each) for each in details["anyOf"])
    if details.get("type") == "array":
        return f"list of {_type(details.get('items', {}))}"
    return str(details.get("type", "any"))
