"""From ``runtime.yaml`` to an engine: how texts are read, and models on their devices.

Reading texts needs no torch, so a process that only asks an engine does not import it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vsr_runtime.inference.checkpoint import Checkpoint, encoder_key
from vsr_runtime.inference.classifier import load_head
from vsr_runtime.inference.compiled_task import compiled_tasks, encoder_files
from vsr_runtime.inference.engine.batch_queues import LoadedModel
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.task import Task, find_valid_checkpoint, longest_sequence, read_task
from vsr_runtime.inference.windows import Floats
from vsr_schemas import runtime as schema

if TYPE_CHECKING:
    from vsr_runtime.inference.cuda_graphs import Mode
    from vsr_runtime.inference.encoder import Layer, SentenceEncoder

MODE = "VSR_ENGINE_MODE"
"""The environment variable with the mode of a GPU: ``eager``, ``compile`` or ``graphs``; see
``vsr_runtime.inference.cuda_graphs``."""
BUDGETS = {"cpu": 512, "cuda": 16_384}
"""Tokens of a batch by device: on a CPU a batch must not take longer than a request may wait."""


def read_tasks(classifiers: Mapping[str, schema.ClassifierSettings]) -> dict[str, Task]:
    """Read how each classifier reads texts.

    Args:
        classifiers: By name, as in ``runtime.yaml``.

    Raises:
        ModelError: A checkpoint is missing, invalid, or lacks the policy's labels.
    """
    compiled = compiled_tasks({name: one for name, one in classifiers.items() if one.checkpoint is None})
    return {name: compiled[name] if name in compiled else read_task(name, one) for name, one in classifiers.items()}


def load_models(classifiers: Mapping[str, schema.ClassifierSettings], folder: Path) -> list[LoadedModel]:
    """Load models; those that share an encoder, a device and a precision become one. Takes seconds.

    Raises:
        ModelError: One cannot be loaded, or its device does not exist.
    """
    groups: dict[tuple[str, str, str], dict[str, Checkpoint]] = {}
    compiled = {name: one for name, one in classifiers.items() if one.checkpoint is None}
    queues = _compiled(compiled, folder)
    for name, classifier in classifiers.items():
        if classifier.checkpoint is None:
            continue
        found = find_valid_checkpoint(name, classifier.checkpoint)
        key = (
            encoder_key(found) if found.family else name,
            classifier.checkpoint.device,
            classifier.checkpoint.precision,
        )
        groups.setdefault(key, {})[name] = found
    queues.extend(_queue(checkpoints, classifiers) for checkpoints in groups.values())
    return queues


def _queue(checkpoints: Mapping[str, Checkpoint], classifiers: Mapping[str, schema.ClassifierSettings]) -> LoadedModel:
    from vsr_runtime.inference.packed_model import PackedModel  # noqa: PLC0415 - loads torch
    from vsr_runtime.inference.unpacked_model import UnpackedModel  # noqa: PLC0415 - likewise

    settings = [one for name in checkpoints if (one := classifiers[name].checkpoint)]
    device, precision = settings[0].device, settings[0].precision
    longest = max(longest_sequence(found, own) for found, own in zip(checkpoints.values(), settings, strict=True))
    name, first = next(iter(checkpoints.items()))
    packed = first.family is not None
    model = (
        PackedModel.load(checkpoints, device, precision, _mode(), longest)
        if packed
        else UnpackedModel.load(name, first, device, precision)
    )
    return LoadedModel(model, tuple(checkpoints), max(BUDGETS[device], longest), longest)


def _mode() -> Mode:
    """The mode of a GPU: ``VSR_ENGINE_MODE``."""
    modes: dict[str, Mode] = {"eager": "eager", "compile": "compile", "graphs": "graphs"}
    mode = os.environ.get(MODE, "eager")
    if mode not in modes:
        raise ModelError(f"{MODE} is {mode!r}; it can be {', '.join(modes)}")
    return modes[mode]


def _compiled(classifiers: Mapping[str, schema.ClassifierSettings], folder: Path) -> list[LoadedModel]:
    """A model for each encoder: everything compiled over it shares its forward pass."""
    from vsr_runtime.inference.compiled_model import CompiledModel  # noqa: PLC0415 - only where there is something compiled

    queues = []
    for settings in dict.fromkeys(one.encoder for one in classifiers.values()):
        own = {name: one for name, one in classifiers.items() if one.encoder == settings}
        encoder = _encoder(next(iter(own.values())))
        heads = {name: _answers(name, one, folder, encoder) for name, one in own.items()}
        model = CompiledModel(encoder, heads)
        budget = max(BUDGETS["cpu"], encoder.max_tokens)
        queues.append(LoadedModel(model, tuple(own), budget, encoder.max_tokens))
    return queues


def _answers(
    name: str, classifier: schema.ClassifierSettings, folder: Path, encoder: SentenceEncoder
) -> tuple[Callable[[Floats], Floats], Layer]:
    """The function from embeddings to answers, the head's probabilities or the cosines with sentences; its layer."""
    from vsr_runtime.inference.sentences import load_sentences  # noqa: PLC0415 - needs the classify extra

    if classifier.task == "likeness":
        return load_sentences(classifier, folder, encoder).likeness, "last"
    if classifier.head is None:
        raise ModelError(f"classifier {name}: has neither a head nor a checkpoint")
    head = load_head(classifier.head, classifier.labels, folder)
    return head.probabilities, head.layer


def _encoder(classifier: schema.ClassifierSettings) -> SentenceEncoder:
    from vsr_runtime.inference.encoder import SentenceEncoder  # noqa: PLC0415 - loads onnxruntime

    files = encoder_files(classifier)
    return SentenceEncoder.load(files, classifier.encoder.precision if classifier.encoder else "int8")
