"""Reads the body of a routed request as far as every API has it alike."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_runtime.decision.request.answers import refusal
from vsr_runtime.decision.request.body import Body, BodyError, read_body
from vsr_runtime.decision.request.events import Answer
from vsr_runtime.decision.request.headers import too_large


def read_request(data: bytes, field: str, max_body: int) -> Body | Answer:
    """The body, which then has a model's name and the API's field, or the refusal.

    Args:
        data: what the client sent.
        field: what carries the request: a text or a list.
        max_body: bytes that a body may have.
    """
    if len(data) > max_body:
        return too_large(max_body)
    body = read_json(data)
    if isinstance(body, Answer):
        return body
    return _missing(body.values, field) or body


def read_json(data: bytes) -> Body | Answer:
    """The body, or the refusal of one that is no JSON object which everybody reads alike."""
    try:
        return read_body(data)
    except BodyError as error:
        return refusal(400, error.code, str(error))


def _missing(values: Mapping[str, object], field: str) -> Answer | None:
    model = values.get("model")
    if not isinstance(model, str) or not model:
        return refusal(400, "missing_model", "The body must have a 'model', as text.", param="model")
    if values.get(field) is None:
        return refusal(400, f"missing_{field}", f"The body must have '{field}'.", param=field)
    if not isinstance(values[field], str | list):
        return refusal(400, "invalid_request", f"'{field}' must be text or a list.", param=field)
    return None
