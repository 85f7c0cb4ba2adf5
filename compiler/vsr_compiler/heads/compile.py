"""Compiles a policy's classifier heads: their files, and their settings for the runtime."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.heads.artifact import compile_head, recommended_threshold
from vsr_compiler.heads.inputs import OTHER, CategoryExamples
from vsr_compiler.heads.label_heads import compile_label_heads, encoder_settings, untrained_label_heads
from vsr_compiler.heads.sentences import compile_sentences, sentence_settings
from vsr_compiler.ir.providers import AUTHORIZATION, BEARER
from vsr_compiler.ir.signals import PiiSignal
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.head_file import head_metadata
from vsr_schemas import runtime as settings
from vsr_schemas.inference_servers import PROTOCOLS
from vsr_schemas.pii import MODEL_TYPES
from vsr_schemas.runtime_servers import ServerSettings

if TYPE_CHECKING:
    from vsr_compiler.heads.leave_one_out import WeakExample

DEFAULT_THRESHOLD = 0.5
"""Default for a checkpoint: more likely than all other labels together."""
MAX_WEAK_EXAMPLES = 10
"""How many weak examples are reported, worst first."""


@dataclass(frozen=True, slots=True)
class CompiledHeads:
    """Head files by name, settings of classifiers by name, and warnings about examples if a head was trained."""

    files: Mapping[str, bytes]
    classifiers: Mapping[str, settings.ClassifierSettings]
    warnings: tuple[Diagnostic, ...]


def compile_heads(policy: ir.Policy, existing: Callable[[str], bytes | None], *, rebuild: bool) -> CompiledHeads:
    """Return the policy's heads, and the vectors of its sentences; nothing if the policy needs none.

    Args:
        policy: The linked policy.
        existing: Reads an existing head by its file name.
        rebuild: Train even if the inputs are unchanged.

    Raises:
        CompileError: VSR506 if a head must be trained and cannot be.
    """
    others = compile_sentences(policy, existing, rebuild=rebuild)
    own_files, own = compile_label_heads(policy, existing, rebuild=rebuild)
    other_files = dict(others.files) | own_files
    checkpoints = checkpoint_settings(policy) | own | dict(others.classifiers)
    classifier = policy.classifier
    if classifier is None or classifier.encoder is None:
        return CompiledHeads(other_files, checkpoints, ())
    encoder = encoder_settings(classifier)
    categories = [
        CategoryExamples(category.name, category.description, category.examples) for category in policy.categories
    ]
    file = f"{classifier.object_name}.safetensors"
    try:
        head, weak_examples = compile_head(
            categories, encoder.repo, encoder.sha256, encoder.precision, existing(file), rebuild=rebuild
        )
        metadata = head_metadata(head)
        threshold = classifier.threshold if classifier.threshold is not None else recommended_threshold(head)
    except ModelError as error:
        raise CompileError([Diagnostic("VSR506", str(error), classifier.span)]) from None
    known = settings.ClassifierSettings(
        task="category",
        encoder=encoder,
        head=settings.HeadSettings(file=file, inputs=metadata["inputs"]),
        labels=json.loads(metadata["labels"]),
        fallback=OTHER if any(category.name == OTHER for category in categories) else None,
        threshold=threshold,
    )
    files = {file: head} | other_files
    return CompiledHeads(
        files, {classifier.name: known} | checkpoints, tuple(_weak(policy, weak_examples))[:MAX_WEAK_EXAMPLES]
    )


def untrained_settings(policy: ir.Policy) -> dict[str, settings.ClassifierSettings]:
    """Return the settings of all classifiers as a compile would, but for what only training finds out."""
    untrained = checkpoint_settings(policy) | untrained_label_heads(policy) | dict(sentence_settings(policy))
    classifier = policy.classifier
    if classifier is None or classifier.encoder is None:
        return untrained
    names = [category.name for category in policy.categories]
    known = settings.ClassifierSettings(
        task="category",
        encoder=encoder_settings(classifier),
        head=settings.HeadSettings(file=f"{classifier.object_name}.safetensors", inputs="0" * 64),
        labels=[name for name in names if name != OTHER],
        fallback=OTHER if OTHER in names else None,
        threshold=DEFAULT_THRESHOLD if classifier.threshold is None else classifier.threshold,
    )
    return {classifier.name: known} | untrained


def checkpoint_settings(policy: ir.Policy) -> dict[str, settings.ClassifierSettings]:
    """Return the runtime settings of each checkpoint and each server in use.

    A category classifier reads the beginning of a text, a detector all of it.
    """
    used = {one.name: one for one in policy.used_classifiers}
    found = {name: _checkpoint(policy, one, *one.checkpoint) for name, one in sorted(used.items()) if one.checkpoint}
    return found | {one.name: _server(policy, one, one.server) for one in policy.remote_classifiers if one.server}


def _server(policy: ir.Policy, classifier: ir.Classifier, server: ir.ClassifierServer) -> settings.ClassifierSettings:
    key = server.api_key
    usual = key is None or (key.header, key.prefix) == (AUTHORIZATION, BEARER)
    own = {} if key is None or usual else {"header": key.header, "prefix": key.prefix}
    return settings.ClassifierSettings(
        task=cast("Literal['category', 'jailbreak', 'pii']", classifier.task),
        server=ServerSettings.model_validate(
            {
                "protocol": server.protocol,
                "url": server.url,
                "model": server.model,
                "config": server.config,
                "language": server.language,
                "outputs": list(server.outputs) or None,
                "timeout": server.timeout,
                "concurrency": server.concurrency,
                "window": server.window,
                "keyFile": classifier.key_file,
                "caFile": classifier.authority_file,
                **own,
            }
        ),
        labels=_labels(policy, classifier, server.labels or PROTOCOLS[server.protocol].labels),
        fallback=_fallback(policy, classifier),
        threshold=DEFAULT_THRESHOLD if classifier.threshold is None else classifier.threshold,
    )


def _labels(policy: ir.Policy, classifier: ir.Classifier, attacks: Sequence[str]) -> list[str]:
    """Return the labels of a classifier that the policy uses."""
    names = [category.name for category in policy.categories]
    return {
        "category": [name for name in names if name != OTHER],
        "jailbreak": list(attacks),
        "pii": sorted({kind for types in _detected_types(policy, classifier) for kind in _model_types(types)}),
    }[classifier.task]


def _fallback(policy: ir.Policy, classifier: ir.Classifier) -> str | None:
    names = [category.name for category in policy.categories]
    return OTHER if classifier.task == "category" and OTHER in names else None


def _checkpoint(policy: ir.Policy, classifier: ir.Classifier, repo: str, revision: str) -> settings.ClassifierSettings:
    category = classifier.task == "category"
    return settings.ClassifierSettings(
        task=cast("Literal['category', 'jailbreak', 'pii']", classifier.task),
        checkpoint=settings.CheckpointSettings(
            repo=repo,
            revision=revision,
            kind="token" if classifier.task == "pii" else "sequence",
            device=cast("Literal['cpu', 'cuda']", classifier.device),
            precision=cast("Literal['fp32', 'bf16']", classifier.precision),
            long="truncate" if category else "windows",
            aggregate="max",
        ),
        labels=_labels(policy, classifier, ["jailbreak"]),
        fallback=_fallback(policy, classifier),
        threshold=DEFAULT_THRESHOLD if classifier.threshold is None else classifier.threshold,
    )


def _detected_types(policy: ir.Policy, classifier: ir.Classifier) -> Iterator[tuple[str, ...]]:
    """Yield the types for which each guard and each signal uses a detector."""
    yield from (guard.types for guard in policy.guards if guard.detector is classifier)
    for signal in policy.signals:
        if isinstance(signal.kind, PiiSignal) and signal.kind.detector is classifier:
            yield signal.kind.types


def _model_types(types: tuple[str, ...]) -> list[str]:
    """Return the types that need a detector; patterns find the others."""
    return [kind for kind in types if kind in MODEL_TYPES] or list(types)


def _weak(policy: ir.Policy, weak_examples: tuple[WeakExample, ...]) -> Iterator[Diagnostic]:
    """Yield VSR237 for each example of the policy's own that a head trained without it assigns to another category."""
    by_name = {category.name: category for category in policy.categories}
    for weak in weak_examples:
        category = by_name[weak.category]
        if weak.text in category.shipped:
            continue
        span = category.example_spans[category.examples.index(weak.text)]
        message = f"without this example, the classifier would assign it to `{weak.found}`"
        hint = f"Move it to that category, or add similar examples to `{weak.category}`."
        yield Diagnostic("VSR237", message, span, hint)
