"""A parsed request, and the checks of its body that all APIs share."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_runtime.decision.apis.endpoints import Api, ApiEndpoint
from vsr_runtime.decision.ask.extract import AskRules
from vsr_runtime.decision.deadline import DeadlineExceededError, Expired, never
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.program.context_length import NO_DEMAND, TokenDemand
from vsr_runtime.decision.request.cache_key import Caller
from vsr_runtime.decision.request.events import Cause, ImmediateResponse
from vsr_runtime.decision.request.form_body import FormBody, read_form
from vsr_runtime.decision.request.guard_evaluation import GuardEvaluation
from vsr_runtime.decision.request.immediate_responses import (
    body_too_large_response,
    error_response,
    undecided_response,
)
from vsr_runtime.decision.request.json_body import TOO_COMPLEX, BodyError, JsonBody, read_body
from vsr_runtime.decision.selection.observations import Observations
from vsr_runtime.decision.view import RequestView


@fast_dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A parsed request.

    Attributes:
        body: the client's body.
        api: the API of the request.
        seed: identifies the request, and determines the share of a split unless there is a conversation.
        named_model: the model that the client named; None if the router chooses.
        view: what signals read; None if the client named the model.
        evaluation: the evaluation of its guards; None without guards.
        debug: whether the client gets debug headers.
        caller: the client; None if no response is cached.
        query: whether the path has a query.
        client: who sends it; None if nobody is authenticated.
        conversation: the key of the conversation, which determines the share of a split; None if each request has its
            own.
        form: the form that ``body`` stands for; None if the client sent JSON.
        demand: the tokens of a model's context that the request needs.
        cors: headers of the response for the browser that asks.
        moved: the model to which a limit moves it; None if none does.
        observed: what was observed of models; None if nothing was.
        sent: the default headers of providers that the client sends itself.
    """

    body: JsonBody
    api: Api
    seed: bytes
    named_model: str | None = None
    view: RequestView | None = None
    evaluation: GuardEvaluation | None = None
    debug: bool = False
    caller: Caller | None = None
    query: bool = False
    form: FormBody | None = None
    demand: TokenDemand = NO_DEMAND
    cors: tuple[tuple[str, str], ...] = ()
    conversation: bytes | None = None
    sent: frozenset[str] = frozenset()
    client: Client | None = None
    moved: str | None = None
    observed: Observations | None = None

    @property
    def split_seed(self) -> bytes:
        """What determines the share of a split."""
        return self.seed if self.conversation is None else self.conversation


@fast_dataclass(frozen=True, slots=True)
class ReadBody:
    """A body that was read before the policy that decides was known.

    Attributes:
        read: the body, or an error.
        view: what signals read; None if the API has none.
        rules: how the person's ask was extracted for it.
    """

    read: JsonBody | FormBody | ImmediateResponse
    view: RequestView | None = None
    rules: AskRules | None = None


def read_request(
    data: bytes, endpoint: ApiEndpoint, max_body: int, expired: Expired = never, boundary: bytes | None = None
) -> JsonBody | FormBody | ImmediateResponse:
    """Return the body, which has a model name and the API's content, or an error.

    Args:
        data: the client's body.
        endpoint: the API, which has fields for the request's content.
        max_body: maximum bytes of a body.
        expired: the deadline.
        boundary: the boundary of a form; None for JSON.
    """
    if len(data) > max_body:
        return body_too_large_response(max_body, endpoint.api)
    body = read_json(data, expired) if boundary is None else _read_form(data, boundary)
    if isinstance(body, ImmediateResponse):
        return body
    values = body.document.values if isinstance(body, FormBody) else body.values
    return _missing_field_response(values, endpoint) or body


def _read_form(data: bytes, boundary: bytes) -> FormBody | ImmediateResponse:
    try:
        return read_form(data, boundary)
    except BodyError as error:
        return error_response(400, error.code, str(error))


def read_json(data: bytes, expired: Expired = never) -> JsonBody | ImmediateResponse:
    """Return the body, or an error if it is not a JSON object that all parsers read alike."""
    try:
        return read_body(data, expired)
    except BodyError as error:
        return error_response(400 if error.code != TOO_COMPLEX else 413, error.code, str(error))
    except DeadlineExceededError:
        return undecided_response(Cause.TIMEOUT)


def edit_form(form: FormBody, document: bytes) -> bytes | ImmediateResponse:
    """Return a form with the texts of an edited document."""
    body = read_json(document)
    if isinstance(body, ImmediateResponse):
        return body
    try:
        return form.edited(body.values)
    except BodyError as error:
        return error_response(415, error.code, str(error))


def _missing_field_response(values: Mapping[str, object], endpoint: ApiEndpoint) -> ImmediateResponse | None:
    model = values.get("model")
    if not isinstance(model, str) or not model:
        return error_response(400, "missing_model", "The body must have a 'model', as text.", param="model")
    first = endpoint.fields[0]
    if all(values.get(name) is None for name in endpoint.fields):
        allowed = " or ".join(f"'{name}'" for name in endpoint.fields)
        return error_response(400, f"missing_{first}", f"The body must have {allowed}.", param=first)
    if endpoint.view_of is not None and not isinstance(values.get(first), str | list | None):
        return error_response(400, "invalid_request", f"'{first}' must be text or a list.", param=first)
    return None
