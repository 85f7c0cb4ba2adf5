from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from support.common import required
from vsr_runtime.decision.program.program import Program
from vsr_runtime.errors import UserError
from vsr_runtime.server.transport.choose import choose_transport
from vsr_runtime.server.transport.stream import TRANSPORTS
from vsr_runtime.settings import Settings, load

SUPPORT = Path(__file__).resolve().parents[1] / "support"
DATA = SUPPORT / "data"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A copy of the sample policy that a test may change."""
    return Path(shutil.copytree(DATA, tmp_path / "policy"))


@pytest.fixture(scope="module", params=TRANSPORTS)
def transport(request) -> str:
    """Each way in which gRPC reaches the handlers, in its turn."""
    try:
        choose_transport(request.param)
    except UserError:
        required(None, "the library nghttp2")
    return request.param


@pytest.fixture(scope="module")
def fake(transport) -> tuple[str, ...]:
    """The command of a server with the fake classifier, by each transport."""
    return (sys.executable, str(SUPPORT / "runtime_fakes.py"), "--transport", transport)


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The sample policy, loaded."""
    return load(DATA / "router" / "config.yaml")


@pytest.fixture(scope="session")
def program(settings) -> Program:
    """The sample policy's decision program."""
    return settings.program


@pytest.fixture(scope="session")
def chat():
    """Makes the body of a chat request."""

    def make(model: object = "auto", content: object = "2+2 is", **more: object) -> bytes:
        return json.dumps({"model": model, "messages": [{"role": "user", "content": content}], **more}).encode()

    return make
