"""The context of one API request: its generation, its deadline, and the limits of gateways' requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.deadline import DeadlineExceededError, Expired
from vsr_runtime.decision.guards.detection import Detection
from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.request.events import Cause, ImmediateResponse, RequestHeaders, SendToModel
from vsr_runtime.decision.request.immediate_responses import error_response, undecided_response
from vsr_runtime.inference.engine import errors as engine
from vsr_runtime.log import log
from vsr_runtime.server.api.contract import TASKS
from vsr_runtime.server.classify import ModelPool
from vsr_runtime.server.extproc import Processor
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.metrics import SHED
from vsr_runtime.server.readers.remote import LARGE_BODY
from vsr_runtime.server.thread_pool import OverloadedError, ThreadPool
from vsr_schemas.identity import USER
from vsr_schemas.runtime import ClassifierSettings

if TYPE_CHECKING:
    from vsr_runtime.inference.engine.interface import TokenLabels

Result = TypeVar("Result")
TOO_MANY = 429
HANDOVER = 4 << 10
"""Cost of handing a text to a thread, in characters."""
_PSEUDO = ((":method", "POST"), (":path", Api.CHAT.value), (":authority", "api"), ("content-type", "application/json"))


_CLIENT = Client({USER: "test"})
"""Who sends requests of the API, if the policy authenticates clients: nobody of any team."""


def _headers(headers: tuple[tuple[str, str], ...]) -> RequestHeaders:
    return RequestHeaders(headers, end_of_stream=False, client=_CLIENT)


class ApiError(Exception):
    """The request is answered with an error."""

    def __init__(self, answer: ImmediateResponse) -> None:
        super().__init__(answer.code)
        self.answer = answer


def shed(cause: Cause) -> ImmediateResponse:
    """The error for a request that could not be served: 429 if there is too much load, else 503."""
    return as_shed(undecided_response(cause))


def as_shed(answer: ImmediateResponse) -> ImmediateResponse:
    """An error of the data plane as the API returns it."""
    return replace(answer, status=TOO_MANY) if answer.cause in SHED else answer


@dataclass(frozen=True)
class RequestContext:
    """What an API request may use of the current policy.

    Attributes:
        processor: decides.
        threads: for long work.
        generation: the policy.
        size: bytes of the request.
        seed: the client's ``x-request-id``, which determines the outcome of a split; empty for none.
        chosen: the classifier that ``/classify`` uses if no name is given.
        begun: when the request arrived, by the monotonic clock.
    """

    processor: Processor
    threads: ThreadPool
    generation: Generation
    size: int
    seed: str
    chosen: str | None
    begun: float

    @property
    def took(self) -> int:
        """Milliseconds since the request arrived."""
        return round((monotonic() - self.begun) * 1000)

    @property
    def _until(self) -> float:
        """The deadline by the event loop's clock."""
        return self.begun + self.generation.budget - monotonic() + asyncio.get_running_loop().time()

    async def decided(self, body: bytes) -> SendToModel | ImmediateResponse:
        """Decide a chat.

        Raises:
            ApiError: there was no decision.
        """
        headers = _PSEUDO + ((("x-request-id", self.seed),) if self.seed else ())
        action = await self.processor.decided(self.generation, _headers(headers), body, self.begun)
        if isinstance(action, ImmediateResponse) and action.cause is not None:
            raise ApiError(as_shed(action))
        return action

    async def distribution(self, name: str, text: str) -> Mapping[str, float]:
        """The probability of each label by a loaded classifier. Raises ApiError."""
        return await self._or_api_error(self._pool.distribution(name, text, self._until))

    async def tokens(self, name: str, text: str) -> TokenLabels:
        """The probability of each label for each token. Raises ApiError."""
        return await self._or_api_error(self._pool.tokens(name, text, self._until))

    async def aside(self, text: str, work: Callable[[str, Expired], Result]) -> Result:
        """Process a text in a thread. Raises ApiError."""
        end = self.begun + self.generation.budget
        return await self._or_api_error(
            self.threads.run(self._until, len(text) + HANDOVER, lambda: work(text, lambda: monotonic() > end))
        )

    async def worked(self, work: Callable[[], Result]) -> Result:
        """Process the request: at once if it is small, else in a thread. Raises ApiError."""
        if self.size < LARGE_BODY:
            return work()
        return await self._or_api_error(self.threads.run(self._until, self.size + HANDOVER, work))

    def classifiers(self, task: str, kind: str | None = None) -> Mapping[str, ClassifierSettings]:
        """The loaded classifiers of a task, by name; optionally only those of a kind.

        A head, and a server that labels whole texts, count as sequence classifiers.
        """
        return {
            name: one
            for name, one in self.generation.classifiers.items()
            if one.task == task and kind in {None, "sequence" if one.checkpoint is None else one.checkpoint.kind}
        }

    async def detections(self, text: str) -> Mapping[str, Detection]:
        """What each server finds of personal data in a text, by the classifier's name. Raises ApiError."""
        names = [name for name, one in self.generation.classifiers.items() if one.task == "pii" and one.server]
        if not names:
            return {}
        results = await self.generation.looks(dict.fromkeys(names, (text,)), self._until)
        found: dict[str, Detection] = {}
        for name, result in results.items():
            if isinstance(result, Cause):
                raise ApiError(shed(result))
            found[name] = result[0]
        return found

    def named(self, name: str | None) -> tuple[str, ClassifierSettings]:
        """The classifier of this name, or the default one.

        Raises:
            ApiError: it is not loaded, or there is no default.
        """
        loaded = {
            name: one
            for name, one in self.generation.classifiers.items()
            if one.task in TASKS and not (one.task == "pii" and one.server)
        }
        selected = name or self.chosen or (next(iter(loaded)) if len(loaded) == 1 else None)
        listed = ", ".join(sorted(loaded)) or "none"
        if selected in loaded and selected is not None:
            return selected, loaded[selected]
        if selected is None and loaded:
            message = f"Say which classifier in 'parameters.classifier'. Loaded are {listed}."
            raise ApiError(error_response(404, "classifier_required", message, param="parameters.classifier"))
        raise ApiError(error_response(404, "no_classifier", f"No such classifier is loaded. Loaded are {listed}."))

    @property
    def _pool(self) -> ModelPool:
        if self.generation.pool is None:
            raise ApiError(error_response(404, "no_classifier", "No classifier is loaded."))
        return self.generation.pool

    async def _or_api_error(self, work: Awaitable[Result]) -> Result:
        try:
            return await work
        except ApiError:
            raise
        except (engine.OverloadedError, OverloadedError):
            raise ApiError(shed(Cause.OVERLOADED)) from None
        except (TimeoutError, DeadlineExceededError):
            raise ApiError(shed(Cause.TIMEOUT)) from None
        except Exception as error:
            log("classifier_failed", error=type(error).__name__)
            raise ApiError(shed(Cause.BROKEN)) from error
