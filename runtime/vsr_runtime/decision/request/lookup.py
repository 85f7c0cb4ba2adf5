"""Under which key the answer to a request is kept; and which have none, since their answers are for them alone.

The key is everything that the answer depends on: the client, unless the policy shares answers, the API, the decision,
the model, and every byte that the model gets. A request that is only alike has the same group: the same of all that,
but for the words of its last turn, whose numbers and negations must be the same as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from hashlib import sha256
from typing import Any

from vsr_runtime.decision.program.effects import Caching
from vsr_runtime.decision.request.apis import ENDPOINTS, Api
from vsr_runtime.decision.request.parsed_request import Asked
from vsr_runtime.decision.request.verdict import Verdict

LIVE = (
    "background",
    "container",
    "conversation",
    "functions",
    "mcp_servers",
    "previous_response_id",
    "tools",
    "web_search_options",
)
"""Fields by which an answer does something, or depends on what a server remembers or looks up."""
_MARKED = re.compile(
    r"\w*\d[\w.,]*|\w+n['\u2019]t\b|\b(?:cannot|never|no|nobody|none|nor|not|nothing|without)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Lookup:
    """Where an answer is looked for and kept.

    Attributes:
        api: the API that the client speaks.
        key: stands for this request.
        rule: whether it must be this request, and for how long an answer is kept.
        group: stands for requests that differ in the words of their last turn; None where only this one will do.
        text: these words. Never shown.
    """

    api: Api
    key: bytes
    rule: Caching
    group: bytes | None = None
    text: str = attribute(default="", repr=False)


def lookup(asked: Asked, rule: Caching, decision: str, model: str, sent: bytes, verdict: Verdict) -> Lookup | None:
    """The place of the answer, or None where there is none to be kept.

    Args:
        asked: the request.
        rule: of its decision.
        decision: the decision's name.
        model: the model that it goes to.
        sent: the body that the model gets.
        verdict: what guards found: then the answer is for this request alone.
    """
    caller = asked.caller
    if caller is None or caller.fresh or verdict.matches:
        return None
    whose = b"" if rule.shared else caller.identity
    values = asked.body.values
    if whose is None or any(values.get(name) for name in LIVE) or _remembered(asked.api, values):
        return None
    place = [rule.shared, whose, caller.manner, asked.api.value, decision, model]
    key = _hash(place, sent)
    field = ENDPOINTS[asked.api.value].field
    text = _last_turn(values.get(field)) if rule.similarity is not None else ""
    if not text:
        return Lookup(asked.api, key, rule)
    return Lookup(asked.api, key, rule, _group(place, sent, field, text), text)


def _remembered(api: Api, values: Mapping[str, object]) -> bool:
    """Whether the server keeps the answer as well: by default it does so with responses."""
    return values.get("store", api is Api.RESPONSES) is not False


def _last_turn(given: object) -> str:
    """The text of a conversation's last turn, where that is the user's and nothing but text."""
    if isinstance(given, str):
        return given
    last = given[-1] if isinstance(given, list) and given else None
    if not isinstance(last, dict) or last.get("role") != "user":
        return ""
    content = last.get("content")
    return content if isinstance(content, str) else ""


def _group(place: list[object], sent: bytes, field: str, text: str) -> bytes:
    """Stands for all but the words of the last turn; of these it holds numbers and negations."""
    values: dict[str, Any] = json.loads(sent)
    given = values[field]
    values[field] = None if isinstance(given, str) else [*given[:-1], given[-1] | {"content": None}]
    rest = json.dumps(values, sort_keys=True).encode()
    return _hash([*place, sorted(found.lower() for found in _MARKED.findall(text))], rest)


def _hash(place: list[object], data: bytes) -> bytes:
    return sha256(repr(place).encode("utf-8", "replace") + b"\0" + data).digest()
