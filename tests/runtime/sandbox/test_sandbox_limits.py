"""Bodies, paths and queries through the real Envoy to an endpoint picker behind the router's filter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.endpoint_picker import behind_the_router, picker
from support.gateway_client import REAL_ENVOY, Running
from support.scripted import Scripted

pytestmark = REAL_ENVOY

MIB = 2**20
HEAD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: limits}
router: {image: "r:1", maxBody: 8Mi}
"""
# The pickers of the inference extension, whose last release is in this profile, take messages of 4 MiB.
MIXED = f"""\
{HEAD}gateway: {{versions: 2026-08}}
endpoints:
  plain: {{service: {{name: plain, port: 8000}}}}
  pooled: {{pods: {{selector: {{app: pooled}}, port: 8000}}, pool: {{}}}}
models:
  mid: {{endpoints: plain}}
  small: {{endpoints: pooled}}
default: small
environments:
  ai: {{target: ai-gateway}}
"""
PICKED = f"""\
{HEAD}endpoints:
  pooled: {{pods: {{selector: {{app: pooled}}, port: 8000}}, pool: {{}}}}
models:
  small: {{endpoints: pooled}}
default: small
environments:
  llm: {{target: llm-d}}
"""


@contextmanager
def stand(
    folder: Path, policy: str, target: str | None, max_message: int | None = None, *, every_path: bool = False
) -> Iterator[Running]:
    """The policy before a picker, with the settings of a target, or with those that know nothing of it."""
    Scripted.document({"ok": True})
    with (
        picker(max_message, every_path=every_path) as port,
        compiled_sandbox(
            folder, policy, edit=lambda bootstrap: behind_the_router(bootstrap, port, {"small"}), target=target
        ) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`small` is behind a picker of the inference extension 1.5.0, `mid` is not."""
    with stand(tmp_path_factory.mktemp("limited"), MIXED, "ai-gateway") as running:
        yield running


def asked(running: Running, model: str, mebibytes: float = 0, path: str = "/v1/chat/completions") -> tuple[int, bytes]:
    """Status and body of the answer to a request of this size."""
    body = json.dumps({"model": model, "max_tokens": 1, "messages": [{"role": "user", "content": ""}]})
    filled = body.replace('""', '"' + "x " * (max(int(mebibytes * MIB) - len(body), 2) // 2) + '"')
    status, _, answer = running.send(filled.encode(), path=path)
    return status, answer


@pytest.mark.parametrize(
    ("model", "mebibytes", "status"),
    [
        ("small", 3.9, 200),
        ("small", 4.1, 413),
        ("small", 8.1, 413),
        ("mid", 3.9, 200),
        ("mid", 4.1, 200),
        ("mid", 8.1, 413),
    ],
)
def test_what_a_picker_cannot_take_is_413_and_other_models_take_it(
    limited: Running, model: str, mebibytes: float, status: int
) -> None:
    """The limit is that of the model; over `maxBody` the gateway answers. What passes arrives whole."""
    Scripted.requests.clear()
    assert asked(limited, model, mebibytes)[0] == status
    assert [len(body) // 2**10 for _, body in Scripted.requests] == [int(mebibytes * 2**10 - 0.01)] * (status == 200)


def test_the_413_names_model_and_limit(limited: Running) -> None:
    """A client learns what fits."""
    error = json.loads(asked(limited, "small", 4.1)[1])["error"]
    assert (error["code"], error["message"]) == (
        "body_too_large",
        "The body for the model 'small' is larger than 4128768 bytes.",
    )


@pytest.mark.parametrize(
    ("model", "path", "status", "code"),
    [
        ("small", "/v1/messages", 404, "unsupported_path"),
        ("small", "/v1/messages?beta=true", 404, "unsupported_path"),
        ("small", "/v1/chat/completions?x=1", 400, "unsupported_query"),
        ("small", "/v1/chat/completions", 200, None),
        ("mid", "/v1/messages", 200, None),
        ("mid", "/v1/messages?beta=true", 200, None),
        ("mid", "/v1/chat/completions?x=1", 200, None),
    ],
)
def test_a_path_that_a_picker_cannot_take_is_refused_by_name(
    limited: Running, model: str, path: str, status: int, code: str | None
) -> None:
    """In the API's own form, and not by the picker's words about completions."""
    answered, body = asked(limited, model, path=path)
    document = json.loads(body)
    assert (answered, document.get("error", {}).get("code")) == (status, code)
    assert document.get("type") == ("error" if code == "unsupported_path" else None)


def test_without_the_limits_the_picker_answers_itself(tmp_path: Path) -> None:
    """What clients saw: an empty 500 over 4 MiB, and 400 about completions for a path that the picker does not know."""
    with stand(tmp_path, MIXED, None) as running:
        assert asked(running, "small", 3.9)[0] == 200
        assert asked(running, "small", 4.1) == (500, b"")
        for path in ("/v1/messages", "/v1/messages?beta=true", "/v1/chat/completions?x=1"):
            assert (answer := asked(running, "small", path=path))[0] == 400
            assert b"must have prompt" in answer[1]


def test_a_picker_with_the_emitted_flag_takes_all_that_the_gateway_admits(tmp_path: Path) -> None:
    """llm-d-router 0.10.0 with the argument of its Deployment."""
    emitted = tmp_path / "out" / "limits" / "llm-d" / "base"
    with stand(tmp_path, PICKED, "llm-d", 8 * MIB + 64 * 1024, every_path=True) as running:
        text = "".join(path.read_text(encoding="utf-8") for path in emitted.rglob("deployment-*-epp.yaml"))
        assert re.findall(r"--grpc-max-recv-msg-size=(\d+)", text) == [str(8 * MIB + 64 * 1024)]
        sizes = {size: asked(running, "small", size)[0] for size in (3.9, 4.1, 7.99, 8.1)}
        assert sizes == {3.9: 200, 4.1: 200, 7.99: 200, 8.1: 413}
        assert asked(running, "small", path="/v1/messages?beta=true")[0] == 200
