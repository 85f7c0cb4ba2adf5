"""What the request line and the headers alone decide: the endpoint, and everything that is refused unread."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import quote

from vsr_runtime.decision.apis.endpoints import ENDPOINTS, ApiEndpoint
from vsr_runtime.decision.program.effects import ProviderCredentials
from vsr_runtime.decision.request.cache_recording import CachedResponse
from vsr_runtime.decision.request.events import ImmediateResponse, RequestHeaders, ResponsePlan, SendToModel
from vsr_runtime.decision.request.immediate_responses import (
    body_too_large_response,
    error_response,
    model_list_response,
)
from vsr_runtime.decision.request.parsed_request import ParsedRequest
from vsr_schemas.headers import CACHE_HIT, CACHE_SIMILARITY, CATEGORY, CREDENTIALS, DECISION, PATH, SELECTED

_JSON_TYPE = re.compile(r'application/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?', re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,19}")
MODELS_PATH = "/v1/models"


def single_values(event: RequestHeaders) -> Mapping[str, str]:
    """The values of the headers that stand exactly once: twice is as good as not at all."""
    found = dict(event.headers)
    if len(found) == len(event.headers):
        return found
    times = Counter(name for name, _ in event.headers)
    return {name: value for name, value in found.items() if times[name] == 1}


def read_headers(
    event: RequestHeaders, given: Mapping[str, str], names: Iterable[str], max_body: int
) -> ApiEndpoint | ImmediateResponse:
    """The endpoint that the request is for, or the answer that it gets without its body being read.

    Args:
        event: request line and headers.
        given: of these the `only_values`.
        names: what ``GET /v1/models`` lists.
        max_body: bytes that a body may have.
    """
    method = given.get(":method", "")
    path = given.get(":path", "").partition("?")[0]
    if path == MODELS_PATH:
        return model_list_response(names) if method == "GET" else _wrong_method_response("GET")
    endpoint = ENDPOINTS.get(path)
    if endpoint is None:
        served = ", ".join((*ENDPOINTS, MODELS_PATH))
        return error_response(404, "not_found", f"This path is not served here. Served are {served}.")
    if method != "POST":
        return _wrong_method_response("POST")
    return content_error(event, max_body) or endpoint


def content_error(event: RequestHeaders, max_body: int) -> ImmediateResponse | None:
    """The answer to a body that cannot be read, by what the headers say of it."""
    about: dict[str, list[str]] = {"content-encoding": [], "content-type": [], "content-length": []}
    for key, value in event.headers:
        if key in about:
            about[key].append(value)
    if not {encoding.strip().lower() for encoding in about["content-encoding"]} <= {"", "identity"}:
        return error_response(
            415, "unsupported_encoding", "A compressed body cannot be read. Send it without encoding."
        )
    kinds = about["content-type"]
    if len(kinds) != 1 or not _JSON_TYPE.fullmatch(kinds[0].strip()):
        return error_response(415, "unsupported_content_type", "The content type must be application/json in UTF-8.")
    if any(_LENGTH.fullmatch(length) and int(length) > max_body for length in about["content-length"]):
        return body_too_large_response(max_body)
    if event.end_of_stream:
        return error_response(400, "invalid_json", "The request has no body.")
    return None


def _wrong_method_response(allowed: str) -> ImmediateResponse:
    return error_response(405, "method_not_allowed", f"This path takes {allowed} only.", headers=(("allow", allowed),))


UPSTREAM_PATH = "upstream"
"""The way of what a model answers. An answer of our own goes by its code; an error says by itself what it is."""
CACHE_PATH = "cache"
CACHE_HIT_CODE = "cache_hit"
"""The code of an answer that was kept."""
_FIRST_ERROR_STATUS = 400


def with_debug_headers(
    asked: ParsedRequest, action: SendToModel | ImmediateResponse
) -> SendToModel | ImmediateResponse:
    """The action with what is to be told of it, if the client is told anything."""
    if not asked.debug:
        return action
    if isinstance(action, ImmediateResponse):
        said = () if action.status >= _FIRST_ERROR_STATUS else _decision_headers(action, action.code)
        return replace(action, headers=(*action.headers, *said))
    plan = action.response or ResponsePlan(asked.api)
    tell = ((SELECTED, action.model), *_decision_headers(action, UPSTREAM_PATH))
    return replace(action, response=replace(plan, debug_headers=tell))


def cached_response(route: SendToModel, kept: CachedResponse, similarity: float | None) -> ImmediateResponse:
    """A kept answer in the place of a route; ``similarity`` to what it was given to, None where that was the same."""
    tell = route.response.debug_headers if route.response else None
    said: list[tuple[str, str]] = []
    if tell is not None:
        said = [*((name, value) for name, value in tell if name != PATH), (PATH, CACHE_PATH), (CACHE_HIT, "true")]
        said += [] if similarity is None else [(CACHE_SIMILARITY, f"{similarity:.4f}")]
    headers = (("content-type", kept.content_type), *said)
    return ImmediateResponse(200, kept.body, CACHE_HIT_CODE, headers, route.route, route.signals, guards=route.guards)


def _decision_headers(action: SendToModel | ImmediateResponse, path: str) -> tuple[tuple[str, str], ...]:
    """Names may hold what a header cannot, so they are percent-encoded, apart from blanks."""
    found = [(DECISION, action.route), (CATEGORY, action.signals.category if action.signals else None)]
    return (*((name, quote(value, safe=" /:")) for name, value in found if value is not None), (PATH, path))


Headers = tuple[tuple[str, str], ...]


def apply_credentials(
    set_headers: Headers, removed: tuple[str, ...], outside: ProviderCredentials
) -> tuple[Headers, tuple[str, ...]]:
    """The headers that a request for a provider outside the cluster gets, and those that it loses.

    A header that the policy's route sets is the policy's own word and stays, except where the key goes.
    """
    key = () if outside.value is None else ((outside.header, outside.value),)
    ours = {name for name, _ in key}
    kept = tuple((name, value) for name, value in set_headers if name.lower() not in ours)
    given = ours | {name.lower() for name, _ in kept}
    gone = [name for name in removed if name.lower() not in ours]
    gone += [name for name in CREDENTIALS if name not in given and name not in gone]
    return (*kept, *key), tuple(gone)
