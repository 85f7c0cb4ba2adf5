"""Compiles the sentences of a policy's signals to vectors: one file, reused while its inputs are unchanged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Literal, cast

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.ir.signals import ComplexitySignal, EmbeddingSignal
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.head_file import SENTENCES, SENTENCES_ALGORITHM, file_metadata
from vsr_schemas import runtime as settings

if TYPE_CHECKING:
    from vsr_runtime.inference.sentences import Sentences

NAME = "sentences"
"""Name of the classifier in ``runtime.yaml``, unless the policy uses that name."""
TOLERANCE = 0.05
"""Distance up to which a recomputed vector counts as equal to the existing one: bits differ between machines."""


@dataclass(frozen=True, slots=True)
class CompiledSentences:
    """Files by name, and settings of classifiers by name; empty if no signal has sentences."""

    files: Mapping[str, bytes]
    classifiers: Mapping[str, settings.ClassifierSettings]


def compile_sentences(
    policy: ir.Policy, existing: Callable[[str], bytes | None], *, rebuild: bool
) -> CompiledSentences:
    """Return the vectors of all sentences that signals compare requests with.

    Args:
        policy: The linked policy.
        existing: Reads an existing file by its name.
        rebuild: Embed again. The existing file is kept if the new one equals it within ``TOLERANCE``.

    Raises:
        CompileError: VSR506 if the encoder is needed and cannot be used.
    """
    classifiers = sentence_settings(policy)
    files = {}
    for name, known in classifiers.items():
        file = f"{name}.safetensors"
        try:
            files[file] = _file(tuple(known.labels), _encoder(policy), existing(file), rebuild=rebuild)
        except ModelError as error:
            raise CompileError([Diagnostic("VSR506", str(error), _span(policy))]) from None
    return CompiledSentences(files, classifiers)


def sentence_settings(policy: ir.Policy) -> Mapping[str, settings.ClassifierSettings]:
    """Return the settings of the classifier of sentences by its name; nothing if no signal has sentences."""
    sentences = tuple(sorted(set(_sentences(policy))))
    if not sentences:
        return {}
    name, encoder = _name(policy), _encoder(policy)
    head = settings.HeadSettings(file=f"{name}.safetensors", inputs=inputs_hash(sentences, encoder))
    known = settings.ClassifierSettings(
        task="likeness", encoder=encoder, head=head, labels=list(sentences), threshold=0
    )
    return {name: known}


def inputs_hash(sentences: tuple[str, ...], encoder: settings.EncoderSettings) -> str:
    """Return the sha256, in hex, of everything that the vectors depend on, including the order of rows."""
    from_what = {"encoder": encoder.model_dump(mode="json"), "sentences": sentences}
    return sha256(json.dumps(from_what, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _sentences(policy: ir.Policy) -> Iterator[str]:
    for signal in policy.signals:
        match signal.kind:
            case EmbeddingSignal(sentences):
                yield from sentences
            case ComplexitySignal(hard, easy):
                yield from (*hard, *easy)


def _span(policy: ir.Policy) -> ir.Span:
    return next(
        signal.span for signal in policy.signals if isinstance(signal.kind, (EmbeddingSignal, ComplexitySignal))
    )


def _encoder(policy: ir.Policy) -> settings.EncoderSettings:
    """Return the policy's encoder, in the precision of the categories, so that one pass serves both."""
    one, encoder = policy.classifier, policy.router.encoder
    precision = one.precision if one is not None and one.encoder is not None else "int8"
    return settings.EncoderSettings(
        repo=encoder.repo, sha256=encoder.sha256, precision=cast("Literal['int8', 'fp32']", precision)
    )


def _name(policy: ir.Policy) -> str:
    taken = {classifier.name for classifier in policy.used_classifiers} | {
        classifier.object_name for classifier in policy.used_classifiers
    }
    return NAME if NAME not in taken else next(name for n in count(2) if (name := f"{NAME}-{n}") not in taken)


def _file(
    sentences: tuple[str, ...], encoder: settings.EncoderSettings, existing: bytes | None, *, rebuild: bool
) -> bytes:
    inputs = inputs_hash(sentences, encoder)
    current = existing if existing is not None and _made_from(existing) == inputs else None
    if current is not None and not rebuild:
        return current
    fresh = _embedded(sentences, encoder, inputs)
    return current if current is not None and _alike(current, fresh) else fresh.to_bytes()


def _made_from(existing: bytes) -> str | None:
    """Return the inputs hash of a file; None if it is not usable, and then it is replaced."""
    try:
        return file_metadata(existing, SENTENCES_ALGORITHM, SENTENCES).get("inputs")
    except ModelError:
        return None


def _embedded(sentences: tuple[str, ...], encoder: settings.EncoderSettings, inputs: str) -> Sentences:
    from vsr_runtime.inference.encoder import SentenceEncoder  # noqa: PLC0415 - needs the extra; says so where it lacks
    from vsr_runtime.inference.encoder_files import find_encoder  # noqa: PLC0415 - as above
    from vsr_runtime.inference.sentences import Sentences  # noqa: PLC0415 - as above

    loaded = SentenceEncoder.load(find_encoder(encoder.repo, encoder.sha256), encoder.precision)
    return Sentences(sentences, loaded.embed(sentences), inputs)


def _alike(existing: bytes, fresh: Sentences) -> bool:
    import numpy as np  # noqa: PLC0415 - a compile that keeps the file needs no numpy

    from vsr_runtime.inference.sentences import Sentences  # noqa: PLC0415 - as above

    try:
        old = Sentences.from_bytes(existing, fresh.labels)
    except ModelError:
        return False
    if old.vectors.shape != fresh.vectors.shape:
        return False
    return bool((np.linalg.norm(fresh.vectors - old.vectors, axis=1) <= TOLERANCE).all())
