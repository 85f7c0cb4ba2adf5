"""A response that came whole: what guards find in it, and the client's own values put back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from vsr_runtime.decision.guards.edit import masked
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.guards.guard_input import Hit, Matter
from vsr_runtime.decision.guards.leaves import Placed, leaves
from vsr_runtime.decision.guards.mask import Book, BookFullError, Unmasker, mentions
from vsr_runtime.decision.request.detector_coroutine import Asking, Looks, Questions
from vsr_runtime.decision.request.events import Answer, Cause, GuardMatch
from vsr_runtime.decision.request.guard_answers import blocked, failed, too_long, unreadable
from vsr_runtime.decision.request.response_plan import ResponsePlan
from vsr_runtime.decision.request.stream_parts import ARGUMENTS
from vsr_runtime.decision.view import Expired, OutOfTimeError

UNREADABLE = frozenset({"logprobs", "prompt_logprobs", "prompt_token_ids", "token_ids", "top_logprobs"})
"""Fields that say the text once more, in pieces that no guard can read."""
OWN = frozenset(
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
REMEMBERED = 4096
"""Texts known to be harmless: what every event of a stream repeats is read once."""


def inspect(
    plan: ResponsePlan, text: str, values: object, book: Book, expired: Expired, harmless: set[str] | None = None
) -> Asking[tuple[str, tuple[GuardMatch, ...]] | Answer]:
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
    hits: list[Hit] = []
    try:
        matter = Matter(text, values, expired)
    except OutOfTimeError:
        closed = next((guard for guard in plan.guards if not guard.passes_errors), None)
        return (text, ()) if closed is None else failed(plan.api, closed, Cause.TIMEOUT, RESPONSE)
    if harmless is not None and not matter.unreadable and harmless.issuperset(matter.texts):
        return text, ()
    questions = _questions(plan, matter, values)
    looks = (yield questions) if questions else {guard.detector: () for guard in plan.guards if guard.detector}
    for guard in plan.guards:
        found = _found(plan, guard, matter, expired, looks)
        if isinstance(found, Answer):
            return found
        if isinstance(found, Cause):
            matches.append(GuardMatch(guard.name, guard.action, found))
        elif found:
            matches.append(GuardMatch(guard.name, guard.action))
            hits += found if guard.action == "mask" else ()
    if harmless is not None and not matches and len(harmless) < REMEMBERED:
        harmless.update(matter.texts)
    try:
        return masked(text, matter, hits, book), tuple(matches)
    except BookFullError:
        guard = next(guard for guard in plan.guards if guard.action == "mask")
        return failed(plan.api, guard, Cause.BROKEN, RESPONSE)


def _questions(plan: ResponsePlan, matter: Matter, values: object) -> Questions:
    """What detectors must look at: nothing where no text is anybody's but the server's own."""
    asked = {guard.detector for guard in plan.guards if guard.detector and _unread(plan, guard, matter) is None}
    if not asked:
        return {}
    own = own_words(values)
    texts = tuple("" if text in own else read for text, read in zip(matter.texts, matter.readings, strict=True))
    return dict.fromkeys(sorted(asked), texts) if any(texts) else {}


def _unread(plan: ResponsePlan, guard: Guard, matter: Matter) -> Answer | None:
    if matter.tokens > guard.max_tokens:
        return too_long(plan.api, guard, RESPONSE)
    if matter.unreadable and not guard.passes_unreadable:
        return unreadable(plan.api, guard, RESPONSE)
    return None


def _found(
    plan: ResponsePlan, guard: Guard, matter: Matter, expired: Expired, looks: Looks
) -> tuple[Hit, ...] | Cause | Answer:
    """What one guard finds; the cause where it could not look and lets that pass; the error where it does not."""
    unread = _unread(plan, guard, matter)
    if unread is not None:
        return unread
    cause = looks.get(guard.detector, Cause.BROKEN) if guard.detector else None
    try:
        if isinstance(cause, Cause):
            return cause if guard.passes_errors else failed(plan.api, guard, cause, RESPONSE)
        found = matter.hits(guard, expired, {name: look for name, look in looks.items() if not isinstance(look, Cause)})
    except OutOfTimeError:
        return Cause.TIMEOUT if guard.passes_errors else failed(plan.api, guard, Cause.TIMEOUT, RESPONSE)
    return blocked(plan.api, guard, RESPONSE) if found and guard.action == "block" else found


def own_words(values: object) -> frozenset[str]:
    """What the server says of the response, which is no text of the model's: ids, names of types, times.

    Detectors are not asked about it: they were trained on sentences. Patterns read it like all else.
    """
    found: set[str] = set()
    waiting = [values]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                if key in OWN and isinstance(value, str | int) and _WORD.fullmatch(str(value)):
                    found.add(str(value))
                elif key not in ARGUMENTS and key != "input":  # there the keys are the model's
                    waiting.append(value)
        elif isinstance(node, list):
            waiting += node
    return frozenset(found)


def restored(text: str, restore: Mapping[str, str]) -> str:
    """The document with the client's own values for their placeholders, encoded as the place needs it."""
    if not mentions(text, restore):
        return text
    parts: list[str] = []
    last = 0
    for leaf in leaves(text):
        if leaf.within is not None or not leaf.quoted or "[" not in leaf.value:
            continue
        value = unmasked(leaf.value, encoded(restore) if leaf.key in ARGUMENTS else restore)
        if value != leaf.value:
            end = Placed(leaf).at(len(leaf.value))
            parts += [text[last : leaf.start], json.dumps(value, ensure_ascii=False)[1:-1]]
            last = end
    return "".join([*parts, text[last:]])


def unmasked(text: str, restore: Mapping[str, str]) -> str:
    """A text with the values."""
    each = unmasker(restore)
    return each.feed(text) + each.end()


def unmasker(restore: Mapping[str, str]) -> Unmasker:
    """Puts values back piece by piece."""
    book = Book()
    book.values = dict(restore)
    return Unmasker(book)


def encoded(restore: Mapping[str, str]) -> dict[str, str]:
    """The values as they stand inside a JSON text."""
    return {given: json.dumps(value, ensure_ascii=False)[1:-1] for given, value in restore.items()}


def without_pieces(values: object) -> bool:
    """Take out of a document what says its text once more. Returns whether there was any."""
    changed = False
    waiting = [values]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            for key in UNREADABLE & node.keys():
                changed = changed or bool(node[key])
                node[key] = None
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return changed
