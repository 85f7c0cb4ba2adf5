"""What a client is told of the way that its request took, in headers of its response."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from vsr_runtime.decision.request.events import Answer, Route
from vsr_runtime.decision.request.parsed_request import Asked
from vsr_runtime.decision.request.recording import Kept
from vsr_runtime.decision.request.response_plan import ResponsePlan
from vsr_schemas.headers import CACHE_HIT, CACHE_SIMILARITY, CATEGORY, DECISION, PATH, SELECTED

UPSTREAM = "upstream"
"""The way of what a model answers. An answer of our own goes by its code; an error says by itself what it is."""
CACHED = "cache"
HIT = "cache_hit"
"""The code of an answer that was kept."""
_ERROR = 400


def told(asked: Asked, action: Route | Answer) -> Route | Answer:
    """The action with what is to be told of it, if the client is told anything."""
    if not asked.told:
        return action
    if isinstance(action, Answer):
        said = () if action.status >= _ERROR else _way(action, action.code)
        return replace(action, headers=(*action.headers, *said))
    plan = action.response or ResponsePlan(asked.api)
    tell = ((SELECTED, action.model), *_way(action, UPSTREAM))
    return replace(action, response=replace(plan, tell=tell))


def from_cache(route: Route, kept: Kept, similarity: float | None) -> Answer:
    """A kept answer in the place of a route; ``similarity`` to what it was given to, None where that was the same."""
    tell = route.response.tell if route.response else None
    said: list[tuple[str, str]] = []
    if tell is not None:
        said = [*((name, value) for name, value in tell if name != PATH), (PATH, CACHED), (CACHE_HIT, "true")]
        said += [] if similarity is None else [(CACHE_SIMILARITY, f"{similarity:.4f}")]
    headers = (("content-type", kept.kind), *said)
    return Answer(200, kept.body, HIT, headers, route.route, route.signals, guards=route.guards)


def _way(action: Route | Answer, path: str) -> tuple[tuple[str, str], ...]:
    """Names may hold what a header cannot, so they are percent-encoded, apart from blanks."""
    found = [(DECISION, action.route), (CATEGORY, action.signals.category if action.signals else None)]
    return (*((name, quote(value, safe=" /:")) for name, value in found if value is not None), (PATH, path))
