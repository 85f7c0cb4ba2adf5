"""A policy's classifier heads: their files, and what the runtime must know of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Literal, cast

from compiler.diagnostics import CompileError, Diagnostic
from compiler.heads.artifact import head_bytes, recommended_threshold
from compiler.heads.inputs import OTHER, CategoryExamples
from compiler.link import ir
from runtime.inference.errors import ModelError
from runtime.inference.head_file import head_metadata
from runtime.inference.locate import KNOWN
from schemas import runtime as settings


def compile_heads(
    policy: ir.Policy, existing: Callable[[str], bytes | None], *, rebuild: bool
) -> tuple[dict[str, bytes], dict[str, settings.Classifier]]:
    """The heads by file name, and the settings of the classifiers by name; both empty without categories.

    Args:
        policy: The linked policy.
        existing: Reads a present head by its file name.
        rebuild: Train even where the inputs stand.

    Raises:
        CompileError: VSR506 where a head is needed and cannot be trained.
    """
    classifier = policy.classifier
    if classifier is None or classifier.encoder is None:
        return {}, {}
    precision = cast("Literal['int8', 'fp32']", classifier.precision)
    sha256 = KNOWN[classifier.encoder].weights
    categories = [CategoryExamples(each.name, each.description, each.examples) for each in policy.categories]
    file = f"{classifier.object_name}.safetensors"
    try:
        head = head_bytes(categories, classifier.encoder, sha256, precision, existing(file), rebuild=rebuild)
        metadata = head_metadata(head)
        threshold = classifier.threshold if classifier.threshold is not None else recommended_threshold(head)
    except ModelError as error:
        raise CompileError([Diagnostic("VSR506", str(error), classifier.span)]) from None
    return {file: head}, {
        classifier.name: settings.Classifier(
            task="category",
            encoder=settings.Encoder(repo=classifier.encoder, sha256=sha256, precision=precision),
            head=settings.Head(file=file, inputs=metadata["inputs"]),
            labels=json.loads(metadata["labels"]),
            fallback=OTHER if any(each.name == OTHER for each in categories) else None,
            threshold=threshold,
        )
    }
