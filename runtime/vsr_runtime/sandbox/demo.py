"""``vsr-runtime demo``: sends the requests of a sandbox through Envoy and shows where each one went."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vsr_runtime.errors import UserError
from vsr_runtime.log import print_result
from vsr_runtime.sandbox.run import detector_lines, stop_on_signals
from vsr_runtime.sandbox.sandbox import Sandbox, StoppedError
from vsr_schemas.sandbox import DemoRequest

_TIMEOUT = 30.0
_HEADER = ("asked for", "prompt", "category", "model", "backend", "")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one request. ``category`` is from the runtime's log, ``model`` from the backend's answer."""

    request: DemoRequest
    status: int
    category: str | None
    model: str
    backend: str

    @property
    def right(self) -> bool:
        """Whether it is as the sandbox expects; values that it does not state may be anything."""
        request = self.request
        model = request.expect is None or self.model == request.expect
        return (
            self.status == request.status and model and (request.category is None or self.category == request.category)
        )


def run_demo(directory: Path, *, fake_detectors: bool = False) -> bool:
    """Run the demo of a sandbox and print a table. Returns whether every outcome is as expected.

    Raises:
        UserError: the sandbox did not start, or lists no requests.
    """
    with stop_on_signals() as stop, Sandbox(directory, stop=stop, fake_detectors=fake_detectors) as sandbox:
        if not sandbox.spec.demo:
            raise UserError("sandbox.yaml: demo: lists no requests")
        outcomes: list[Outcome] = []
        for i, request in enumerate(sandbox.spec.demo, 1):
            if stop.is_set():
                raise StoppedError
            outcomes.append(_send(sandbox, f"demo-{i}", request))
        sandbox.check()
    print_result("\n".join([table(outcomes), *detector_lines(sandbox)]))
    return all(outcome.right for outcome in outcomes)


def table(outcomes: Sequence[Outcome]) -> str:
    """Format the outcomes as aligned text, one line each."""
    rows = [_HEADER, *(_row(outcome) for outcome in outcomes)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADER))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(outcome: Outcome) -> tuple[str, ...]:
    request = outcome.request
    expected = f"{request.category or 'any category'} → {request.expect or 'any answer'}"
    verdict = "ok" if outcome.right else f"WRONG (status {outcome.status}, expected {expected})"
    return (request.model, request.prompt.strip(), outcome.category or "-", outcome.model, outcome.backend, verdict)


def _send(sandbox: Sandbox, request_id: str, request: DemoRequest) -> Outcome:
    body = {"model": request.model, "messages": [{"role": "user", "content": request.prompt}]}
    connection = sandbox.connection(_TIMEOUT)
    try:
        headers = {"Content-Type": "application/json", "x-request-id": request_id}
        headers |= sandbox.clients.headers(request.client)
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        response = connection.getresponse()
        data = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise UserError(f"the gateway did not answer ({type(error).__name__})") from None
    finally:
        connection.close()
    decision = sandbox.decision(request_id) or {}
    backend = response.headers.get("x-backend", "-")
    return Outcome(request, response.status, decision.get("category"), _model(data), backend)


def _model(data: bytes) -> str:
    try:
        document = json.loads(data)
    except ValueError:
        return "-"
    return str(document.get("model", "-")) if isinstance(document, dict) else "-"
