"""What the request line and the headers alone decide: the endpoint, and everything that is refused unread."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from vsr_runtime.decision.request.answers import model_list, refusal
from vsr_runtime.decision.request.apis import ENDPOINTS, Endpoint
from vsr_runtime.decision.request.events import Answer, RequestHeaders

_JSON_TYPE = re.compile(r'application/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?', re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,19}")
MODELS_PATH = "/v1/models"


def only_values(event: RequestHeaders) -> Mapping[str, str]:
    """The values of the headers that stand exactly once: twice is as good as not at all."""
    found = dict(event.headers)
    if len(found) == len(event.headers):
        return found
    times = Counter(name for name, _ in event.headers)
    return {name: value for name, value in found.items() if times[name] == 1}


def read_headers(
    event: RequestHeaders, given: Mapping[str, str], names: Iterable[str], max_body: int
) -> Endpoint | Answer:
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
        return model_list(names) if method == "GET" else _wrong_method("GET")
    endpoint = ENDPOINTS.get(path)
    if endpoint is None:
        served = ", ".join((*ENDPOINTS, MODELS_PATH))
        return refusal(404, "not_found", f"This path is not served here. Served are {served}.")
    if method != "POST":
        return _wrong_method("POST")
    return refused_content(event, max_body) or endpoint


def refused_content(event: RequestHeaders, max_body: int) -> Answer | None:
    """The answer to a body that cannot be read, by what the headers say of it."""
    about: dict[str, list[str]] = {"content-encoding": [], "content-type": [], "content-length": []}
    for key, value in event.headers:
        if key in about:
            about[key].append(value)
    if not {encoding.strip().lower() for encoding in about["content-encoding"]} <= {"", "identity"}:
        return refusal(415, "unsupported_encoding", "A compressed body cannot be read. Send it without encoding.")
    kinds = about["content-type"]
    if len(kinds) != 1 or not _JSON_TYPE.fullmatch(kinds[0].strip()):
        return refusal(415, "unsupported_content_type", "The content type must be application/json in UTF-8.")
    if any(_LENGTH.fullmatch(length) and int(length) > max_body for length in about["content-length"]):
        return too_large(max_body)
    if event.end_of_stream:
        return refusal(400, "invalid_json", "The request has no body.")
    return None


def too_large(max_body: int) -> Answer:
    """413 with the bound that holds here."""
    return refusal(413, "body_too_large", f"The body is larger than {max_body} bytes.")


def _wrong_method(allowed: str) -> Answer:
    return refusal(405, "method_not_allowed", f"This path takes {allowed} only.", headers=(("allow", allowed),))
