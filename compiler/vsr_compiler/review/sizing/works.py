"""What a policy makes the router do with each request, in the words of the table of measurements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.ir.signals import ComplexitySignal, EmbeddingSignal, JailbreakSignal, PiiSignal, detector_of
from vsr_compiler.targets.common.extproc import reads_responses
from vsr_schemas.measurements import Work
from vsr_schemas.runtime import MINILM

BUILTIN: dict[str, Work] = {"credentials": "credentials", "injection": "injection"}


@dataclass(frozen=True, slots=True)
class Need:
    """A kind of work, and what in the policy asks for it."""

    work: Work
    why: str


def needs(policy: ir.Policy, *, audit: bool) -> list[Need]:
    """Return the kinds of work of a policy, each once, with the first of its reasons."""
    found: dict[Work, Need] = {}
    for need in _all(policy, audit=audit):
        found.setdefault(need.work, need)
    return list(found.values())


def _all(policy: ir.Policy, *, audit: bool) -> Iterator[Need]:
    yield Need("route", "routes")
    yield from _finders(policy)
    for classifier in policy.used_classifiers:
        if classifier.checkpoint is None and classifier.server is None:
            yield Need("windows" if _whole(policy, classifier) else "encoder", f"classifier `{classifier.name}`")
    for signal in policy.signals:
        if isinstance(signal.kind, EmbeddingSignal | ComplexitySignal):
            yield Need("encoder", f"signal `{signal.name}`")
    cached = [route for route in policy.routes if route.cache is not None]
    if any(route.cache is not None and route.cache.similarity is not None for route in cached):
        yield Need("encoder", "caches of similar requests")
    if cached:
        yield Need("cache", "caches")
    if reads_responses(policy):
        yield Need("responses", "guards, caches or limits that read responses")
    if audit:
        yield Need("audit", "--audit")


def _finders(policy: ir.Policy) -> Iterator[Need]:
    """Yield the finders of guards and signals. Guards of responses are part of `responses`."""
    for guard in policy.guards:
        if not guard.on_requests:
            continue
        name = f"guard `{guard.name}`"
        yield Need("patterns", name)
        if guard.types:
            yield Need("pii", name)
        for builtin in guard.builtin:
            yield Need(BUILTIN[builtin], name)
    for signal in policy.signals:
        if isinstance(signal.kind, PiiSignal):
            yield Need("pii", f"signal `{signal.name}`")


def _whole(policy: ir.Policy, classifier: ir.Classifier) -> bool:
    """Return whether a head reads the whole text of requests in windows, as detectors of attacks do."""
    return any(guard.detector is classifier for guard in policy.guards) or any(
        isinstance(signal.kind, JailbreakSignal) and detector_of(signal) is classifier for signal in policy.signals
    )


def unmeasured(policy: ir.Policy) -> Iterator[tuple[str, ir.Span]]:
    """Yield the models that the table does not have: checkpoints, other encoders, and other precisions of ours."""
    encoder = policy.router.encoder
    if encoder.repo != MINILM and any(need.work in {"encoder", "windows"} for need in _all(policy, audit=False)):
        yield f"the encoder `{encoder.repo}`", encoder.span or policy.router.span
    for classifier in policy.used_classifiers:
        if classifier.checkpoint is not None:
            yield f"the checkpoint of `{classifier.name}`", classifier.span
        elif classifier.server is None and classifier.precision != "int8":
            yield f"the precision `{classifier.precision}` of `{classifier.name}`", classifier.span
