"""A response that came whole: what guards find in it, and the client's own values put back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from vsr_runtime.decision.deadline import DeadlineExceededError, Expired
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.guards.guard_input import GuardInput, Match
from vsr_runtime.decision.guards.json_texts import TextPosition, json_texts
from vsr_runtime.decision.guards.masking import (
    PlaceholderMap,
    TooManyPlaceholdersError,
    Unmasker,
    has_placeholder,
    mask_document,
)
from vsr_runtime.decision.request.detectors import DetectorCoroutine, DetectorResults, DetectorTexts
from vsr_runtime.decision.request.events import Cause, GuardMatch, ImmediateResponse, ResponsePlan
from vsr_runtime.decision.request.immediate_responses import (
    blocked_response,
    guard_failed_response,
    too_long_response,
    unreadable_response,
)
from vsr_runtime.decision.request.stream_pieces import ARGUMENT_FIELDS

TOKEN_FIELDS = frozenset({"logprobs", "prompt_logprobs", "prompt_token_ids", "token_ids", "top_logprobs"})
"""Fields that say the text once more, in pieces that no guard can read."""
SERVER_FIELDS = frozenset(
    {
        "call_id",
        "completed_at",
        "created",
        "created_at",
        "id",
        "item_id",
        "model",
        "object",
        "response_id",
        "service_tier",
        "status",
        "system_fingerprint",
        "tool_call_id",
        "type",
    }
)
"""Fields in which the server speaks of the response."""
_WORD = re.compile(r"[\w.:/-]{1,128}", re.ASCII)
RESPONSE = "response"
MAX_CLEAN_TEXTS = 4096
"""Texts known to be harmless: what every event of a stream repeats is read once."""


def inspect_document(
    plan: ResponsePlan,
    text: str,
    values: object,
    book: PlaceholderMap,
    expired: Expired,
    harmless: set[str] | None = None,
) -> DetectorCoroutine[tuple[str, tuple[GuardMatch, ...]] | ImmediateResponse]:
    """The document as the client may have it, still with placeholders, and which guards found something; or the error.

    Args:
        plan: what is to be done.
        text: the document, valid JSON.
        values: what it holds.
        book: of what is masked in the response.
        expired: says when the time is up.
        harmless: texts that need not be read once more, of which nothing that is no text is one. It learns of those in
            which nothing was found, as far as it may grow.
    """
    matches: list[GuardMatch] = []
    found_texts: list[Match] = []
    try:
        matter = GuardInput(text, values, expired)
    except DeadlineExceededError:
        closed = next((guard for guard in plan.guards if not guard.passes_errors), None)
        return (text, ()) if closed is None else guard_failed_response(plan.api, closed, Cause.TIMEOUT, RESPONSE)
    if harmless is not None and not matter.unreadable and harmless.issuperset(matter.texts):
        return text, ()
    questions = _detector_texts(plan, matter, values)
    looks = (yield questions) if questions else {guard.detector: () for guard in plan.guards if guard.detector}
    for guard in plan.guards:
        found = _guard_matches(plan, guard, matter, expired, looks)
        if isinstance(found, ImmediateResponse):
            return found
        if isinstance(found, Cause):
            matches.append(GuardMatch(guard.name, guard.action, found))
        elif found:
            matches.append(GuardMatch(guard.name, guard.action))
            found_texts += found if guard.action == "mask" else ()
    if harmless is not None and not matches and len(harmless) < MAX_CLEAN_TEXTS:
        harmless.update(matter.texts)
    try:
        return mask_document(text, matter, found_texts, book), tuple(matches)
    except TooManyPlaceholdersError:
        guard = next(guard for guard in plan.guards if guard.action == "mask")
        return guard_failed_response(plan.api, guard, Cause.BROKEN, RESPONSE)


def _detector_texts(plan: ResponsePlan, matter: GuardInput, values: object) -> DetectorTexts:
    """What detectors must look at: nothing where no text is anybody's but the server's own."""
    asked = {
        guard.detector for guard in plan.guards if guard.detector and _unreadable_rejection(plan, guard, matter) is None
    }
    if not asked:
        return {}
    own = server_words(values)
    texts = tuple("" if text in own else read for text, read in zip(matter.texts, matter.readings, strict=True))
    return dict.fromkeys(sorted(asked), texts) if any(texts) else {}


def _unreadable_rejection(plan: ResponsePlan, guard: Guard, matter: GuardInput) -> ImmediateResponse | None:
    if matter.tokens > guard.max_tokens:
        return too_long_response(plan.api, guard, RESPONSE)
    if matter.unreadable and not guard.passes_unreadable:
        return unreadable_response(plan.api, guard, RESPONSE)
    return None


def _guard_matches(
    plan: ResponsePlan, guard: Guard, matter: GuardInput, expired: Expired, looks: DetectorResults
) -> tuple[Match, ...] | Cause | ImmediateResponse:
    """What one guard finds; the cause where it could not look and lets that pass; the error where it does not."""
    unread = _unreadable_rejection(plan, guard, matter)
    if unread is not None:
        return unread
    cause = looks.get(guard.detector, Cause.BROKEN) if guard.detector else None
    try:
        if isinstance(cause, Cause):
            return cause if guard.passes_errors else guard_failed_response(plan.api, guard, cause, RESPONSE)
        found = matter.matches(
            guard, expired, {name: look for name, look in looks.items() if not isinstance(look, Cause)}
        )
    except DeadlineExceededError:
        return Cause.TIMEOUT if guard.passes_errors else guard_failed_response(plan.api, guard, Cause.TIMEOUT, RESPONSE)
    return blocked_response(plan.api, guard, RESPONSE) if found and guard.action == "block" else found


def server_words(values: object) -> frozenset[str]:
    """What the server says of the response, which is no text of the model's: ids, names of types, times.

    Detectors are not asked about it: they were trained on sentences. Patterns read it like all else.
    """
    found: set[str] = set()
    waiting = [values]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                if key in SERVER_FIELDS and isinstance(value, str | int) and _WORD.fullmatch(str(value)):
                    found.add(str(value))
                elif key not in ARGUMENT_FIELDS and key != "input":  # there the keys are the model's
                    waiting.append(value)
        elif isinstance(node, list):
            waiting += node
    return frozenset(found)


def restore_values(text: str, restore: Mapping[str, str]) -> str:
    """The document with the client's own values for their placeholders, encoded as the place needs it."""
    if not has_placeholder(text, restore):
        return text
    parts: list[str] = []
    last = 0
    for leaf in json_texts(text):
        if leaf.within is not None or not leaf.quoted or "[" not in leaf.value:
            continue
        value = _unmask(leaf.value, json_escaped(restore) if leaf.key in ARGUMENT_FIELDS else restore)
        if value != leaf.value:
            end = TextPosition(leaf).at(len(leaf.value))
            parts += [text[last : leaf.start], json.dumps(value, ensure_ascii=False)[1:-1]]
            last = end
    return "".join([*parts, text[last:]])


def _unmask(text: str, restore: Mapping[str, str]) -> str:
    """A text with the values."""
    each = new_unmasker(restore)
    return each.feed(text) + each.end()


def new_unmasker(restore: Mapping[str, str]) -> Unmasker:
    """Puts values back piece by piece."""
    book = PlaceholderMap()
    book.values = dict(restore)
    return Unmasker(book)


def json_escaped(restore: Mapping[str, str]) -> dict[str, str]:
    """The values as they stand inside a JSON text."""
    return {given: json.dumps(value, ensure_ascii=False)[1:-1] for given, value in restore.items()}


def clear_token_fields(values: object) -> bool:
    """Take out of a document what says its text once more. Returns whether there was any."""
    changed = False
    waiting = [values]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            for key in TOKEN_FIELDS & node.keys():
                changed = changed or bool(node[key])
                node[key] = None
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return changed
