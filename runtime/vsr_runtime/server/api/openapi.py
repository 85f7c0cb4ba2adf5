"""The OpenAPI 3.1 document, generated from the models."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from vsr_runtime.decision.request.headers import MODELS_PATH
from vsr_runtime.server.api.endpoints import ENDPOINTS, OPENAPI, Endpoint
from vsr_runtime.server.api.shapes import ErrorResponse, LabelScore, ModelList
from vsr_schemas.version import VERSION

_REF = "#/components/schemas/"
ERRORS = {
    400: "The body is no JSON that every parser reads alike: broken, a key twice, not UTF-8, nested too deep.",
    404: "No such path or place in the text, or nothing is loaded that could answer: no such classifier, no such type.",
    405: "Another method.",
    408: "The body did not come in time.",
    413: "The body is larger than `limits.maxBody`.",
    415: "The body is compressed, or not `application/json` in UTF-8.",
    422: "The body has another shape.",
    429: "Too much is in work; `retry-after` says when to try again.",
    500: "A fault of the runtime.",
    503: "Not ready, not in time, or a classifier failed; `retry-after` says when to try again.",
}
"""The statuses besides 200."""


def document() -> dict[str, Any]:
    """Generate the document: a new dict that can be serialised as JSON."""
    shapes: list[tuple[type, JsonSchemaMode]] = [(endpoint.request, "validation") for endpoint in ENDPOINTS.values()]
    shapes += [(shape, "serialization") for endpoint in ENDPOINTS.values() for shape in endpoint.responses]
    shapes += [(ModelList, "serialization"), (ErrorResponse, "serialization")]
    _, schemas = models_json_schema(shapes, ref_template=_REF + "{model}")
    paths = {path: {"post": _operation(path, endpoint)} for path, endpoint in ENDPOINTS.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vsr-runtime",
            "version": VERSION,
            "description": "What a routing policy's classifiers, guards and decisions say of a text. No model is "
            "called, and nothing is sent on. Clients are not authenticated.",
        },
        "paths": {
            **paths,
            MODELS_PATH: {"get": _reading("Names that a client may give as a model.", _content(_ref(ModelList)), 503)},
            OPENAPI: {"get": _reading("This document.", _content({"type": "object"}))},
        },
        "components": {"schemas": schemas["$defs"]},
    }


def _operation(path: str, endpoint: Endpoint) -> dict[str, Any]:
    answers: list[dict[str, Any]] = [
        {"type": "array", "items": _ref(one)} if one is LabelScore else _ref(one) for one in endpoint.responses
    ]
    if endpoint.listed:
        one = {"type": "array", "items": answers[0]}
        answers = [one, {"type": "array", "items": one}]
    schema = answers[0] if len(answers) == 1 else {"anyOf": answers}
    trace = {
        "name": "trace",
        "in": "query",
        "schema": {"enum": ["true", "false"]},
        "description": "Every rule's trace.",
    }
    return {
        "summary": endpoint.summary,
        "operationId": path.strip("/").replace("/", "_"),
        **({"parameters": [trace]} if endpoint.traced else {}),
        "requestBody": {"required": True, "content": _content(_ref(endpoint.request))},
        "responses": _responses(_content(schema), *ERRORS),
    }


def _reading(summary: str, content: dict[str, Any], *errors: int) -> dict[str, Any]:
    return {"summary": summary, "responses": _responses(content, 405, *errors)}


def _responses(content: dict[str, Any], *errors: int) -> dict[str, Any]:
    errors_by_status = {
        str(status): {"description": ERRORS[status], "content": _content(_ref(ErrorResponse))} for status in errors
    }
    return {"200": {"description": "The answer.", "content": content}, **errors_by_status}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _ref(shape: type) -> dict[str, str]:
    return {"$ref": _REF + shape.__name__}
