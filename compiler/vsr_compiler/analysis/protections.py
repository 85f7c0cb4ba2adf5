"""Rules for protections: what a detector needs, where texts go, and what patterns alone do not find."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.ir.signals import JailbreakSignal, PiiSignal
from vsr_compiler.releases.checkpoints import CHECKPOINTS, suggestion
from vsr_schemas.pii import MODEL_TYPES
from vsr_schemas.presidio import DEFAULT_TYPES

TABLE = "docs/reference/guards.md lists them with licences and revisions."


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR607 to VSR610: servers outside, types that Presidio lacks, patterns alone, and checkpoints of other tasks."""
    if isinstance(policy.router.implementation, ir.SemanticRouter):
        return
    for classifier in policy.used_classifiers:
        if classifier.server is not None and classifier.server.namespace is None:
            message = (
                f"the texts of requests leave the cluster: `{classifier.name}` sends them to {classifier.server.host}"
            )
            hint = "Nothing is masked before. Use a server in the cluster, or ignore this code here."
            yield Diagnostic("VSR607", message, classifier.server.span, hint)
        if classifier.checkpoint is not None:
            yield from _checkpoint(classifier, classifier.checkpoint[0])
    yield from _presidio(policy)
    yield from _patterns(policy)


def _presidio(policy: ir.Policy) -> Iterator[Diagnostic]:
    used = [(guard.name, guard.types, guard.detector, guard.span) for guard in policy.guards]
    used += [
        (signal.name, signal.kind.types, signal.kind.detector, signal.span)
        for signal in policy.signals
        if isinstance(signal.kind, PiiSignal)
    ]
    for name, types, detector, span in used:
        if detector is None or detector.server is None or detector.server.protocol != "presidio":
            continue
        for kind in types:
            if kind in MODEL_TYPES and kind not in DEFAULT_TYPES:
                message = f"`{name}` looks for `{kind}`, which Presidio does not find as it is shipped"
                hint = "Add a recognizer for it to the analyzer and ignore this code here, or use a checkpoint."
                yield Diagnostic("VSR608", message, span, hint)


def _patterns(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR609 if nothing but patterns looks for attacks."""
    reading = any(guard.detector is not None and guard.detector.task == "jailbreak" for guard in policy.guards)
    if reading or any(isinstance(signal.kind, JailbreakSignal) for signal in policy.signals):
        return
    for guard in policy.guards:
        if "injection" in guard.builtin:
            message = f"`{guard.name}` finds attacks by their structure; most attacks are sentences, which need a model"
            hint = f"Add a guard with a detector: {suggestion('jailbreak')}. {TABLE}"
            yield Diagnostic("VSR609", message, guard.span, hint)


def _checkpoint(classifier: ir.Classifier, repo: str) -> Iterator[Diagnostic]:
    for known in CHECKPOINTS:
        if known.repo != repo or (known.task == classifier.task and known.loadable):
            continue
        if known.task != classifier.task:
            message = f"`{repo}` is for `task: {known.task}`, not for `task: {classifier.task}`"
            hint = f"Use {suggestion(classifier.task)}. {TABLE}" if classifier.task != "category" else ""
        else:
            message = f"`{repo}` has the label `{known.labels[0]}`, but the router looks for `jailbreak`"
            hint = f"Serve it by an inference server: `server: {{protocol: tei, labels: [{known.labels[0]}], …}}`."
        yield Diagnostic("VSR610", message, classifier.span, hint or "Use a checkpoint of categories.")
