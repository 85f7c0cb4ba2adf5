"""Handles an API request: limits, strict parsing, the endpoint's handler, and the answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from time import monotonic
from typing import Any

from pydantic import BaseModel, ValidationError

from vsr_runtime.decision.request.events import Cause, ImmediateResponse, RequestHeaders
from vsr_runtime.decision.request.headers import MODELS_PATH, content_error
from vsr_runtime.decision.request.immediate_responses import (
    RETRY_AFTER,
    body_too_large_response,
    error_response,
    model_list_response,
)
from vsr_runtime.decision.request.json_body import BodyError, read_body
from vsr_runtime.log import log
from vsr_runtime.server.api import findings
from vsr_runtime.server.api.endpoints import ENDPOINTS, OPENAPI, Endpoint
from vsr_runtime.server.api.handlers import ApiResult
from vsr_runtime.server.api.openapi import document
from vsr_runtime.server.api.request_context import ApiError, RequestContext, shed
from vsr_runtime.server.api.shapes import MAX_TEXTS
from vsr_runtime.server.extproc import Processor
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.http import Incoming
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.thread_pool import OverloadedError, ThreadPool

BODY_TIMEOUT = 10.0
"""Seconds for a body to arrive."""
THREADS = 2
MOST = 512
"""Concurrent requests of the API."""
MOST_BYTES = 64 << 20
"""Bytes of incomplete bodies at a time. Four of the largest bodies, if that is more."""
_ID = 128
_JSON = (("content-type", "application/json"),)


class HttpApi:
    """Answers the API's paths by the current policy.

    Args:
        serving: whether requests are accepted.
        metrics: counts requests.
        chosen: the classifier that ``/classify`` uses if a request names none; None for the only one there is.

    Attributes:
        processor: decides; None while it is being loaded.
    """

    def __init__(self, serving: Callable[[], bool], metrics: Metrics, chosen: str | None = None) -> None:
        self.processor: Processor | None = None
        self._serving = serving
        self._metrics = metrics
        self._chosen = chosen
        # Separate threads, so that scanning for personal data does not distort the estimate for reading bodies.
        self._threads = ThreadPool("api", threads=THREADS, max_pending=MOST * MAX_TEXTS)
        self._open = 0
        self._coming = 0
        self._document = json.dumps(document()).encode()
        findings.prepare()

    def close(self) -> None:
        """Stop the threads."""
        self._threads.close()

    async def answer(self, request: Incoming) -> ImmediateResponse:
        """Answer a request; errors are answers, too."""
        endpoint = ENDPOINTS.get(request.path)
        if endpoint is None:
            return self._page(request)
        answer = await self._admitted(endpoint, request)
        self._metrics.api_request(request.path, answer.status)
        return answer

    async def _admitted(self, endpoint: Endpoint, request: Incoming) -> ImmediateResponse:
        if request.method != "POST":
            return _wrong_method("POST")
        if self.processor is None or not self._serving():
            return _not_ready()
        if self._open >= MOST:
            return shed(Cause.FULL)
        self._open += 1
        try:
            return await self._served(self.processor, endpoint, request)
        finally:
            self._open -= 1

    def _page(self, request: Incoming) -> ImmediateResponse:
        """Answer a GET request."""
        if request.path not in (OPENAPI, MODELS_PATH):
            served = ", ".join((*ENDPOINTS, MODELS_PATH, OPENAPI))
            return error_response(404, "not_found", f"This path is not served here. Served are {served}.")
        if request.method not in ("GET", "HEAD"):
            return _wrong_method("GET, HEAD")
        if request.path == OPENAPI:
            return ImmediateResponse(200, self._document, "openapi", _JSON)
        if self.processor is None:
            return _not_ready()
        program = self.processor.generation.rules.program
        return model_list_response(tuple(dict.fromkeys((*program.auto_names, *program.models))))

    async def _served(self, processor: Processor, endpoint: Endpoint, request: Incoming) -> ImmediateResponse:
        try:
            return await self._answered(processor, endpoint, request)
        except ApiError as error:
            return error.answer
        except Exception as error:  # noqa: BLE001 - reported without the request's text
            log("api_failed", path=request.path, error=type(error).__name__)
            return error_response(500, "internal_error", "Something went wrong here.")

    async def _answered(self, processor: Processor, endpoint: Endpoint, request: Incoming) -> ImmediateResponse:
        most = processor.generation.rules.max_body
        if error := content_error(RequestHeaders(request.headers, end_of_stream=False), most):
            return error
        trace = endpoint.traced and _trace(request)
        data = await self._body(request, most)
        begun = monotonic()
        with _held_generation(processor, len(data)) as generation:
            seed = next((value[:_ID] for key, value in request.headers if key == "x-request-id"), "")
            context = RequestContext(processor, self._threads, generation, len(data), seed, self._chosen, begun)
            parsed = await context.worked(partial(_read, endpoint, data, trace=trace))
            result = await _one_error(endpoint.handle(context, parsed))
            return ImmediateResponse(200, _serialised(result), "answered", _JSON)

    async def _body(self, request: Incoming, most: int) -> bytes:
        """Read the complete body.

        Raises:
            ApiError: it is too large or too slow, or too many bytes are arriving.
        """
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                async for chunk in request.chunks:
                    size += len(chunk)
                    self._coming += len(chunk)
                    if size > most:
                        raise ApiError(body_too_large_response(most))
                    if self._coming > max(MOST_BYTES, 4 * most):
                        raise ApiError(shed(Cause.FULL))
                    parts.append(chunk)
        except TimeoutError:
            raise ApiError(error_response(408, "body_too_slow", "The body did not come in time.")) from None
        finally:
            self._coming -= size
        return b"".join(parts)


@contextmanager
def _held_generation(processor: Processor, size: int) -> Iterator[Generation]:
    with ExitStack() as stack:
        try:
            generation = stack.enter_context(processor.hold(size))
        except OverloadedError:
            raise ApiError(shed(Cause.FULL)) from None
        yield generation


def _read(endpoint: Endpoint, data: bytes, *, trace: bool) -> BaseModel:
    """Parse a request.

    Raises:
        ApiError: it is not strict JSON, or has another shape.
    """
    try:
        values = dict(read_body(data).values)
    except BodyError as error:
        raise ApiError(error_response(400, error.code, str(error))) from None
    try:
        parsed = endpoint.request.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        param = ".".join(str(part) for part in first["loc"])[:200]
        raise ApiError(error_response(422, "invalid_request", f"{first['msg']}.", param=param or None)) from None
    if trace:
        parsed = endpoint.request.model_validate({**values, "options": {**values.get("options", {}), "trace": True}})  # type: ignore[dict-item] # it was valid
    return parsed


def _trace(request: Incoming) -> bool:
    given = request.query.get("trace", "false")
    if given not in ("true", "false"):
        raise ApiError(error_response(422, "invalid_request", "The query's 'trace' is true or false.", param="trace"))
    return given == "true"


async def _one_error(handled: Any) -> ApiResult:  # noqa: ANN401 - any handler's
    """Run a handler; of several errors in a group, raise the first.

    Not by ``except*``, which puts an error that belongs to the group into a group again.
    """
    try:
        result: ApiResult = await handled
    except BaseExceptionGroup as group:
        if group.split(ApiError)[1] is not None:
            raise
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None
    return result


def _serialised(result: ApiResult) -> bytes:
    if isinstance(result, list):
        return json.dumps([one.model_dump() for one in result]).encode()
    return result.model_dump_json(exclude_none=True).encode()


def _not_ready() -> ImmediateResponse:
    return error_response(503, "not_ready", "The runtime does not serve now.", headers=(("retry-after", RETRY_AFTER),))


def _wrong_method(allowed: str) -> ImmediateResponse:
    return error_response(405, "method_not_allowed", f"This path takes {allowed} only.", headers=(("allow", allowed),))
