"""Protocols of inference servers that answer with the probability of each class of a text."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from vsr_runtime.server.detectors.answers import Result, checked_score, decoded, numbered_shares, one_each
from vsr_runtime.server.detectors.errors import WrongAnswerError
from vsr_schemas.runtime_servers import ServerSettings

INPUT = "input-0"
"""The name of the input of a KServe model."""
_FLOATS = ("FP16", "BF16", "FP32", "FP64")
_INTEGERS = ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64")


class _Prediction(msgspec.Struct):
    label: str
    score: float


class Tei:
    """Requests and answers of text-embeddings-inference's ``/predict``. A text that is too long is refused."""

    def __init__(self, settings: ServerSettings, labels: Sequence[str]) -> None:
        del settings, labels

    def request(self, texts: Sequence[str]) -> object:
        """Return the body of a request. Each text is a list, because a list of two texts would be a pair."""
        return {"inputs": [[text] for text in texts], "raw_scores": False, "truncate": False}

    def read(self, data: bytes, texts: Sequence[str]) -> list[Result]:
        """Return the probabilities of each text. Raises WrongAnswerError."""
        rows = decoded(data, list[list[_Prediction]])
        one_each(len(rows), len(texts))
        return [{one.label: checked_score(one.score) for one in row} for row in rows]


class _Class(msgspec.Struct):
    index: int
    probs: list[float]


class _Classes(msgspec.Struct):
    data: list[_Class]


class VllmClassify:
    """Requests and answers of vLLM's ``/classify``."""

    def __init__(self, settings: ServerSettings, labels: Sequence[str]) -> None:
        del labels
        self._model = settings.model
        self._outputs = tuple(settings.outputs or ())

    def request(self, texts: Sequence[str]) -> object:
        """Return the body of a request."""
        return {"model": self._model, "input": list(texts)}

    def read(self, data: bytes, texts: Sequence[str]) -> list[Result]:
        """Return the probabilities of each text. Raises WrongAnswerError."""
        rows = decoded(data, _Classes).data
        return _in_order([(row.index, row.probs) for row in rows], len(texts), self._outputs)


class _Pooled(msgspec.Struct):
    index: int
    data: list[float]


class _Pooling(msgspec.Struct):
    data: list[_Pooled]


class VllmPooling(VllmClassify):
    """Requests and answers of vLLM's ``/pooling`` with the task ``classify``."""

    def request(self, texts: Sequence[str]) -> object:
        """Return the body of a request."""
        return {"model": self._model, "input": list(texts), "task": "classify", "encoding_format": "float"}

    def read(self, data: bytes, texts: Sequence[str]) -> list[Result]:
        """Return the probabilities of each text. Raises WrongAnswerError."""
        rows = decoded(data, _Pooling).data
        return _in_order([(row.index, row.data) for row in rows], len(texts), self._outputs)


def _in_order(rows: Sequence[tuple[int, list[float]]], count: int, outputs: Sequence[str]) -> list[Result]:
    if sorted(index for index, _ in rows) != list(range(count)):
        raise WrongAnswerError(f"the results are not those of {count} texts")
    return [numbered_shares(values, outputs) for _, values in sorted(rows, key=lambda row: row[0])]


class _Tensor(msgspec.Struct):
    datatype: str
    shape: list[int]
    data: list[float]


class _Inference(msgspec.Struct):
    outputs: list[_Tensor]


class KServe:
    """Requests and answers of the Open Inference Protocol.

    The model reads one tensor of texts. It answers with one tensor: probabilities, a row for each text, or the number
    of the most probable output of each text, which counts as certain.
    """

    def __init__(self, settings: ServerSettings, labels: Sequence[str]) -> None:
        del labels
        self._outputs = tuple(settings.outputs or ())

    def request(self, texts: Sequence[str]) -> object:
        """Return the body of a request."""
        return {"inputs": [{"name": INPUT, "shape": [len(texts)], "datatype": "BYTES", "data": list(texts)}]}

    def read(self, data: bytes, texts: Sequence[str]) -> list[Result]:
        """Return the probabilities of each text. Raises WrongAnswerError."""
        tensors = decoded(data, _Inference).outputs
        if len(tensors) != 1:
            raise WrongAnswerError(f"{len(tensors)} tensors instead of one")
        tensor, width = tensors[0], len(self._outputs)
        if tensor.datatype in _FLOATS and tensor.shape == [len(texts), width]:
            one_each(len(tensor.data), len(texts) * width)
            rows = [tensor.data[start : start + width] for start in range(0, len(tensor.data), width)]
            return [numbered_shares(row, self._outputs) for row in rows]
        if tensor.datatype in _INTEGERS and tensor.shape in ([len(texts)], [len(texts), 1]):
            one_each(len(tensor.data), len(texts))
            return [self._chosen(number) for number in tensor.data]
        raise WrongAnswerError("the tensor has neither a probability of each output nor the number of one")

    def _chosen(self, number: float) -> dict[str, float]:
        if number not in range(len(self._outputs)):
            raise WrongAnswerError("there is no output of this number")
        return {name: float(place == number) for place, name in enumerate(self._outputs)}
