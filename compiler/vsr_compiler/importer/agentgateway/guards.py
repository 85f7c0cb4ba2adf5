"""Prompt guards of agentgateway as guards of a policy, in the spelling of files and of Kubernetes objects."""

from __future__ import annotations

from typing import Any

from vsr_compiler.diagnostics import Severity, Span
from vsr_compiler.importer.family import Job
from vsr_compiler.importer.values import Fields, child, items, text, texts
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar

BUILTINS = {
    "ssn": "US_SSN",
    "creditcard": "CREDIT_CARD",
    "phonenumber": "PHONE_NUMBER",
    "email": "EMAIL_ADDRESS",
    "casin": "NATIONAL_ID",
}
"""Built-in patterns in lower case, and the type of personal data. `NATIONAL_ID` covers more than Canadian numbers."""
OUTSIDE = {
    "webhook": "a webhook",
    "openaimoderation": "OpenAI moderation",
    "bedrockguardrails": "Bedrock Guardrails",
    "googlemodelarmor": "Google Model Armor",
    "azurecontentsafety": "Azure Content Safety",
}
_HINT = "Add a `detector`, or guard the requests elsewhere, before you use the policy."


def write_guards(node: Node | None, name: str, job: Job, *, everywhere: bool) -> None:
    """Write the guards of a ``promptGuard``.

    Args:
        node: The mapping with ``request`` and ``response``.
        name: A name for the guards.
        job: The import.
        everywhere: Whether it applied to all models, as guards of a policy do.
    """
    if not isinstance(node, Mapping):
        return
    before = len(job.draft.sections.get("guards", {}))
    for side in ("request", "response"):
        entry = child(node, side)
        for guard in items(entry) or ([entry] if isinstance(entry, Mapping) else []):
            _one(Fields.of(guard, side, guard.span), f"{name} {side}".strip(), side, job)
    if not everywhere and len(job.draft.sections.get("guards", {})) > before:
        hint = "Use `except` for models that it must not apply to."
        message = f"the guards of `{name}` were for one model or route; guards apply to every request"
        job.losses.add("VSR546", message, node.span, hint, Severity.NOTE)


def _one(fields: Fields, name: str, side: str, job: Job) -> None:
    for key, (span, body) in fields.node.entries.items():
        kind = key.lower()
        if kind == "regex":
            _regex(Fields.of(body, "regex", span), name, side, span, job)
        elif kind in OUTSIDE:
            job.losses.add("VSR546", f"a guard of `{name}` asks {OUTSIDE[kind]}: it is lost", span, _HINT)
            job.draft.comment((), f"LOST: a guard of {name[:60]} asks {OUTSIDE[kind]}.")


def _regex(fields: Fields, name: str, side: str, span: Span, job: Job) -> None:
    """Write a guard for the types, and one for the patterns, of a list of rules."""
    words = fields.text("action").lower()
    action = "block" if words == "reject" or child(fields.node, "action", "reject") is not None else "mask"
    builtins = texts(fields.take("builtins"))
    patterns = texts(fields.take("matches"))
    for rule in fields.items("rules"):
        builtins += texts(child(rule, "builtin"))
        patterns += texts(child(rule, "pattern")) or ([text(rule)] if isinstance(rule, Scalar) else [])
    types = sorted({BUILTINS[word.lower()] for word in builtins if word.lower() in BUILTINS})
    if unknown := [word for word in builtins if word.lower() not in BUILTINS]:
        job.losses.add("VSR546", f"`{name}` has the pattern `{unknown[0][:60]}`, which is not known: lost", span, _HINT)
    usable = [pattern for pattern in patterns if _valid(pattern, name, span, job)]
    extra: dict[str, Any] = {"action": action, **({"on": "response"} if side == "response" else {})}
    guards = job.draft.mapping("guards")
    for key, found in (("types", types), ("patterns", list(dict.fromkeys(usable)))):
        body = {key: found, **extra}
        if found and body not in guards.values():
            guards[job.names.new("guard", name, span)] = body
    if not guards:
        del job.draft.sections["guards"]


def _valid(pattern: str, name: str, span: Span, job: Job) -> bool:
    from vsr_runtime.decision.patterns import compile_patterns  # noqa: PLC0415 - loads RE2

    try:
        compile_patterns([pattern], case_sensitive=True)
    except ValueError:
        job.losses.add("VSR546", f"`{name}` has a pattern that RE2 cannot read: lost", span, _HINT)
        return False
    return True
