"""One server that classifies text: what it is asked, within its bounds, and what its answers mean for a policy."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from vsr_runtime.credentials import ServerAccess
from vsr_runtime.decision.guards.detection import Detection, TextSpan, most_likely
from vsr_runtime.decision.request.events import Cause, DetectorResult
from vsr_runtime.inference.engine.errors import OverloadedError
from vsr_runtime.log import log
from vsr_runtime.server.detectors.answers import Result, Shares, SpanDetection
from vsr_runtime.server.detectors.client import HttpClient
from vsr_runtime.server.detectors.counts import Outcome, count
from vsr_runtime.server.detectors.errors import RefusedTextError, WrongAnswerError
from vsr_runtime.server.detectors.gate import Gate
from vsr_runtime.server.detectors.pieces import Piece, TooManyPiecesError, cut
from vsr_runtime.server.detectors.wire import WIRES
from vsr_schemas.inference_servers import PROTOCOLS
from vsr_schemas.runtime import ClassifierSettings
from vsr_schemas.runtime_servers import ServerSettings


class RemoteClassifier:
    """A classifier that a server computes.

    Args:
        name: its name in the policy.
        classifier: its settings.
        server: those of the server.
        access: how it is reached.
    """

    def __init__(self, name: str, classifier: ClassifierSettings, server: ServerSettings, access: ServerAccess) -> None:
        facts = PROTOCOLS[server.protocol]
        path = facts.path.format(model=quote(server.model or "", safe=""))
        # A base such as https://api.openai.com/v1 and a path such as /v1/moderations have the version once.
        base = server.url.removesuffix("/v1") if path.startswith("/v1/") else server.url
        self._name = name
        self._labels = tuple(classifier.labels)
        self._known = frozenset(server.outputs or ()) | frozenset(classifier.labels)
        self._by_spans = classifier.task == "pii"
        self._window, self._batch, self._concurrency = server.window, facts.batch, server.concurrency
        self._timeout = server.timeout / 1000
        self._wire = WIRES[server.protocol](server, self._labels)
        self._gate = Gate(server.concurrency)
        self._client = HttpClient(base + path, dict(access.headers), server.concurrency, access.tls)

    async def detect(self, texts: Sequence[str], until: float) -> DetectorResult:
        """Return the detections in each text, or the cause of the failure."""
        try:
            results = await self.results(texts, until)
            return [self._detection(text, result) for text, result in zip(texts, results, strict=True)]
        except OverloadedError:
            return Cause.OVERLOADED
        except TimeoutError:
            return Cause.TIMEOUT
        except (RefusedTextError, TooManyPiecesError):
            return Cause.TOO_COMPLEX
        except Exception as error:  # noqa: BLE001 - whatever a server causes must end in an error response
            log("detector_failed", detector=self._name, error=type(error).__name__, reason=_reason(error))
            return Cause.BROKEN

    async def shares(self, text: str, until: float) -> Shares:
        """Return the score of each label of a text. Raises what `results` raises."""
        (result,) = await self.results([text], until)
        return result if isinstance(result, Mapping) else {}

    async def results(self, texts: Sequence[str], until: float) -> list[Result]:
        """Return the result of each text: of several pieces each label has its highest score.

        Raises:
            OverloadedError: too much waits for this server.
            TimeoutError: it did not answer in time.
            RefusedTextError: it refuses a text.
            TooManyPiecesError: the texts are too long.
            WrongAnswerError: an answer breaks the protocol.
            OSError: it cannot be reached.
        """
        outcome: Outcome = "unreachable"
        unknown: set[str] = set()
        try:
            pieces = cut(texts, self._window)
            async with asyncio.timeout_at(min(until, asyncio.get_running_loop().time() + self._timeout)):
                found = await self._all(pieces)
            results = self._joined(texts, pieces, found, unknown)
            outcome = "ok"
        except BaseExceptionGroup as errors:
            error = _first(errors)
            outcome = _outcome(error)
            raise error from None
        except (Exception, asyncio.CancelledError) as error:
            outcome = _outcome(error)
            raise
        finally:
            count(self._name, outcome, len(unknown))
        return results

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    async def _all(self, pieces: Sequence[Piece]) -> list[Result]:
        """Return the result of each piece. One evaluation has at most as many requests as the server has at a time."""
        batches = [pieces[start : start + self._batch] for start in range(0, len(pieces), self._batch)]
        results: list[list[Result]] = [[] for _ in batches]
        left = iter(enumerate(batches))

        async def work() -> None:
            for number, batch in left:
                texts = [piece.text for piece in batch]
                async with self._gate.turn():
                    results[number] = self._wire.read(await self._client.post(self._wire.request(texts)), texts)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._concurrency, len(batches))):
                group.create_task(work())
        return [result for batch in results for result in batch]

    def _joined(
        self, texts: Sequence[str], pieces: Sequence[Piece], found: Sequence[Result], unknown: set[str]
    ) -> list[Result]:
        """Combine the results of the pieces of each text. Labels that the policy does not know are noted."""
        shares: list[dict[str, float]] = [{} for _ in texts]
        spans: list[dict[TextSpan, None]] = [{} for _ in texts]
        for piece, result in zip(pieces, found, strict=True):
            if isinstance(result, Mapping):
                unknown |= result.keys() - self._known
                if missing := [label for label in self._labels if label not in result]:
                    raise WrongAnswerError(f"the answer has no label {missing[0]!r}")
                own = shares[piece.number]
                own.update({label: max(score, own.get(label, 0.0)) for label, score in result.items()})
            else:
                unknown |= {span.type for span in result} - self._known
                for span in result:
                    place = TextSpan(
                        span.start + piece.start, span.end + piece.start, span.type, span.score, self._name
                    )
                    spans[piece.number][place] = None
        return [list(own) for own in spans] if self._by_spans else [own or self._nothing() for own in shares]

    def _nothing(self) -> Shares:
        """The result of a text that nobody read because it is blank."""
        return dict.fromkeys(self._labels, 0.0)

    def _detection(self, text: str, result: Result) -> Detection:
        if isinstance(result, Mapping):
            return most_likely(result, self._labels, text, self._name)
        return SpanDetection(tuple(result))


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return an error of a group: the first that is no consequence of another."""
    found: list[BaseException] = []
    waiting: list[BaseException] = [errors]
    while waiting:
        error = waiting.pop(0)
        if isinstance(error, BaseExceptionGroup):
            waiting += error.exceptions
        else:
            found.append(error)
    return found[0]


def _outcome(error: BaseException) -> Outcome:
    match error:
        case OverloadedError():
            return "overloaded"
        case TimeoutError() | asyncio.CancelledError():
            return "timeout"
        case RefusedTextError() | TooManyPiecesError():
            return "refused"
        case WrongAnswerError():
            return "wrong"
    return "unreachable"


def _reason(error: Exception) -> str | None:
    """Return the reason for the log: our own words only."""
    return str(error) if isinstance(error, WrongAnswerError) else None
