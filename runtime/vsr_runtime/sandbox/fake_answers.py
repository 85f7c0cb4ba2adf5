"""What a fake detector answers: in its server's protocol, with findings only where a text asks for one.

A text asks by the word `MARKER`, for one label also by `MARKER:LABEL`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vsr_schemas.inference_servers import PROTOCOLS, ServerProtocol
from vsr_schemas.presidio import presidio_names
from vsr_schemas.runtime import ClassifierSettings
from vsr_schemas.runtime_servers import ServerSettings

MARKER = "vsr-fake-finding"
"""The word that a fake detector finds, in capital or small letters."""
_MARKER = re.compile(re.escape(MARKER) + r"(?::(\w[\w./-]{0,127}))?", re.IGNORECASE | re.ASCII)
_SEPARATORS = re.compile(r"[\W_]+")
_VERDICTS = frozenset({"flagged", "unsafe", "blocked"})


class UnexpectedRequestError(Exception):
    """The request is not one of the protocol."""


@dataclass(frozen=True, slots=True)
class Found:
    """A marker in a text, and the labels that it asks for."""

    start: int
    end: int
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The JSON values of an answer, and the number of findings in it."""

    body: object
    findings: int


def found(text: str, labels: Sequence[str]) -> list[Found]:
    """Return the markers in a text that ask for one of the labels. A marker without a label asks for all of them."""
    return [
        Found(match.start(), match.end(), asked)
        for match in _MARKER.finditer(text)
        if (asked := _asked(match[1], labels))
    ]


def answer(classifier: ClassifierSettings, server: ServerSettings, body: object) -> Answer:
    """Return the answer to a request.

    Raises:
        UnexpectedRequestError: it is not one of the protocol.
    """
    if not isinstance(body, dict):
        raise UnexpectedRequestError("no JSON object")
    if PROTOCOLS[server.protocol].model == "required" and server.protocol != "kserve-v2":
        _expect(body.get("model") == server.model, "another model")
    texts = _TEXTS[server.protocol](body)
    _expect(all(isinstance(text, str) for text in texts), "no text")
    marks = [found(text, classifier.labels) for text in texts]
    return Answer(_BODIES[server.protocol](classifier, server, marks), sum(map(len, marks)))


def _asked(word: str | None, labels: Sequence[str]) -> tuple[str, ...]:
    """Return the labels that a marker asks for. Spaces and other separators of a label are any separator."""
    return tuple(label for label in labels if word is None or _plain(label) == _plain(word))


def _plain(label: str) -> str:
    return _SEPARATORS.sub("-", label.lower()).strip("-")


def _expect(condition: object, otherwise: str) -> None:
    if not condition:
        raise UnexpectedRequestError(otherwise)


def _list(value: object) -> list[Any]:
    _expect(isinstance(value, list), "no list")
    return value if isinstance(value, list) else []


def _message(body: Mapping[str, Any]) -> list[Any]:
    (*_, last) = _list(body.get("messages")) or [None]
    _expect(isinstance(last, dict), "no message")
    return [last["content"] if isinstance(last, dict) and "content" in last else None]


def _tensor(body: Mapping[str, Any]) -> list[Any]:
    (*_, last) = _list(body.get("inputs")) or [None]
    _expect(isinstance(last, dict) and last.get("datatype") == "BYTES", "no tensor of texts")
    return _list(last.get("data")) if isinstance(last, dict) else []


def _single_texts(body: Mapping[str, Any]) -> list[Any]:
    rows = [_list(row) for row in _list(body.get("inputs"))]
    _expect(all(len(row) == 1 for row in rows), "a pair of texts")
    return [row[0] for row in rows]


_TEXTS: Mapping[ServerProtocol, Callable[[Mapping[str, Any]], list[Any]]] = {
    "presidio": lambda body: [body.get("text")],
    "openai-moderation": lambda body: _list(body.get("input")),
    "llama-guard": _message,
    "nemo-guardrails": _message,
    "kserve-v2": _tensor,
    "tei": _single_texts,
    "vllm-classify": lambda body: _list(body.get("input")),
    "vllm-pooling": lambda body: _list(body.get("input")),
}
"""Where the texts of a request are."""

