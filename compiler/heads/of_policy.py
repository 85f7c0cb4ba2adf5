"""A policy's classifier heads: their files, and what the runtime must know of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from compiler.diagnostics import CompileError, Diagnostic
from compiler.heads.artifact import compile_head, recommended_threshold
from compiler.heads.inputs import OTHER, CategoryExamples
from compiler.link import ir
from runtime.inference.errors import ModelError
from runtime.inference.head_file import head_metadata
from runtime.inference.locate import KNOWN
from schemas import runtime as settings

if TYPE_CHECKING:
    from compiler.heads.report import Stray

MAX_TOLD = 10
"""How many weak examples are told, worst first: who mends ten trains anew anyway."""


@dataclass(frozen=True, slots=True)
class Heads:
    """Head files by name, settings of classifiers by name, and warnings about examples where a head was trained."""

    files: Mapping[str, bytes]
    classifiers: Mapping[str, settings.Classifier]
    warnings: tuple[Diagnostic, ...]


def compile_heads(policy: ir.Policy, existing: Callable[[str], bytes | None], *, rebuild: bool) -> Heads:
    """The policy's heads; none without categories.

    Args:
        policy: The linked policy.
        existing: Reads a present head by its file name.
        rebuild: Train even where the inputs stand.

    Raises:
        CompileError: VSR506 where a head is needed and cannot be trained.
    """
    classifier = policy.classifier
    if classifier is None or classifier.encoder is None:
        return Heads({}, {}, ())
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
    known = settings.Classifier(
        task="category",
        encoder=settings.Encoder(repo=classifier.encoder, sha256=sha256, precision=precision),
        head=settings.Head(file=file, inputs=metadata["inputs"]),
        labels=json.loads(metadata["labels"]),
        fallback=OTHER if any(each.name == OTHER for each in categories) else None,
        threshold=threshold,
    )
    return Heads({file: head}, {classifier.name: known}, tuple(_weak(policy, strays[:MAX_TOLD])))


def _weak(policy: ir.Policy, strays: tuple[Stray, ...]) -> Iterator[Diagnostic]:
    """VSR237 for each example that a head, trained without it, puts elsewhere."""
    by_name = {category.name: category for category in policy.categories}
    for stray in strays:
        category = by_name[stray.category]
        span = category.example_spans[category.examples.index(stray.text)]
        message = f"without this example, the classifier would take it for `{stray.found}`"
        hint = f"Move it there, or give `{stray.category}` more examples like it."
        yield Diagnostic("VSR237", message, span, hint)
