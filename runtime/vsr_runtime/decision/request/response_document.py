"""Inspection of a whole response by guards, and restoring of the client's masked values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from vsr_runtime.decision.deadline import BudgetExceededError, DeadlineExceededError, Expired
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
    ambiguous_response,
    blocked_response,
    guard_failed_response,
    too_complex_response,
    too_long_response,
    unreadable_response,
)
from vsr_runtime.decision.request.json_body import BodyError, read_body
from vsr_runtime.decision.request.stream_pieces import ARGUMENT_FIELDS

TOKEN_FIELDS = frozenset({"logprobs", "prompt_logprobs", "prompt_token_ids", "token_ids", "top_logprobs"})
"""Fields that repeat the text in pieces that guards cannot read."""
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
"""Fields of metadata that the server writes."""
_WORD = re.compile(r"[\w.:/-]{1,128}", re.ASCII)
RESPONSE = "response"
MAX_CLEAN_TEXTS = 4096
"""Number of clean texts that are remembered, so that texts which every event of a stream repeats are read once."""


def inspect_document(
    plan: ResponsePlan,
    text: str,
    values: object,
    placeholders: PlaceholderMap,
    expired: Expired,
    clean_texts: set[str] | None = None,
) -> DetectorCoroutine[tuple[str, tuple[GuardMatch, ...]] | ImmediateResponse]:
    """Return the masked document and the guards that matched, or the rejection.

    Args:
        plan: the plan for the response.
        text: the document, valid JSON.
        values: the parsed document.
        placeholders: the placeholders of the response.
        expired: the deadline.
        clean_texts: texts that need not be read again; updated with texts in which nothing was found, up to a limit.
    """
    matches: list[GuardMatch] = []
    masked: list[Match] = []
    try:
        guard_input = GuardInput(text, values, expired)
    except BudgetExceededError:
        return too_complex_response(plan.api, plan.guards[0], RESPONSE) if plan.guards else (text, ())
    except DeadlineExceededError:
        closed = next((guard for guard in plan.guards if not guard.passes_errors), None)
        return (text, ()) if closed is None else guard_failed_response(plan.api, closed, Cause.TIMEOUT, RESPONSE)
    every = (*guard_input.texts, *guard_input.lines)
    if clean_texts is not None and not guard_input.unreadable and clean_texts.issuperset(every):
        return text, ()
    texts = _detector_texts(plan, guard_input, values)
    results = (yield texts) if texts else {guard.detector: () for guard in plan.guards if guard.detector}
    for guard in plan.guards:
        result = _guard_matches(plan, guard, guard_input, expired, results)
        if isinstance(result, ImmediateResponse):
            return result
        if isinstance(result, Cause):
            matches.append(GuardMatch(guard.name, guard.action, result))
        elif result:
            matches.append(GuardMatch(guard.name, guard.action))
            masked += result if guard.action == "mask" else ()
    if clean_texts is not None and not matches and len(clean_texts) < MAX_CLEAN_TEXTS:
        clean_texts.update(every)
    try:
        return mask_document(text, guard_input, masked, placeholders), tuple(matches)
    except TooManyPlaceholdersError:
        guard = next(guard for guard in plan.guards if guard.action == "mask")
        return guard_failed_response(plan.api, guard, Cause.BROKEN, RESPONSE)


def inspect_values(
    plan: ResponsePlan, text: str, values: object, expired: Expired
) -> DetectorCoroutine[tuple[str, tuple[GuardMatch, ...]] | ImmediateResponse]:
    """Return a whole JSON document, masked and with the client's values restored, or the rejection.

    Fields that repeat the text in pieces are cleared if guards read the document.

    Args:
        plan: the plan for the response.
        text: the document, valid JSON.
        values: the parsed document; changed in place.
        expired: the deadline.
    """
    if plan.guards and clear_token_fields(values):
        text = json.dumps(values, ensure_ascii=False)
    placeholders = PlaceholderMap()
    for placeholder in plan.restore:
        placeholders.reserve(placeholder)
    inspected = yield from inspect_document(plan, text, values, placeholders, expired)
    if isinstance(inspected, ImmediateResponse):
        return inspected
    changed, matches = inspected
    changed = restore_values(changed, plan.restore)
    if changed != text and not is_unambiguous(changed):
        return ambiguous_response(plan.api)
    return changed, matches


def is_unambiguous(text: str) -> bool:
    """Return whether all parsers read a changed document alike: replaced keys must not equal others."""
    try:
        read_body(text.encode("utf-8", "surrogatepass"))
    except BodyError as error:
        return error.code != "duplicate_key"
    return True


def _detector_texts(plan: ResponsePlan, guard_input: GuardInput, values: object) -> DetectorTexts:
    """Return the texts that detectors must read; none if all texts are the server's metadata."""
    detectors = {
        guard.detector
        for guard in plan.guards
        if guard.detector and _unreadable_rejection(plan, guard, guard_input) is None
    }
    if not detectors:
        return {}
    own = server_words(values)
    texts = tuple(
        "" if text in own else read for text, read in zip(guard_input.texts, guard_input.readings, strict=True)
    )
    return dict.fromkeys(sorted(detectors), texts) if any(texts) else {}


