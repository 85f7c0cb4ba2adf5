"""A policy's classifier heads: their files, and what the runtime must know of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.heads.artifact import compile_head, recommended_threshold
from vsr_compiler.heads.inputs import OTHER, CategoryExamples
from vsr_compiler.heads.sentences import compile_sentences
from vsr_compiler.ir.signals import PiiSignal
from vsr_runtime.inference.encoder_files import KNOWN
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.head_file import head_metadata
from vsr_schemas import runtime as settings
from vsr_schemas.pii import MODEL_TYPES

if TYPE_CHECKING:
    from vsr_compiler.heads.leave_one_out import WeakExample

DEFAULT_THRESHOLD = 0.5
"""Of a checkpoint: more likely than all other labels together."""
MAX_TOLD = 10
"""How many weak examples are told, worst first: who mends ten trains anew anyway."""


@dataclass(frozen=True, slots=True)
class CompiledHeads:
    """Head files by name, settings of classifiers by name, and warnings about examples where a head was trained."""

    files: Mapping[str, bytes]
    classifiers: Mapping[str, settings.ClassifierSettings]
    warnings: tuple[Diagnostic, ...]


def compile_heads(policy: ir.Policy, existing: Callable[[str], bytes | None], *, rebuild: bool) -> CompiledHeads:
    """The policy's heads, and the vectors of its sentences; none without categories and without sentences.

    Args:
        policy: The linked policy.
        existing: Reads a present head by its file name.
        rebuild: Train even where the inputs stand.

    Raises:
        CompileError: VSR506 where a head is needed and cannot be trained.
    """
    others = compile_sentences(policy, existing, rebuild=rebuild)
    checkpoints = checkpoint_settings(policy) | dict(others.classifiers)
    classifier = policy.classifier
    if classifier is None or classifier.encoder is None:
        return CompiledHeads(others.files, checkpoints, ())
    precision = cast("Literal['int8', 'fp32']", classifier.precision)
    sha256 = KNOWN[classifier.encoder].weights
    categories = [CategoryExamples(each.name, each.description, each.examples) for each in policy.categories]
    file = f"{classifier.object_name}.safetensors"
    try:
        head, strays = compile_head(categories, classifier.encoder, sha256, precision, existing(file), rebuild=rebuild)
        metadata = head_metadata(head)
        threshold = classifier.threshold if classifier.threshold is not None else recommended_threshold(head)
    except ModelError as error:
        raise CompileError([Diagnostic("VSR506", str(error), classifier.span)]) from None
    known = settings.ClassifierSettings(
        task="category",
        encoder=settings.EncoderSettings(repo=classifier.encoder, sha256=sha256, precision=precision),
        head=settings.HeadSettings(file=file, inputs=metadata["inputs"]),
        labels=json.loads(metadata["labels"]),
        fallback=OTHER if any(each.name == OTHER for each in categories) else None,
        threshold=threshold,
    )
    files = {file: head} | dict(others.files)
    return CompiledHeads(files, {classifier.name: known} | checkpoints, tuple(_weak(policy, strays[:MAX_TOLD])))


def checkpoint_settings(policy: ir.Policy) -> dict[str, settings.ClassifierSettings]:
    """What the runtime must know of each checkpoint: of the categories', and of those that guards and signals ask.

    A category is said of the beginning of a text, a detector reads all of it.
    """
    found = {one.name: one for one in policy.used_classifiers}
    return {name: _checkpoint(policy, one, *one.checkpoint) for name, one in sorted(found.items()) if one.checkpoint}


def _checkpoint(policy: ir.Policy, classifier: ir.Classifier, repo: str, revision: str) -> settings.ClassifierSettings:
    category = classifier.task == "category"
    names = [each.name for each in policy.categories]
    labels = {
        "category": [name for name in names if name != OTHER],
        "jailbreak": ["jailbreak"],
        "pii": sorted({kind for types in _asked(policy, classifier) for kind in _told(types)}),
    }
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
        labels=labels[classifier.task],
        fallback=OTHER if category and OTHER in names else None,
        threshold=DEFAULT_THRESHOLD if classifier.threshold is None else classifier.threshold,
    )


def _asked(policy: ir.Policy, classifier: ir.Classifier) -> Iterator[tuple[str, ...]]:
    """The types that each guard and each signal asks a detector for."""
    yield from (guard.types for guard in policy.guards if guard.detector is classifier)
    for signal in policy.signals:
        if isinstance(signal.kind, PiiSignal) and signal.kind.detector is classifier:
            yield signal.kind.types


def _told(types: tuple[str, ...]) -> list[str]:
    """The types for which a detector is needed; patterns find the others, too, if it does not know them."""
    return [kind for kind in types if kind in MODEL_TYPES] or list(types)


def _weak(policy: ir.Policy, strays: tuple[WeakExample, ...]) -> Iterator[Diagnostic]:
    """VSR237 for each example that a head, trained without it, puts elsewhere."""
    by_name = {category.name: category for category in policy.categories}
    for stray in strays:
        category = by_name[stray.category]
        span = category.example_spans[category.examples.index(stray.text)]
        message = f"without this example, the classifier would take it for `{stray.found}`"
        hint = f"Move it there, or give `{stray.category}` more examples like it."
        yield Diagnostic("VSR237", message, span, hint)
