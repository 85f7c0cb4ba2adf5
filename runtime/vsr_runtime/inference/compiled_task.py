"""How compiled heads read texts: whole if their encoder can, otherwise its two ends, or in windows."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_runtime.inference.encoder_files import EncoderFiles, find_encoder, max_tokens
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.task import Task
from vsr_runtime.inference.tokenizer import TextTokenizer
from vsr_runtime.inference.windows import Windows
from vsr_schemas.runtime import ClassifierSettings


def compiled_tasks(classifiers: Mapping[str, ClassifierSettings]) -> dict[str, Task]:
    """Return how compiled classifiers read texts. Those of one encoder share its tokenizer.

    Raises:
        ModelError: an encoder is missing, or a head's window does not fit it.
    """
    tokenizers: dict[EncoderFiles, TextTokenizer] = {}
    tasks = {}
    for name, classifier in classifiers.items():
        files = encoder_files(classifier)
        if files not in tokenizers:
            tokenizers[files] = TextTokenizer.load(files.tokenizer)
        tasks[name] = _task(name, classifier, tokenizers[files], max_tokens(files))
    return tasks


def _task(name: str, classifier: ClassifierSettings, tokenizer: TextTokenizer, longest: int) -> Task:
    labels = tuple(classifier.labels)
    head = classifier.head
    if head is None or head.window is None:
        return Task(name, labels, tokenizer, Windows(longest - tokenizer.special, 0, whole=False), "mean")
    if head.window > longest:
        raise ModelError(f"classifier {name}: the encoder reads {longest} tokens at a time, not {head.window}")
    size, overlap = head.window - tokenizer.special, head.overlap or 0
    if overlap >= size:
        raise ModelError(f"classifier {name}: windows of {size} tokens cannot overlap by {overlap}")
    return Task(name, labels, tokenizer, Windows(size, overlap, whole=True), "max")


def encoder_files(classifier: ClassifierSettings) -> EncoderFiles:
    """Return the files of a classifier's encoder.

    Raises:
        ModelError: it has none, or they are not on this machine.
    """
    if classifier.encoder is None:
        raise ModelError("a compiled head needs its encoder")
    return find_encoder(classifier.encoder.repo, classifier.encoder.sha256)
