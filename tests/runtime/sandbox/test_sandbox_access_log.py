"""`accessLogMetadata` from the policy file to the access log of the real Envoy."""

from __future__ import annotations

import json

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import REAL_ENVOY, wait_until
from support.scripted import Scripted

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: access-log}
router: {image: "registry.example/vsr-runtime:0.1.0", deadline: 20s, accessLogMetadata: WANTED}
endpoints:
  one: {service: {name: one, port: 8000}}
  two: {service: {name: two, port: 8000}}
models:
  big: {endpoints: [one]}
  little: {endpoints: [two]}
signals:
  urgent: {keywords: [urgent]}
guards:
  names: {patterns: ['Agent [A-Z]+'], action: mask, on: request}
  keys: {patterns: ['sk-[a-z]{8}'], action: block, on: request}
routes:
  - {name: hurry / now, when: {signal: urgent}, model: little}
default: big
"""
KEYS = ("request", "policy", "route", "model", "guards", "named")
LINE = {key: f"%DYNAMIC_METADATA(vsr:{key})%" for key in KEYS} | {
    "id": "%REQ(X-REQUEST-ID)%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "all": "%DYNAMIC_METADATA(vsr)%",
}

pytestmark = REAL_ENVOY


class Logged:
    """A gateway, and the lines of its access log."""

    def __init__(self, running, file) -> None:
        self._running, self._file = running, file

    def line(self, body: bytes, **headers: str) -> dict:
        """Send a request, and return its line."""
        before = len(self._lines())
        self._running.send(body, **headers)
        wait_until(lambda: len(self._lines()) > before)
        return json.loads(self._lines()[before])

    def _lines(self) -> list[str]:
        return self._file.read_text(encoding="utf-8").splitlines() if self._file.exists() else []


def started(tmp_path_factory, wanted: str):
    """A sandbox whose Envoy writes an access log that flushes at once."""
    folder = tmp_path_factory.mktemp("access_log")
    file = folder / "access.log"

    def edit(bootstrap):
        manager = bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        manager["access_log"] = [
            {
                "name": "envoy.access_loggers.file",
                "filter": {"header_filter": {"header": {"name": "content-type", "present_match": True}}},
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                    "path": str(file),
                    "log_format": {"json_format": LINE},
                },
            }
        ]

    with compiled_sandbox(folder, POLICY.replace("WANTED", wanted), edit=edit) as running:
        yield Logged(running, file)


@pytest.fixture(scope="module")
def logging(tmp_path_factory):
    """A gateway whose access log gets decisions."""
    yield from started(tmp_path_factory, "true")


@pytest.fixture(scope="module")
def silent(tmp_path_factory):
    """A gateway without them."""
    yield from started(tmp_path_factory, "false")


@pytest.fixture(autouse=True)
def fresh():
    """Every test says what the backends say."""
    Scripted.requests.clear()
    Scripted.says("fine")


def test_access_log_has_route_model_policy_and_guards_of_a_request(logging, chat):
    """Access log has route, model, policy and guards of a request, and no text of it."""
    line = logging.line(chat("auto", "urgent: find Agent SMITH"))
    assert (line["route"], line["model"], line["guards"]) == ("hurry / now", "little", "names:mask")
    assert line["request"] == line["id"]
    assert len(line["policy"]) == 64
    assert line["named"] is False
    assert "SMITH" not in json.dumps(line)


def test_request_that_names_its_model_has_no_route(logging, chat):
    """What does not apply is empty in the access log."""
    line = logging.line(chat("big", "hello"))
    assert (line["route"], line["model"], line["guards"], line["named"]) == (None, "big", None, True)


def test_client_cannot_write_into_the_metadata(logging, chat):
    """Headers of a client leave no trace in it: only an id that is a word is repeated."""
    line = logging.line(chat("auto", "hello"), x_request_id="call Agent SMITH at 555 0100", x_vsr_route="forged")
    assert line["model"] == "big"
    assert "SMITH" not in json.dumps(line["all"])
    assert "forged" not in json.dumps(line)


@pytest.mark.parametrize(
    ("content", "code", "status"), [("sk-abcdefgh", "guard:keys", 403), (None, "invalid_json", 400)]
)
def test_access_log_has_the_code_of_an_answer_of_the_router(logging, chat, content, code, status):
    """Access log has the code of an answer of the router, also in its response code details."""
    line = logging.line(chat("auto", content) if content else b"{")
    assert (line["all"]["code"], line["all"]["status"], line["details"]) == (code, status, f"vsr_{code}")
    assert line["guards"] == ("keys:block" if content else None)
    assert len(line["policy"]) == 64


def test_without_the_word_nothing_is_sent(silent, chat):
    """Without `accessLogMetadata` the gateway gets no metadata."""
    assert silent.line(chat("auto", "urgent"))["all"] is None
