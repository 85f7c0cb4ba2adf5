"""Headers: checks of request headers, debug headers of responses, and credentials for external providers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote, unquote

from vsr_runtime.decision.apis.endpoints import ENDPOINTS, Api, ApiEndpoint, endpoint_of
from vsr_runtime.decision.ask.display import describe
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.program.effects import ProviderCredentials
from vsr_runtime.decision.request.cache_recording import CachedResponse
from vsr_runtime.decision.request.events import (
    Action,
    ImmediateResponse,
    RequestHeaders,
    ResponsePlan,
    SendToModel,
)
from vsr_runtime.decision.request.form_body import boundary_of
from vsr_runtime.decision.request.immediate_responses import (
    body_too_large_response,
    error_response,
    in_form_of,
    model_list_response,
    model_response,
    not_found_response,
)
from vsr_runtime.decision.request.parsed_request import ParsedRequest
from vsr_runtime.decision.view import RequestView
from vsr_schemas.headers import ASK, CACHE_HIT, CACHE_SIMILARITY, CATEGORY, DECISION, PATH, SELECTED

_JSON_TYPE = re.compile(r'application/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?', re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,19}")
MODELS_PATH = "/v1/models"
UPSTREAM_PATH = "upstream"
"""Value of the path header for responses of a model. Immediate responses use their code; errors have none."""
CACHE_PATH = "cache"
CACHE_HIT_CODE = "cache_hit"
"""Code of a cached response."""
_FIRST_ERROR_STATUS = 400
Headers = tuple[tuple[str, str], ...]


@fast_dataclass(frozen=True, slots=True)
class Accepted:
    """The endpoint of a request whose headers are in order, and the boundary of its form; None for JSON."""

    endpoint: ApiEndpoint
    boundary: bytes | None = None


def single_values(event: RequestHeaders) -> Mapping[str, str]:
    """Return the values of headers that occur exactly once. A duplicated header counts as missing."""
    values = dict(event.headers)
    if len(values) == len(event.headers):
        return values
    counts = Counter(name for name, _ in event.headers)
    return {name: value for name, value in values.items() if counts[name] == 1}


def read_headers(
    event: RequestHeaders, values: Mapping[str, str], names: Sequence[str], apis: Collection[str], max_body: int
) -> Accepted | ImmediateResponse:
    """Return the endpoint of a request, or the response that needs no body.

    Args:
        event: the request line and headers.
        values: its `single_values`.
        names: the model names for ``GET /v1/models``.
        apis: the paths that some model serves.
        max_body: maximum bytes of a body.
    """
    method = values.get(":method", "")
    path = values.get(":path", "").partition("?")[0]
    if path == MODELS_PATH or path.startswith(f"{MODELS_PATH}/"):
        return _models(method, path, values, names)
    endpoint = endpoint_of(path)
    if endpoint is None or endpoint.api.value not in apis:
        served = ", ".join((*(served for served in ENDPOINTS if served in apis), MODELS_PATH))
        return not_found_response(path, f"This path is not supported. Supported paths: {served}.")
    if method not in endpoint.methods:
        return _wrong_method_response(*endpoint.methods, api=endpoint.api)
    if endpoint.stored:
        error = None if event.end_of_stream else _body_error(endpoint.api)
        return error or Accepted(endpoint)
    error = content_error(event, max_body, endpoint.api, form=endpoint.form)
    if error or not endpoint.form:
        return error or Accepted(endpoint)
    return Accepted(endpoint, boundary_of(values.get("content-type", "")))


def _body_error(api: Api) -> ImmediateResponse:
    return error_response(400, "invalid_request", f"{api.value} takes no body.")


def _models(method: str, path: str, values: Mapping[str, str], names: Sequence[str]) -> ImmediateResponse:
    """Return the list of models, or one of them. A name may contain slashes, or be percent-encoded."""
    anthropic = "anthropic-version" in values
    if method not in ("GET", "HEAD"):
        return _wrong_method_response("GET", "HEAD", api=Api.MESSAGES if anthropic else Api.CHAT)
    if path == MODELS_PATH:
        return model_list_response(names, anthropic=anthropic)
    response = model_response(unquote(path.removeprefix(f"{MODELS_PATH}/")), names, anthropic=anthropic)
    return in_form_of(Api.MESSAGES, response) if anthropic else response


def content_error(
    event: RequestHeaders, max_body: int, api: Api = Api.CHAT, *, form: bool = False
) -> ImmediateResponse | None:
    """Return the error for a body that cannot be read, according to the headers; None if there is none."""
    content: dict[str, list[str]] = {"content-encoding": [], "content-type": [], "content-length": []}
    for key, value in event.headers:
        if key in content:
            content[key].append(value)
    if not {encoding.strip().lower() for encoding in content["content-encoding"]} <= {"", "identity"}:
        return error_response(
            415, "unsupported_encoding", "A compressed body cannot be read. Send it without encoding."
        )
    types = content["content-type"]
    if form and (len(types) != 1 or boundary_of(types[0]) is None):
        message = "The content type must be multipart/form-data with a boundary."
        return error_response(415, "unsupported_content_type", message)
    if not form and (len(types) != 1 or not _JSON_TYPE.fullmatch(types[0].strip())):
        return error_response(415, "unsupported_content_type", "The content type must be application/json in UTF-8.")
    if any(_LENGTH.fullmatch(length) and int(length) > max_body for length in content["content-length"]):
        return body_too_large_response(max_body, api)
    if event.end_of_stream:
        return error_response(400, "invalid_form" if form else "invalid_json", "The request has no body.")
    return None


def _wrong_method_response(*allowed: str, api: Api = Api.CHAT) -> ImmediateResponse:
    message = f"This path only supports {' and '.join(allowed)}."
    response = error_response(405, "method_not_allowed", message, headers=(("allow", ", ".join(allowed)),))
    return in_form_of(api, response)


def api_of(path: str) -> Api:
    """Return the API in whose form errors about a path are."""
    return Api.MESSAGES if path.startswith(Api.MESSAGES.value) else Api.CHAT


def for_client(api: Api, cors: Headers, action: Action) -> Action:
    """Return the action with errors in the form of the API, and with the headers for the page that asks."""
    if isinstance(action, ImmediateResponse):
        action = in_form_of(api, action)
        return replace(action, headers=(*action.headers, *cors)) if cors else action
    if cors and isinstance(action, SendToModel):
        return replace(action, response=replace(action.response or ResponsePlan(api), cors=cors))
    return action


def with_debug_headers(
    parsed: ParsedRequest, action: SendToModel | ImmediateResponse, view: RequestView | None
) -> SendToModel | ImmediateResponse:
    """Return the action with debug headers. ``view`` is what was decided on."""
    if isinstance(action, ImmediateResponse):
        debug = (
            ()
            if action.status >= _FIRST_ERROR_STATUS
            else (*_decision_headers(action, action.code), *_ask_headers(parsed.api, view))
        )
        return replace(action, headers=(*action.headers, *debug))
    plan = action.response or ResponsePlan(parsed.api)
    debug = ((SELECTED, action.model), *_decision_headers(action, UPSTREAM_PATH), *_ask_headers(parsed.api, view))
    return replace(action, response=replace(plan, debug_headers=debug))


def cached_response(route: SendToModel, cached: CachedResponse, similarity: float | None) -> ImmediateResponse:
    """Return a cached response instead of an action. ``similarity`` is None if the request was identical."""
    plan_headers = route.response.debug_headers if route.response else None
    debug: list[tuple[str, str]] = []
    if plan_headers is not None:
        debug = [
            *((name, value) for name, value in plan_headers if name != PATH),
            (PATH, CACHE_PATH),
            (CACHE_HIT, "true"),
        ]
        debug += [] if similarity is None else [(CACHE_SIMILARITY, f"{similarity:.4f}")]
    headers = (("content-type", cached.content_type), *debug)
    return ImmediateResponse(200, cached.body, CACHE_HIT_CODE, headers, route.route, route.signals, guards=route.guards)


def _ask_headers(api: Api, view: RequestView | None) -> tuple[tuple[str, str], ...]:
    """Return where the ask is in the body, such as ``messages[3].content[1] 120-188; tag``, without its text."""
    if view is None or view.ask_rules is None:
        return ()
    return (
        (
            ASK,
            "none" if view.ask is None else describe(view.ask, view.transcript, ENDPOINTS[api.value].fields[0]),
        ),
    )


def _decision_headers(action: SendToModel | ImmediateResponse, path: str) -> tuple[tuple[str, str], ...]:
    """Return the debug headers. Names may contain characters that headers cannot, so they are percent-encoded."""
    headers = [(DECISION, action.route), (CATEGORY, action.signals.category if action.signals else None)]
    return (*((name, quote(value, safe=" /:")) for name, value in headers if value is not None), (PATH, path))


def apply_credentials(
    set_headers: Headers,
    removed: tuple[str, ...],
    outside: ProviderCredentials,
    path: str,
    sent: Collection[str] = (),
) -> tuple[Headers, tuple[str, ...]]:
    """Return the headers to set and remove for a request to a model that needs credentials.

    The client's credentials are removed and the provider's key is set, in a header or in the query of the path. Headers
    that the policy's route sets are kept unless they conflict with the key. Envoy 1.38.3 was seen to overwrite headers
    with ADD_IF_ABSENT here, so ``sent`` names the default headers that the client sends itself.
    """
    key = () if outside.value is None else ((outside.header, outside.value),)
    if outside.query or outside.chat_path:
        own_path = outside.chat_path or path
        key = (*key, (":path", f"{own_path}?{outside.query}" if outside.query else own_path))
    key = (*key, *outside.fixed)
    ours = {name for name, _ in key}
    kept = tuple((name, value) for name, value in set_headers if name.lower() not in ours)
    replaced = ours | {name.lower() for name, _ in kept}
    removed_names = [name for name in removed if name.lower() not in ours]
    own = {*sent, *(name.lower() for name, _ in kept)}
    defaults = tuple((name, value) for name, value in outside.defaults if name not in own)
    removed_names += [name for name in outside.removed if name not in replaced and name not in removed_names]
    return (*kept, *defaults, *key), tuple(removed_names)