def _unreadable_rejection(plan: ResponsePlan, guard: Guard, guard_input: GuardInput) -> ImmediateResponse | None:
    if guard_input.tokens > guard.max_tokens:
        return too_long_response(plan.api, guard, RESPONSE)
    if guard_input.unreadable and not guard.passes_unreadable:
        return unreadable_response(plan.api, guard, RESPONSE)
    return None


def _guard_matches(
    plan: ResponsePlan, guard: Guard, guard_input: GuardInput, expired: Expired, results: DetectorResults
) -> tuple[Match, ...] | Cause | ImmediateResponse:
    """Return a guard's matches, the cause of an ignored failure, or the rejection."""
    rejection = _unreadable_rejection(plan, guard, guard_input)
    if rejection is not None:
        return rejection
    cause = results.get(guard.detector, Cause.BROKEN) if guard.detector else None
    try:
        if isinstance(cause, Cause):
            return cause if guard.passes_errors else guard_failed_response(plan.api, guard, cause, RESPONSE)
        matches = guard_input.matches(
            guard, expired, {name: result for name, result in results.items() if not isinstance(result, Cause)}
        )
    except BudgetExceededError:
        return too_complex_response(plan.api, guard, RESPONSE)
    except DeadlineExceededError:
        return Cause.TIMEOUT if guard.passes_errors else guard_failed_response(plan.api, guard, Cause.TIMEOUT, RESPONSE)
    return blocked_response(plan.api, guard, RESPONSE) if matches and guard.action == "block" else matches


def server_words(values: object) -> frozenset[str]:
    """Return the server's metadata in a response: ids, names of types, times.

    Detectors do not read it, because they are trained on sentences. Patterns read it like all text.
    """
    words: set[str] = set()
    pending = [values]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                if key in SERVER_FIELDS and isinstance(value, str | int) and _WORD.fullmatch(str(value)):
                    words.add(str(value))
                elif key not in ARGUMENT_FIELDS and key != "input":  # the model writes keys below these
                    pending.append(value)
        elif isinstance(node, list):
            pending += node
    return frozenset(words)


def restore_values(text: str, restore: Mapping[str, str]) -> str:
    """Return the document with placeholders replaced by the client's values, JSON-encoded where necessary."""
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
    """Return the text with values restored."""
    unmasker = new_unmasker(restore)
    return unmasker.feed(text) + unmasker.end()


def new_unmasker(restore: Mapping[str, str]) -> Unmasker:
    """Return an unmasker with these values."""
    placeholders = PlaceholderMap()
    placeholders.values = dict(restore)
    return Unmasker(placeholders)


def json_escaped(restore: Mapping[str, str]) -> dict[str, str]:
    """Return the values as they are written inside a JSON text."""
    return {placeholder: json.dumps(value, ensure_ascii=False)[1:-1] for placeholder, value in restore.items()}


def clear_token_fields(values: object) -> bool:
    """Remove the fields of a document that repeat its text. Return whether there were any."""
    changed = False
    pending = [values]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            for key in TOKEN_FIELDS & node.keys():
                changed = changed or bool(node[key])
                node[key] = None
            pending += node.values()
        elif isinstance(node, list):
            pending += node
    return changed
