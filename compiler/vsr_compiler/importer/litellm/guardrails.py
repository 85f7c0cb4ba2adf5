"""Guardrails as guards. What no guard does is an error, so that no protection is lost in silence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from vsr_compiler.diagnostics import Severity, Span
from vsr_compiler.importer.family import Job
from vsr_compiler.importer.litellm.settings import HARMLESS_CALLBACKS, INJECTION, MODERATION
from vsr_compiler.importer.values import Fields, boolean, child, items, text, texts
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar
from vsr_schemas.pii import NAMED_TYPES, PATTERN_TYPES, POLICY_TYPES, type_of

PREBUILT = {
    "us_ssn": "US_SSN",
    "email": "EMAIL_ADDRESS",
    "phone": "PHONE_NUMBER",
    "us_phone": "PHONE_NUMBER",
    "credit_card": "CREDIT_CARD",
    "visa": "CREDIT_CARD",
    "mastercard": "CREDIT_CARD",
    "amex": "CREDIT_CARD",
    "discover": "CREDIT_CARD",
    "ipv4": "IP_ADDRESS",
    "ipv6": "IP_ADDRESS",
    "iban": "IBAN_CODE",
    "url": "URL",
}
"""Prebuilt patterns of `litellm_content_filter`, and the type of personal data."""
CREDENTIALS = frozenset({"aws_access_key", "aws_secret_key", "github_token", "slack_token", "generic_api_key"})
PRESIDIO_DEFAULT = ("CREDIT_CARD", "CRYPTO", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS", "PHONE_NUMBER", "US_SSN")
"""What Presidio finds without a list, and patterns find as well; it finds names and places, too."""
REMOVED = "Find it with a `detector`, or guard the requests elsewhere, before you use the policy."
_REGEX = re.compile(r"[\\.^$|?*+()\[\]{}]")


def write_guards(guardrails: Iterable[Node], settings: Fields, job: Job) -> None:
    """Write the guards of the section ``guardrails`` and of ``litellm_settings``."""
    for entry in guardrails:
        fields = Fields.of(entry, "guardrails[]", entry.span)
        params = fields.fields("litellm_params")
        kind = params.text("guardrail")
        name = fields.text("guardrail_name") or kind or "guardrail"
        _one(kind, name, params, fields.at("guardrail_name"), job)
        if params.boolean("default_on") is not True and kind:
            hint = "Use `except` for models that it must not apply to."
            message = f"`{name}` ran for the requests that named it; guards apply to every request"
            job.losses.add("VSR546", message, fields.at("guardrail_name"), hint, Severity.NOTE)
    for entry in settings.items("guardrails"):
        _old_form(entry, job)
    kinds: dict[str, Span] = {}
    callbacks = settings.take("callbacks")
    for node in [callbacks] if isinstance(callbacks, Scalar) else items(callbacks):
        if text(node):
            kinds.setdefault(text(node), node.span)
    for kind, span in kinds.items():
        _callback(kind, settings, span, job)


def _callback(kind: str, settings: Fields, span: Span, job: Job) -> None:
    """Write the guard of a callback, if it is a guardrail."""
    if kind == "hide_secrets":
        _add("hide-secrets", {"patterns": "builtin", "action": "mask"}, job, span)
    elif kind == "presidio":
        _one(kind, "presidio", Fields(Mapping(span)), span, job, settings)
    elif kind == "banned_keywords":
        _banned(settings, span, job)
    elif kind in INJECTION or kind in MODERATION:
        _one(kind, kind, Fields(Mapping(span)), span, job)
    elif kind.partition(".")[0] not in HARMLESS_CALLBACKS:
        hint = "If it rejects or changes requests, that is lost: write a guard, or run it elsewhere."
        job.losses.add("VSR546", f"the callback `{kind[:60]}` is code of yours, which is not run", span, hint)


def _old_form(entry: Node, job: Job) -> None:
    """Read an entry of ``litellm_settings.guardrails``: a name, and the callbacks that it runs."""
    if not isinstance(entry, Mapping):
        return
    for name, (span, body) in entry.entries.items():
        for kind in texts(child(body, "callbacks")):
            if boolean(child(body, "logging_only")):
                job.losses.group("VSR549", "settings without a counterpart", f"{name}.logging_only", span)
            elif kind == "hide_secrets":
                _add(name, {"patterns": "builtin", "action": "mask"}, job, span)
            else:
                _one(kind, name, Fields(Mapping(span)), span, job)


def _one(kind: str, name: str, params: Fields, span: Span, job: Job, settings: Fields | None = None) -> None:
    """Write the guards of one guardrail."""
    modes = _modes(params.take("mode"))
    if modes == {"logging_only"}:
        hint = "Logs of the runtime contain no prompts."
        job.losses.group("VSR549", "guardrails that only change logs", name, span, hint)
        return
    on = "both" if modes >= {"request", "response"} else "response" if modes == {"response"} else "request"
    watches = params.text("on_flagged") == "monitor"
    if kind in {"presidio", "presidio_pii"}:
        _presidio(name, params, on, span, job, settings)
    elif kind in {"hide-secrets", "hide_secrets"}:
        _add(name, {"patterns": "builtin", "action": "mask", **_on(on)}, job, span)
    elif kind == "litellm_content_filter":
        _content_filter(name, params, on, span, job)
    elif kind in INJECTION:
        _add(name, {"patterns": "injection", **({"action": "flag"} if watches else {})}, job, span)
        message = f"`{name}` asks {INJECTION[kind]}; the guard knows fewer attacks, by their structure alone"
        hint = "Add a classifier of the task `jailbreak` and name it as `detector`."
        job.losses.add("VSR546", message, span, hint, Severity.WARNING)
        job.draft.comment(("guards", _last(job)), f"In place of {INJECTION[kind]}, which finds more.")
    else:
        what = MODERATION.get(kind) or ("code of yours" if "." in kind else f"`{kind or 'nothing'}`")
        job.losses.add("VSR546", f"`{name}` is {what}, for which there is no guard: it is lost", span, REMOVED)
        job.draft.comment((), f"LOST: the guardrail {name} ({what}).")


def _modes(node: Node | None) -> set[str]:
    """Return what a guardrail reads. A mapping has modes by tag, all of which count."""
    words = texts(node)
    if isinstance(node, Mapping):
        for value in (child(node, "default"), *(entry[1] for entry in node.entries.values())):
            words += texts(value)
            if isinstance(value, Mapping):
                words += [word for _, inner in value.entries.values() for word in texts(inner)]
    found = set()
    for word in words or ["pre_call"]:
        if word == "logging_only":
            found.add("logging_only")
        else:
            found.add("response" if word.startswith("post") else "request")
    return found - {"logging_only"} or found


def _presidio(name: str, params: Fields, on: str, span: Span, job: Job, settings: Fields | None) -> None:
    """Write a guard for each action of Presidio."""
    config = params.take("pii_entities_config")
    by_action: dict[str, list[str]] = {}
    lost: dict[str, Span] = {}
    if isinstance(config, Mapping):
        for entity, (place, value) in config.entries.items():
            kind = type_of(entity)
            if kind in PATTERN_TYPES | NAMED_TYPES:
                by_action.setdefault("block" if text(value).upper() == "BLOCK" else "mask", []).append(kind)
            else:
                lost[entity] = place
    else:
        by_action["mask"] = list(PRESIDIO_DEFAULT)
        lost = {"PERSON": span, "LOCATION": span}
    unmask = params.boolean("output_parse_pii") or (settings is not None and settings.boolean("output_parse_pii"))
    for action, types in by_action.items():
        body: dict[str, Any] = {"types": sorted(set(types)), "action": action, **_on(on)}
        if action == "mask" and unmask and on != "response":
            body["unmask"] = True
        _add(name if len(by_action) == 1 else f"{name}-{action}", body, job, span)
    for entity, place in lost.items():
        known = type_of(entity) in POLICY_TYPES
        hint = "Add a classifier of the task `pii` and name it as `detector`." if known else REMOVED
        job.losses.add("VSR546", f"`{name}` looks for `{entity[:60]}`, which no pattern finds: lost", place, hint)
        job.draft.comment((), f"LOST: {name} looks for {entity[:60]}.")
    if params.has("presidio_ad_hoc_recognizers") or (settings and settings.has("presidio_ad_hoc_recognizers")):
        message = f"`{name}` has recognizers in a file of its own: lost"
        job.losses.add("VSR546", message, span, "Write their patterns as a guard with `patterns`.")


def _content_filter(  # noqa: C901 - one branch for each kind of entry
    name: str, params: Fields, on: str, span: Span, job: Job
) -> None:
    """Write the guards of `litellm_content_filter`: types, patterns and words, by action."""
    kinds: dict[tuple[str, str], list[str]] = {}
    builtin: set[str] = set()
    for node in params.items("patterns"):
        fields = Fields.of(node, "patterns[]", node.span)
        action, prebuilt = _action(node), fields.text("pattern_name")
        if prebuilt in PREBUILT:
            kinds.setdefault(("types", action), []).append(PREBUILT[prebuilt])
        elif prebuilt in CREDENTIALS:
            builtin.add(action)
        elif not fields.has("pattern"):
            _lost(name, f"the pattern `{prebuilt[:60]}`", node.span, job)
        elif _valid(fields, "pattern", name, job):
            kinds.setdefault(("patterns", action), []).append(fields.text("pattern"))
    for node in params.items("blocked_words"):
        if word := text(child(node, "keyword")):
            kinds.setdefault(("patterns", _action(node)), []).append(_word(word))
    for (kind, action), found in kinds.items():
        body = {kind: list(dict.fromkeys(found)), "action": action, **_on(on)}
        _add(f"{name}-{kind}-{action}", body, job, span)
    for action in sorted(builtin):
        _add(f"{name}-credentials", {"patterns": "builtin", "action": action, **_on(on)}, job, span)
    for node in params.items("categories"):
        _lost(name, f"the category `{text(child(node, 'category'))[:60]}`", node.span, job)
    if params.has("blocked_words_file"):
        _lost(name, "the words of a file", params.at("blocked_words_file"), job)


def _action(node: Node) -> str:
    return "mask" if text(child(node, "action")).upper() == "MASK" else "block"


def _word(word: str) -> str:
    """Return a pattern for a word in any case."""
    return f"(?i){_REGEX.sub(lambda match: chr(92) + match[0], word)}"


def _banned(settings: Fields, span: Span, job: Job) -> None:
    """Write the guard of ``banned_keywords_list``: a list, or a file that is not read."""
    node = settings.take("banned_keywords_list")
    if isinstance(node, Scalar) or node is None:
        _lost("banned_keywords", "the words of a file", span, job)
        return
    words = [_word(word) for word in texts(node)]
    if words:
        _add("banned-keywords", {"patterns": words}, job, node.span)


def _valid(fields: Fields, key: str, name: str, job: Job) -> bool:
    """Return whether RE2 reads a pattern; if not, that is reported."""
    from vsr_runtime.decision.patterns import compile_patterns  # noqa: PLC0415 - loads RE2

    try:
        compile_patterns([fields.text(key)], case_sensitive=True)
    except ValueError:
        _lost(name, "a pattern that RE2 cannot read", fields.value_at(key), job)
        return False
    return True


def _lost(name: str, what: str, span: Span, job: Job) -> None:
    job.losses.add("VSR546", f"`{name}` blocks by {what}, for which there is no guard: lost", span, REMOVED)
    job.draft.comment((), f"LOST: {name} blocks by {what}.")


def _on(on: str) -> dict[str, str]:
    return {} if on == "request" else {"on": on}


def _add(name: str, body: dict[str, Any], job: Job, span: Span) -> None:
    guards = job.draft.mapping("guards")
    if body not in guards.values():
        guards[job.names.new("guard", name, span)] = body


def _last(job: Job) -> str:
    return next(reversed(job.draft.mapping("guards")), "")