_Marks = Sequence[Sequence[Found]]


def _presidio(_classifier: ClassifierSettings, _server: ServerSettings, marks: _Marks) -> object:
    return [
        {"entity_type": presidio_names(label)[0], "start": mark.start, "end": mark.end, "score": 1.0}
        for mark in marks[0]
        for label in mark.labels
    ]


def _moderation(classifier: ClassifierSettings, server: ServerSettings, marks: _Marks) -> object:
    categories = [label for label in classifier.labels if label not in _VERDICTS]
    results = []
    for one in marks:
        named = _labels(one)
        scores = {label: float(label in named) for label in categories}
        flags = {label: label in named for label in categories}
        results.append({"flagged": bool(one), "categories": flags, "category_scores": scores})
    return {"id": "modr-fake", "model": server.model or "fake", "results": results}


def _llama_guard(_classifier: ClassifierSettings, server: ServerSettings, marks: _Marks) -> object:
    categories = sorted(_labels(marks[0]) - _VERDICTS)
    verdict = "\n".join(("unsafe", *([",".join(categories)] if categories else ()))) if marks[0] else "safe"
    message = {"role": "assistant", "content": verdict}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "chatcmpl-fake", "object": "chat.completion", "model": server.model, "choices": [choice]}


def _nemo(_classifier: ClassifierSettings, _server: ServerSettings, marks: _Marks) -> object:
    return {"status": "blocked" if marks[0] else "success", "rails_status": {}}


def _tei(classifier: ClassifierSettings, _server: ServerSettings, marks: _Marks) -> object:
    rows = [_classes(classifier.labels, classifier, one) for one in marks]
    return [
        [{"label": label, "score": score} for label, score in zip(classifier.labels, row, strict=True)] for row in rows
    ]


def _kserve(classifier: ClassifierSettings, server: ServerSettings, marks: _Marks) -> object:
    rows = _rows(classifier, server, marks)
    shape = [len(rows), len(server.outputs or ())]
    data = [score for row in rows for score in row]
    tensor = {"name": "output-0", "shape": shape, "datatype": "FP32", "data": data}
    return {"model_name": server.model, "outputs": [tensor]}


def _vllm_classify(classifier: ClassifierSettings, server: ServerSettings, marks: _Marks) -> object:
    data = [
        {"index": index, "label": None, "probs": row, "num_classes": len(row)}
        for index, row in enumerate(_rows(classifier, server, marks))
    ]
    return {"id": "classify-fake", "object": "list", "model": server.model, "data": data}


def _vllm_pooling(classifier: ClassifierSettings, server: ServerSettings, marks: _Marks) -> object:
    data = [
        {"index": index, "object": "pooling", "data": row} for index, row in enumerate(_rows(classifier, server, marks))
    ]
    return {"id": "pool-fake", "object": "list", "model": server.model, "data": data}


_BODIES: Mapping[ServerProtocol, Callable[[ClassifierSettings, ServerSettings, _Marks], object]] = {
    "presidio": _presidio,
    "openai-moderation": _moderation,
    "llama-guard": _llama_guard,
    "nemo-guardrails": _nemo,
    "kserve-v2": _kserve,
    "tei": _tei,
    "vllm-classify": _vllm_classify,
    "vllm-pooling": _vllm_pooling,
}
"""The answer to marked texts."""


def _labels(marks: Sequence[Found]) -> set[str]:
    return {label for mark in marks for label in mark.labels}


def _rows(classifier: ClassifierSettings, server: ServerSettings, marks: _Marks) -> list[list[float]]:
    return [_classes(server.outputs or (), classifier, one) for one in marks]


def _classes(outputs: Sequence[str], classifier: ClassifierSettings, marks: Sequence[Found]) -> list[float]:
    """Return the probability of each output: a text has one class, the first that the first marker asks for.

    Without a marker it is an output that the policy does not speak of; if there is none, all are 0.
    """
    others = [name for name in outputs if name not in classifier.labels]
    chosen = marks[0].labels[0] if marks else next(iter(others), None)
    return [float(name == chosen) for name in outputs]
