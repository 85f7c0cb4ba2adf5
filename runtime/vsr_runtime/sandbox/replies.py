"""What a stand-in replies in each API: documents of vLLM's and the providers' forms that compute nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.request.static_response import STATIC_MODEL, static_response

Document = dict[str, Any]
AUDIO = bytes.fromhex("524946462400000057415645666d74201000000001000100401f0000803e0000020010006461746100000000")
"""A WAV file without sound."""
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
_ID = "stand-in"
_VLLM = frozenset(Api) - {
    Api.INPUT_TOKENS,
    Api.INPUT_ITEMS,
    Api.MODERATIONS,
    Api.SPEECH,
    Api.IMAGES,
    Api.IMAGE_EDITS,
}
"""The APIs of vLLM 0.17.0."""


def serves(api: Api, method: str, *, provider: bool) -> bool:
    """Return whether a stand-in serves an API: that of a model in the cluster what vLLM serves, a provider all."""
    return provider or (api in _VLLM and method != "DELETE")


def text_of(model: str) -> str:
    """Return the text of generated responses."""
    return f"This is a stand-in for {model}."


def document(api: Api, model: str, body: Mapping[str, Any]) -> Document:
    """Return the response to a request that is not streamed. Every one names the model, also where the API does not."""
    if api in (Api.CHAT, Api.COMPLETIONS):
        return _completion(api, model)
    if api.generates:
        reply: Document = json.loads(static_response(api, text_of(model), {}, _ID.encode()).body)
        return reply | {"model": model}
    return _FORMS[api](body) | {"model": model}


def events(api: Api, model: str) -> Iterator[str]:
    """Yield the events of a stream, without the blank line after each."""
    if api in (Api.CHAT, Api.COMPLETIONS):
        yield from (f"data: {event}" for event in _chunks(api, model))
        return
    whole = static_response(api, text_of(model), {"stream": True}, _ID.encode()).body.decode()
    yield from whole.replace(json.dumps(STATIC_MODEL), json.dumps(model)).strip().split("\n\n")


def error(api: Api | None, status: int, message: str, code: str) -> Document:
    """Return an error in the form of the API."""
    if api is not None and api.anthropic:
        kind = "not_found_error" if status == 404 else "invalid_request_error"  # noqa: PLR2004 - HTTP's own number
        return {"type": "error", "error": {"type": kind, "message": message, "code": code}}
    return {"error": {"message": message, "type": "NotFoundError", "param": "model", "code": code}}


def models(names: tuple[str, ...]) -> Document:
    """Return the list of models."""
    return {"object": "list", "data": [{"id": name, "object": "model", "owned_by": _ID} for name in names]}


def _completion(api: Api, model: str) -> Document:
    text = text_of(model)
    choice: Document = {"index": 0, "finish_reason": "stop"}
    choice |= {"message": {"role": "assistant", "content": text}} if api is Api.CHAT else {"text": text}
    kind = "chat.completion" if api is Api.CHAT else "text_completion"
    return {"id": _ID, "object": kind, "created": 0, "model": model, "choices": [choice], "usage": _USAGE}


def _chunks(api: Api, model: str) -> Iterator[str]:
    """Yield a stream of two words, an end, and the closing mark."""
    for text, reason in (("stand-in ", None), (model, None), ("", "stop")):
        choice: Document = {"index": 0, "finish_reason": reason}
        choice |= {"delta": {"content": text} if text else {}} if api is Api.CHAT else {"text": text}
        kind = "chat.completion.chunk" if api is Api.CHAT else "text_completion"
        yield json.dumps({"id": _ID, "object": kind, "created": 0, "model": model, "choices": [choice]})
    yield "[DONE]"


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _vectors(kind: str) -> Callable[[Mapping[str, Any]], Document]:
    def form(body: Mapping[str, Any]) -> Document:
        """Return a vector for each input."""
        data = [
            {"object": kind, "index": index, "embedding" if kind == "embedding" else "data": [0.0, 1.0]}
            for index, _ in enumerate(_listed(body.get("input", "")))
        ]
        return {"id": _ID, "object": "list", "created": 0, "data": data, "usage": _USAGE}

    return form


def _ranks(body: Mapping[str, Any]) -> Document:
    results = [
        {"index": index, "document": {"text": text}, "relevance_score": 1 / (1 + index)}
        for index, text in enumerate(_listed(body.get("documents", [])))
    ]
    return {"id": _ID, "usage": {"total_tokens": 0}, "results": results}


def _scores(body: Mapping[str, Any]) -> Document:
    pairs = _listed(body.get("text_2", body.get("documents", "")))
    data = [{"index": index, "object": "score", "score": 0.5} for index, _ in enumerate(pairs)]
    return {"id": _ID, "object": "list", "created": 0, "data": data, "usage": _USAGE}


def _classes(body: Mapping[str, Any]) -> Document:
    data = [
        {"index": index, "label": "LABEL_0", "probs": [1.0], "num_classes": 1}
        for index, _ in enumerate(_listed(body.get("input", "")))
    ]
    return {"id": _ID, "object": "list", "created": 0, "data": data, "usage": _USAGE}


def _tokens(body: Mapping[str, Any]) -> Document:
    words = str(body.get("prompt") or body.get("messages") or "").split()
    return {"count": len(words), "max_model_len": 4096, "tokens": list(range(len(words))), "token_strs": None}


def _stored(_: Mapping[str, Any]) -> Document:
    return {"id": _ID, "object": "response", "status": "completed", "output": []}


def _image(_: Mapping[str, Any]) -> Document:
    return {"created": 0, "data": [{"b64_json": _PIXEL}]}


_FORMS: Mapping[Api, Callable[[Mapping[str, Any]], Document]] = {
    Api.INPUT_TOKENS: lambda _: {"object": "response.input_tokens", "input_tokens": 1},
    Api.STORED_RESPONSE: _stored,
    Api.CANCEL_RESPONSE: lambda body: _stored(body) | {"status": "cancelled"},
    Api.INPUT_ITEMS: lambda _: {"object": "list", "data": []},
    Api.COUNT_TOKENS: lambda _: {"input_tokens": 1},
    Api.EMBEDDINGS: _vectors("embedding"),
    Api.POOLING: _vectors("pooling"),
    **dict.fromkeys((Api.RERANK, Api.RERANK_V2, Api.RERANK_BARE), _ranks),
    **dict.fromkeys((Api.SCORE, Api.SCORE_BARE), _scores),
    Api.CLASSIFY: _classes,
    Api.TOKENIZE: _tokens,
    Api.DETOKENIZE: lambda _: {"prompt": ""},
    Api.MODERATIONS: lambda _: {"id": _ID, "results": [{"flagged": False, "categories": {}, "category_scores": {}}]},
    Api.TRANSCRIPTIONS: lambda _: {"text": "", "usage": {"type": "duration", "seconds": 0}},
    Api.TRANSLATIONS: lambda _: {"text": ""},
    Api.IMAGES: _image,
    Api.IMAGE_EDITS: _image,
}
