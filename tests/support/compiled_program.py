"""The decision core with a policy as it was compiled, without a server and without models."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import yaml

from support.common import linked
from vsr_compiler.routerconfig.vsr_runtime import router_config, runtime_settings
from vsr_runtime.decision.request.events import (
    Continue,
    ImmediateResponse,
    RequestBody,
    RequestHeaders,
    SendToModel,
)
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, MachineConfig
from vsr_runtime.settings import Settings, load
from vsr_schemas.runtime import CheckpointSettings, ClassifierSettings

_READ_BY_THE_TEST = ClassifierSettings(
    task="category",
    checkpoint=CheckpointSettings(repo="example/none", revision="0" * 40),
    labels=["none"],
    threshold=0.5,
)


def machine(text: str) -> MachineConfig:
    """Compile a policy, and load its router folder as the runtime does."""
    settings = loaded(text)
    return MachineConfig(settings.program, settings.limits.maxBody)


def loaded(text: str) -> Settings:
    """The settings of a policy, compiled and loaded from files."""
    policy = linked(text)
    labels = [category.name for category in policy.categories]
    heads = {"category": _READ_BY_THE_TEST.model_copy(update={"labels": labels})} if labels else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, model in (("config.yaml", router_config(policy)), ("runtime.yaml", runtime_settings(policy, heads))):
            document = model.model_dump(mode="json", by_alias=True, exclude_none=True)
            (folder / file).write_text(yaml.safe_dump(document), encoding="utf-8")
        for endpoint in policy.endpoints:
            if endpoint.credential is not None:
                path = folder / "credentials" / endpoint.credential
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("placeholder", encoding="utf-8")
        return load(folder / "config.yaml")


def decide(
    config: MachineConfig,
    body: object = None,
    path: str = "/v1/chat/completions",
    method: str = "POST",
    **headers: str,
) -> SendToModel | ImmediateResponse:
    """Send one request: a JSON document, bytes, or no body at all."""
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    fields = {"content-type": "application/json"} if data is not None else {}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = ((":method", method), (":path", path), (":authority", "gateway"), *fields.items())
    state, action = advance(config, AwaitsHeaders(), RequestHeaders(lines, data is None))
    if isinstance(action, Continue) and data is not None:
        state, action = advance(config, state, RequestBody(data))
    assert isinstance(action, SendToModel | ImmediateResponse), action
    return action


def code(action: SendToModel | ImmediateResponse) -> tuple[int, str]:
    """The status and the code of an answer."""
    assert isinstance(action, ImmediateResponse), action
    return action.status, action.code
