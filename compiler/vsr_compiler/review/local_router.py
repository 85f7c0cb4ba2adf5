"""The router of a compiled policy in this process: the decision core and classifiers, without a server."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.heads.local_classifiers import LocalClassifiers, load_local_classifiers
from vsr_compiler.review.stock_emulation import emulate
from vsr_compiler.routerconfig import CONFIG
from vsr_runtime.credentials import CLIENTS, MIN_CLIENT_KEY
from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.request.events import (
    Action,
    Continue,
    ImmediateResponse,
    NeedSignals,
    RequestBody,
    RequestHeaders,
    SendToModel,
)
from vsr_runtime.decision.request.request_machine import AwaitsHeaders, MachineConfig, advance
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.settings import load
from vsr_schemas.identity import USER

HEADERS = (
    (":method", "POST"),
    (":authority", "gateway"),
    ("content-type", "application/json"),
)


ANYBODY = Client({USER: "test"})
"""The client of a request that names none."""


@dataclass(frozen=True, slots=True)
class Undecidable:
    """No decision, since a model is not on this machine: one of the stock router, or a detector.

    Attributes:
        missing: Why detectors are not available, separated by semicolons; "" if no detector is at fault.
    """

    missing: str = ""


@dataclass(frozen=True, slots=True)
class LocalRouter:
    """A router that decides one request at a time."""

    machine: MachineConfig
    classifiers: LocalClassifiers

    def decide(
        self, path: str, headers: Sequence[tuple[str, str]], body: bytes, number: str, client: Client | None = None
    ) -> SendToModel | ImmediateResponse | Undecidable:
        """Return what the runtime does with a request.

        Args:
            path: The path of its API.
            headers: Further headers.
            body: The JSON body.
            number: The value of ``x-request-id``.
            client: Who sends it; None for the user `test`, if the policy authenticates clients.
        """
        sent = (*HEADERS, (":path", path), ("x-request-id", number), *headers)
        event = RequestHeaders(sent, end_of_stream=False, client=client or ANYBODY)
        state, action = advance(self.machine, AwaitsHeaders(), event)
        if isinstance(action, Continue):
            state, action = advance(self.machine, state, RequestBody(body))
        if isinstance(action, NeedSignals):
            answer = self.classifiers.answer(action)
            if answer is None:
                gone = self.classifiers.missing
                return Undecidable("; ".join(gone[name] for name in action.detector_texts if name in gone))
            _, action = advance(self.machine, state, answer)
        return _final(action)


def _final(action: Action) -> SendToModel | ImmediateResponse:
    if not isinstance(action, SendToModel | ImmediateResponse):
        raise TypeError("the request was not decided")
    return action


def open_router(policy: ir.Policy, *, debug: bool = False) -> LocalRouter:
    """Return the router of a policy with a rendered router folder.

    Args:
        policy: The policy.
        debug: Whether its actions have the debug headers that clients can ask for.

    Raises:
        CompileError: VSR506 if the classifier cannot be loaded.
    """
    headers: Literal["always"] | None = "always" if debug else None
    if isinstance(policy.router.implementation, ir.SemanticRouter):
        machine = MachineConfig(emulate(policy), policy.router.max_body, debug_headers=headers)
        return LocalRouter(machine, LocalClassifiers())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, data in policy.router.files.items():
            (folder / file).write_bytes(data)
        settings = load(folder / CONFIG, _keys(policy, folder / "credentials"))
        try:
            classifiers = load_local_classifiers(settings, folder)
        except ModelError as error:
            raise CompileError([Diagnostic("VSR506", str(error), policy.router.span)]) from None
    return LocalRouter(MachineConfig(settings.program, settings.limits.maxBody, debug_headers=headers), classifiers)


def _keys(policy: ir.Policy, folder: Path) -> Path:
    """Write a placeholder for each provider key, which the runtime requires although it calls no provider."""
    for endpoint in policy.endpoints:
        if endpoint.credential is not None:
            path = folder / endpoint.credential
            path.parent.mkdir(parents=True)
            path.write_text("none", encoding="utf-8")
    if policy.identity is not None and isinstance(policy.identity.source, ir.ApiKeys):
        for key in policy.identity.source.keys:
            path = folder.parent / CLIENTS / key.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(secrets.token_hex(MIN_CLIENT_KEY), encoding="utf-8")
    return folder
