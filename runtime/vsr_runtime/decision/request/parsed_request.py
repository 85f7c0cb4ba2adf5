"""A request that was read: what a decision, its guards and the way out need of it."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.request.cache_key import Caller
from vsr_runtime.decision.request.events import ImmediateResponse
from vsr_runtime.decision.request.guard_evaluation import GuardEvaluation
from vsr_runtime.decision.request.immediate_responses import body_too_large_response, error_response
from vsr_runtime.decision.request.json_body import BodyError, JsonBody, read_body
from vsr_runtime.decision.view import RequestView


@fast_dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A request that can be read.

    Attributes:
        body: what the client sent.
        api: what it came by.
        seed: what its split is drawn by.
        named: the model that the client named; None where the choice is left to the router.
        view: what the choice looks at; None where the model is named.
        inquiry: what its guards find; None where there are none.
        told: whether the client is told what was chosen.
        caller: who asks; None where no answer is kept.
    """

    body: JsonBody
    api: Api
    seed: bytes
    named_model: str | None = None
    view: RequestView | None = None
    evaluation: GuardEvaluation | None = None
    debug: bool = False
    caller: Caller | None = None


def read_request(data: bytes, field: str, max_body: int) -> JsonBody | ImmediateResponse:
    """The body, which then has a model's name and the API's field, or the refusal.

    Args:
        data: what the client sent.
        field: what carries the request: a text or a list.
        max_body: bytes that a body may have.
    """
    if len(data) > max_body:
        return body_too_large_response(max_body)
    body = read_json(data)
    if isinstance(body, ImmediateResponse):
        return body
    return _missing_field_response(body.values, field) or body


def read_json(data: bytes) -> JsonBody | ImmediateResponse:
    """The body, or the refusal of one that is no JSON object which everybody reads alike."""
    try:
        return read_body(data)
    except BodyError as error:
        return error_response(400, error.code, str(error))


def _missing_field_response(values: Mapping[str, object], field: str) -> ImmediateResponse | None:
    model = values.get("model")
    if not isinstance(model, str) or not model:
        return error_response(400, "missing_model", "The body must have a 'model', as text.", param="model")
    if values.get(field) is None:
        return error_response(400, f"missing_{field}", f"The body must have '{field}'.", param=field)
    if not isinstance(values[field], str | list):
        return error_response(400, "invalid_request", f"'{field}' must be text or a list.", param=field)
    return None
