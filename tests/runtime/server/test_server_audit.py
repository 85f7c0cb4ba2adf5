from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from support.played_gateway import request_body, request_headers
from support.properties import examples
from vsr_compiler.impact.formats import requests_of
from vsr_compiler.impact.formats.decision_log import WITHOUT
from vsr_runtime.cli import cli
from vsr_runtime.decision.identity.client import Client
from vsr_runtime.errors import UserError
from vsr_runtime.server.audit import writer
from vsr_runtime.server.audit.chain import Head, sealed
from vsr_runtime.server.audit.verify import read_heads, verify
from vsr_runtime.server.audit.writer import MAX_WAITING, AuditLog
from vsr_runtime.server.exchange import who

DEADLINE = 20.0


def chain(count: int, name: str = "a") -> tuple[list[bytes], Head]:
    """The lines of a chain, and its end."""
    head, lines = Head(name), []
    for number in range(count):
        line, head = sealed(head, {"event": "decision", "request": f"r{number}", "model": "é"})
        lines.append(line)
    return lines, head


def store(folder: Path, *files: bytes, name: str = "a") -> None:
    """Write the files of a chain."""
    for number, data in enumerate(files, 1):
        (folder / f"{name}.{number:06d}.jsonl").write_bytes(data)


def broken(folder: Path, *heads: Head, cut: bool = False) -> str | None:
    """Where a folder's only chain is broken."""
    (verdict,) = verify([folder], heads, cut=cut)
    return verdict.broken


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder."""
    return tmp_path_factory.mktemp("audit")


def test_chain_over_several_files_is_whole(tmp_path):
    """Chain over several files is whole."""
    lines, head = chain(9)
    store(tmp_path, b"".join(lines[:4]), b"".join(lines[4:5]), b"".join(lines[5:]))
    (verdict,) = verify([tmp_path], [head])
    assert verdict.broken is None
    assert verdict.head == head


@given(st.data())
@examples(300)
def test_any_changed_inserted_or_deleted_byte_is_found(folder, data):
    """Any changed inserted or deleted byte is found."""
    lines, head = chain(3)
    whole = b"".join(lines)
    place = data.draw(st.integers(0, len(whole) - 1))
    edit = data.draw(st.sampled_from(["flip", "insert", "delete"]))
    if edit == "flip":
        wrong = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
    elif edit == "insert":
        added = bytes([data.draw(st.integers(0, 255))])
        wrong = whole[:place] + added + whole[place:]
    else:
        wrong = whole[:place] + whole[place + 1 :]
    if wrong == whole:
        return
    store(folder, wrong)
    assert broken(folder, head) is not None


@given(st.integers(0, 2000))
@examples(200)
def test_any_cut_end_is_found_by_an_exported_head(folder, length):
    """Any cut end is found by an exported head."""
    lines, head = chain(4)
    whole = b"".join(lines)
    store(folder, whole[: length % len(whole)])
    assert broken(folder, head) is not None


@given(st.permutations(range(5)))
@examples(60)
def test_any_other_order_of_records_is_found(folder, order):
    """Any other order of records is found."""
    lines, _ = chain(5)
    store(folder, b"".join(lines[number] for number in order))
    assert (broken(folder) is None) == (list(order) == list(range(5)))


@pytest.mark.parametrize("number", range(1, 6))
def test_missing_or_doubled_record_is_found(tmp_path, number):
    """Missing or doubled record is found."""
    lines, head = chain(6)
    store(tmp_path, b"".join([*lines[: number - 1], *lines[number:]]))
    assert broken(tmp_path, head)
    store(tmp_path, b"".join([*lines[:number], lines[number - 1], *lines[number:]]))
    assert broken(tmp_path, head)


def test_rewritten_chain_is_found_by_an_exported_head(tmp_path):
    """Rewritten chain is found by an exported head."""
    lines, head = chain(3)
    other, forged = Head("a"), []
    for number in range(3):
        line, other = sealed(other, {"event": "decision", "request": f"r{number}", "model": "other"})
        forged.append(line)
    store(tmp_path, b"".join(forged))
    assert broken(tmp_path) is None
    assert "exported" in broken(tmp_path, head)
    store(tmp_path, b"".join(lines))
    assert broken(tmp_path, head) is None


def test_missing_files_are_found(tmp_path):
    """Missing files are found."""
    lines, head = chain(6)
    store(tmp_path, b"".join(lines[:2]), b"".join(lines[2:4]), b"".join(lines[4:]))
    (tmp_path / "a.000002.jsonl").rename(tmp_path / "kept")
    assert "after 2" in broken(tmp_path)
    (tmp_path / "kept").rename(tmp_path / "a.000002.jsonl")
    (tmp_path / "a.000001.jsonl").unlink()
    assert "before it is missing" in broken(tmp_path)
    assert broken(tmp_path, head, cut=True) is None
    (missing,) = verify([tmp_path], [head, Head("gone", 7, "0")], cut=True)[1:]
    assert missing.broken == "gone: no file of this chain is here"


def test_record_of_another_chain_is_found(tmp_path):
    """Record of another chain is found."""
    lines, _ = chain(2)
    others, _ = chain(2, "b")
    store(tmp_path, lines[0] + others[1])
    assert "belongs to the chain b" in broken(tmp_path)
    store(tmp_path, b"".join(others))
    assert "belongs to the chain b" in broken(tmp_path)


@given(st.binary(max_size=300))
@examples(100)
def test_any_bytes_are_a_verdict(folder, data):
    """Any bytes are a verdict."""
    store(folder, data)
    assert (broken(folder) is None) == (not data)


@pytest.mark.parametrize("line", [b"[" * 70_000 + b"\n", b'{"number":1e400}\n', b"x" * 200_000])
def test_hostile_lines_are_a_verdict(tmp_path, line):
    """Hostile lines are a verdict."""
    store(tmp_path, line)
    assert broken(tmp_path)


# --- the log of a server


def test_decisions_are_recorded_with_policy_and_without_text(gateway, settings, chat, tmp_path):
    """Decisions are recorded with policy and without text."""

    async def scenario():
        audit = AuditLog(tmp_path, name="one")
        async with gateway(settings, audit=audit) as envoy:
            for number, body in enumerate((chat(content="2+2 is"), chat("nothing"), b"{")):
                await envoy.send(request_headers(x_request_id=f"r{number}"), request_body(body))
            await envoy.send(request_headers(**{":path": "/nowhere"}))
        return audit

    audit = asyncio.run(scenario())
    text = (tmp_path / "one.000001.jsonl").read_text()
    records = [json.loads(line) for line in text.splitlines()]
    assert [record["event"] for record in records] == ["decision", "answer", "answer", "answer"]
    assert records[0]["request"] == "r0"
    assert records[0]["model"] == "phi4-mini"
    assert records[0]["route"] == "math"
    assert records[0]["policy"] == ""
    assert "2+2" not in text
    assert (audit.written, audit.lost) == (4, 0)
    assert broken(tmp_path) is None
    assert list(requests_of(records[0])) == [WITHOUT]


def test_client_of_a_record_is_who_the_policy_authenticated():
    """Client of a record is who the policy authenticated."""
    client = Client({"user": "ada", "team": "x" * 300, "other": "secret"}, frozenset({"admin"}), "ci")
    assert who(client) == {"user": "ada", "team": who(client)["team"], "credential": "ci"}
    assert who(client)["team"].startswith("sha256:")
    assert who(None) == {}


def test_files_are_rotated_by_size_and_the_chain_continues(tmp_path, capfd):
    """Files are rotated by size and the chain continues."""
    audit = AuditLog(tmp_path, rotate=2000, name="one")
    for number in range(100):
        audit.put({"event": "decision", "request": f"r{number}"})
        if number % 10 == 0:
            until(lambda: not audit._waiting)
    audit.close()
    assert len(list(tmp_path.iterdir())) > 5
    log = tmp_path.parent / "log"
    log.write_text(capfd.readouterr().err)
    heads = read_heads(log)
    assert heads[-1].number == 100
    assert [verdict.broken for verdict in verify([tmp_path], heads)] == [None]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.iterdir())


def until(holds) -> None:
    """Wait until something holds."""
    end = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_requests_are_refused_while_records_cannot_be_written(gateway, settings, chat, tmp_path, monkeypatch, capfd):
    """Requests are refused while records cannot be written."""

    def full(*_):
        raise OSError(28, "No space left on device")

    async def scenario():
        audit = AuditLog(tmp_path, name="one")
        monkeypatch.setattr(writer, "RETRY", 0.05)
        async with gateway(settings, audit=audit) as envoy:
            await envoy.send(request_headers(), request_body(chat()))
            with monkeypatch.context() as patch:
                patch.setattr(os, "pwrite", full)
                await envoy.send(request_headers(), request_body(chat()))
                await asyncio.to_thread(until, lambda: audit.refuses)
                call = envoy.open()
                await call.write(request_headers())
                refused = (await call.read()).immediate_response
                assert (refused.status.code, b"audit_failed" in refused.body) == (503, True)
            await asyncio.to_thread(until, lambda: not audit.refuses)
            responses, _ = await envoy.send(request_headers(), request_body(chat()))
            assert len(responses) == 2

    asyncio.run(scenario())
    lines = (tmp_path / "one.000001.jsonl").read_bytes().splitlines()
    assert len(lines) == 3
    assert broken(tmp_path) is None
    events = [json.loads(line)["event"] for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    assert events.count("audit_failed") == 1
    assert events.count("audit_recovered") == 1


def test_half_written_batch_leaves_no_torn_record(tmp_path, monkeypatch):
    """Half written batch leaves no torn record."""
    monkeypatch.setattr(writer, "RETRY", 0.05)
    real, calls = os.pwrite, []

    def half(descriptor, data, offset):
        calls.append(offset)
        if len(calls) == 1:
            return real(descriptor, data[: len(data) // 2], offset)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return real(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", half)
    audit = AuditLog(tmp_path, name="one")
    for number in range(5):
        audit.put({"request": str(number)})
    until(lambda: audit.written == 5)
    audit.close()
    assert broken(tmp_path) is None


def test_waiting_records_are_bounded_and_what_is_lost_is_counted(tmp_path, monkeypatch):
    """Waiting records are bounded and what is lost is counted."""
    monkeypatch.setattr(writer, "PAUSE", 60.0)
    audit = AuditLog(tmp_path, refuse=False, name="one")
    for _ in range(MAX_WAITING + 7):
        audit.put({"event": "decision"})
    assert not audit.refuses
    audit.close()
    assert (audit.written, audit.lost) == (MAX_WAITING, 7)


def test_folder_that_cannot_be_written_is_an_error_at_start(tmp_path):
    """Folder that cannot be written is an error at start."""
    with pytest.raises(UserError, match="give --audit a writable folder"):
        AuditLog(tmp_path / "missing")


def test_command_names_the_first_wrong_record(tmp_path):
    """Command names the first wrong record."""
    lines, _ = chain(3)
    store(tmp_path, b"".join(lines))
    result = CliRunner().invoke(cli, ["audit", "verify", str(tmp_path)])
    assert (result.exit_code, "whole to record 3" in result.stdout) == (0, True)
    store(tmp_path, b"".join(lines).replace(b'"r1"', b'"r7"'))
    result = CliRunner().invoke(cli, ["audit", "verify", str(tmp_path)])
    assert result.exit_code == 1
    assert "a.000001.jsonl:2: has been changed" in result.stdout
