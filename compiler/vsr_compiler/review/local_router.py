"""The router of a compiled policy in this process: the decision core and classifiers, without a server."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.heads.local_classifiers import LocalClassifiers, load_local_classifiers
from vsr_compiler.heads.shared_encoders import SharedEncoders
from vsr_compiler.review.stock_emulation import emulate
from vsr_compiler.routerconfig import CONFIG, SETTINGS
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
    SignalsReady,
)
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, MachineConfig, State
from vsr_runtime.errors import UserError
from vsr_runtime.files import read_model
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.settings import load
from vsr_schemas.identity import USER
from vsr_schemas.runtime import RuntimeSettings

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
class Pending:
    """A request whose decision takes results of models."""

    state: State
    question: NeedSignals


@dataclass(frozen=True, slots=True)
class LocalRouter:
    """A router that decides one request at a time. ``threshold`` is that of its categories; None if it has none."""

    machine: MachineConfig
    classifiers: LocalClassifiers
    threshold: float | None = None

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
        begun = self.begin(path, headers, body, number, client)
        return self.finish(begun, self.classifiers.answer(begun.question)) if isinstance(begun, Pending) else begun

    def begin(
        self, path: str, headers: Sequence[tuple[str, str]], body: bytes, number: str, client: Client | None = None
    ) -> SendToModel | ImmediateResponse | Pending:
        """Decide a request as far as it can be done without models. The arguments are those of ``decide``."""
        sent = (*HEADERS, (":path", path), ("x-request-id", number), *headers)
        event = RequestHeaders(sent, end_of_stream=False, client=client or ANYBODY)
        state, action = advance(self.machine, AwaitsHeaders(), event)
        if isinstance(action, Continue):
            state, action = advance(self.machine, state, RequestBody(body))
        return Pending(state, action) if isinstance(action, NeedSignals) else _final(action)

    def finish(self, pending: Pending, answer: SignalsReady | None) -> SendToModel | ImmediateResponse | Undecidable:
        """Decide a request with the results of models; None if one of them is not here."""
        if answer is None:
            gone = self.classifiers.missing
            return Undecidable("; ".join(gone[name] for name in pending.question.detector_texts if name in gone))
        return _final(advance(self.machine, pending.state, answer)[1])


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
    if isinstance(policy.router.implementation, ir.SemanticRouter):
        machine = MachineConfig(emulate(policy), policy.router.max_body, debug_headers="always" if debug else None)
        return LocalRouter(machine, LocalClassifiers())
    return open_folder(policy.router.files, policy.router.span, debug=debug)


def open_folder(
    files: Mapping[str, bytes], span: Span, *, debug: bool = False, encoders: SharedEncoders | None = None
) -> LocalRouter:
    """Return the router of the files of a router folder.

    Args:
        files: The files by name, ``config.yaml`` and ``runtime.yaml`` among them.
        span: Where an error is reported.
        debug: Whether its actions have the debug headers that clients can ask for.
        encoders: Sentence encoders that several routers share; None for one of its own.

    Raises:
        CompileError: VSR506 if the files cannot be used, or the classifier cannot be loaded.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, data in files.items():
            (folder / file).write_bytes(data)
        try:
            settings = load(folder / CONFIG, _keys(folder))
            classifiers = load_local_classifiers(settings, folder, encoders)
        except (UserError, ModelError) as error:
            raise CompileError([Diagnostic("VSR506", str(error), span)]) from None
    headers: Literal["always"] | None = "always" if debug else None
    machine = MachineConfig(settings.program, settings.limits.maxBody, debug_headers=headers)
    return LocalRouter(machine, classifiers, settings.classifier.threshold if settings.classifier else None)


def _keys(folder: Path) -> Path:
    """Write a placeholder for each key that the runtime requires, although it calls no provider.

    Returns:
        The folder of the providers' keys.
    """
    path, keys = folder / SETTINGS, folder / "credentials"
    known = read_model(path, RuntimeSettings) if path.exists() else None
    files = [keys / one.file for one in ((known and known.credentials) or {}).values() if one.file is not None]
    files += [folder / CLIENTS / key.file for key in (known and known.identity and known.identity.keys) or ()]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(secrets.token_hex(MIN_CLIENT_KEY), encoding="utf-8")
    return keys
