"""From ``runtime.yaml`` to what an engine needs: how texts are read, and models on their devices.

Reading texts needs no torch, so a process that only asks does not load it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.engine.lanes import LoadedLane
from runtime.engine.tasks import Task
from runtime.inference.checkpoint import Checkpoint, encoder_key, find_checkpoint, read_checkpoint
from runtime.inference.classifier import load_head
from runtime.inference.errors import ModelError
from runtime.inference.labels import require
from runtime.inference.locate import find_encoder
from runtime.inference.text_tokens import TextTokenizer
from runtime.inference.windows import Windows
from schemas import runtime as schema

if TYPE_CHECKING:
    from runtime.inference.encoder import SentenceEncoder

BUDGETS = {"cpu": 512, "cuda": 16_384}
"""Tokens of a batch by device: on a CPU a batch is not to take longer than a request may wait."""

DEFAULT_WINDOW = 512
"""Tokens where nothing is said: what classifiers are trained at, whatever their encoder could read."""


def read_tasks(classifiers: Mapping[str, schema.Classifier]) -> dict[str, Task]:
    """How texts are read for each classifier.

    Args:
        classifiers: By name, as ``runtime.yaml`` has them.

    Raises:
        ModelError: A checkpoint is not there, will not do, or does not know the policy's labels.
    """
    return {name: _task(name, classifier) for name, classifier in classifiers.items()}


def load_models(classifiers: Mapping[str, schema.Classifier], folder: Path) -> list[LoadedLane]:
    """Loads models; those that share an encoder, a device and a precision become one. Takes seconds.

    Raises:
        ModelError: One cannot be loaded, or its device is not there.
    """
    groups: dict[tuple[str, str, str], dict[str, Checkpoint]] = {}
    lanes: list[LoadedLane] = []
    for name, classifier in classifiers.items():
        if classifier.checkpoint is None:
            lanes.append(_compiled(name, classifier, folder))
            continue
        found = read(name, classifier.checkpoint)
        key = (
            encoder_key(found) if found.family else name,
            classifier.checkpoint.device,
            classifier.checkpoint.precision,
        )
        groups.setdefault(key, {})[name] = found
    lanes.extend(_lane(checkpoints, classifiers) for checkpoints in groups.values())
    return lanes


def read(name: str, settings: schema.Checkpoint) -> Checkpoint:
    """Finds a checkpoint and looks through it.

    Raises:
        ModelError: It is not there or will not do; says which classifier asked for it.
    """
    try:
        return read_checkpoint(find_checkpoint(settings.repo, settings.revision), settings.kind)
    except ModelError as error:
        raise ModelError(f"classifier {name}: {error}") from error


def _task(name: str, classifier: schema.Classifier) -> Task:
    settings = classifier.checkpoint
    if settings is None:
        return _compiled_task(name, classifier)
    found = read(name, settings)
    require(found.labels, classifier.labels, f"classifier {name}: the checkpoint {settings.repo}")
    tokenizer = TextTokenizer.load(found.tokenizer)
    room = _longest(found, settings) - tokenizer.special
    if settings.overlap >= room:
        raise ModelError(f"classifier {name}: windows of {room} tokens cannot overlap by {settings.overlap}")
    windows = Windows(room, settings.overlap, whole=settings.long == "windows")
    return Task(name, found.labels, tokenizer, windows, settings.aggregate)


def _longest(checkpoint: Checkpoint, settings: schema.Checkpoint) -> int:
    """Tokens of a piece, special ones included."""
    if settings.window is not None and settings.window > checkpoint.positions:
        raise ModelError(
            f"{settings.repo} reads {checkpoint.positions} tokens at a time, not {settings.window}; lower `window`"
        )
    return min(settings.window or DEFAULT_WINDOW, checkpoint.positions)


def _lane(checkpoints: Mapping[str, Checkpoint], classifiers: Mapping[str, schema.Classifier]) -> LoadedLane:
    from runtime.inference.packed import PackedModel  # noqa: PLC0415 - loads torch
    from runtime.inference.unpacked import UnpackedModel  # noqa: PLC0415 - likewise

    settings = [one for name in checkpoints if (one := classifiers[name].checkpoint)]
    device, precision = settings[0].device, settings[0].precision
    longest = max(_longest(found, own) for found, own in zip(checkpoints.values(), settings, strict=True))
    name, first = next(iter(checkpoints.items()))
    packed = first.family is not None
    model = (
        PackedModel.load(checkpoints, device, precision)
        if packed
        else UnpackedModel.load(name, first, device, precision)
    )
    return LoadedLane(model, tuple(checkpoints), max(BUDGETS[device], longest), longest)


def _compiled_task(name: str, classifier: schema.Classifier) -> Task:
    encoder, tokenizer = _encoder(classifier)
    room = encoder.max_tokens - tokenizer.special
    return Task(name, tuple(classifier.labels), tokenizer, Windows(room, 0, whole=False), "mean")


def _compiled(name: str, classifier: schema.Classifier, folder: Path) -> LoadedLane:
    from runtime.inference.compiled import CompiledModel  # noqa: PLC0415 - only where there is such a head

    if classifier.head is None:
        raise ModelError(f"classifier {name}: has neither a head nor a checkpoint")
    encoder, _ = _encoder(classifier)
    head = load_head(classifier.head, classifier.labels, folder)
    model = CompiledModel(encoder, {name: head})
    return LoadedLane(model, (name,), max(BUDGETS["cpu"], encoder.max_tokens), encoder.max_tokens)


def _encoder(classifier: schema.Classifier) -> tuple[SentenceEncoder, TextTokenizer]:
    from runtime.inference.encoder import SentenceEncoder  # noqa: PLC0415 - loads onnxruntime

    if classifier.encoder is None:
        raise ModelError("a compiled head needs its encoder")
    files = find_encoder(classifier.encoder.repo, classifier.encoder.sha256)
    return SentenceEncoder.load(files, classifier.encoder.precision), TextTokenizer.load(files.tokenizer)
