"""Downloads of definitions, from a server on this machine: only what the lock has, whole, and bounded."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.common import call, reference
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.targets import profiles
from vsr_compiler.verify.schema import lockfile
from vsr_compiler.verify.schema.lockfile import Entry, Release
from vsr_compiler.verify.schema.pull import fetch, pull


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves what a test put into its server."""

    def do_GET(self) -> None:
        """Answer."""
        action = self.server.answers.get(self.path)
        if action is None:
            self.send_error(404)
            return
        if action == "redirect":
            self.send_response(302)
            self.send_header("Location", "/ok")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            if action == "slow":
                for _ in range(100):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.05)
            else:
                self.wfile.write(action)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """A server with answers by path."""

    daemon_threads = True
    answers: dict[str, bytes | str]


@pytest.fixture
def server() -> Iterator[Server]:
    """It runs as long as the test."""
    with Server(("127.0.0.1", 0), Handler) as running:
        running.answers = {}
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def base(server: Server) -> str:
    """Its address."""
    return f"http://127.0.0.1:{server.server_port}"


def digest(data: bytes) -> str:
    """The sha256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def release(server: Server, *entries: Entry) -> Release:
    """A release whose files lie on the server."""
    return Release("prj", "1.0.0", f"{base(server)}/{{path}}", entries)


def test_what_is_right_is_written_and_not_fetched_again(server: Server, tmp_path: Path) -> None:
    """A second run asks nobody."""
    server.answers = {"/a/x.yaml": b"one\n", "/a/y.yaml": b"two\n"}
    wanted = release(
        server, Entry("a/x.yaml", "standard/x.yaml", digest(b"one\n")), Entry("a/y.yaml", "y.yaml", digest(b"two\n"))
    )
    assert pull(wanted, tmp_path) == 2
    assert (tmp_path / "prj-v1.0.0" / "standard" / "x.yaml").read_bytes() == b"one\n"
    server.answers = {}
    assert pull(wanted, tmp_path) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["prj-v1.0.0"]


def test_a_stream_is_taken_apart_into_its_documents(server: Server, tmp_path: Path) -> None:
    """Each has its own sha256; remarks before them and documents that nobody asked for do not matter."""
    server.answers = {"/all.yaml": b"# generated\na: 1\n---\nb: 2\n---\nc: 3\n"}
    wanted = release(
        server, Entry("all.yaml", "a.yaml", digest(b"a: 1\n")), Entry("all.yaml", "b.yaml", digest(b"b: 2\n"))
    )
    assert pull(wanted, tmp_path) == 2
    assert (tmp_path / "prj-v1.0.0" / "b.yaml").read_bytes() == b"b: 2\n"


def test_what_differs_is_refused_and_what_lay_there_stays(server: Server, tmp_path: Path) -> None:
    """One wrong file, and nothing of the release is written."""
    kept = tmp_path / "prj-v1.0.0" / "x.yaml"
    kept.parent.mkdir()
    kept.write_bytes(b"old\n")
    server.answers = {"/x.yaml": b"one\n", "/y.yaml": b"evil\n"}
    wanted = release(server, Entry("x.yaml", "x.yaml", digest(b"one\n")), Entry("y.yaml", "y.yaml", digest(b"two\n")))
    with pytest.raises(CompileError) as caught:
        pull(wanted, tmp_path)
    assert [item.code for item in caught.value.diagnostics] == ["VSR451"]
    assert kept.read_bytes() == b"old\n"
    assert list(tmp_path.iterdir()) == [kept.parent]
    server.answers["/y.yaml"] = b"two\n"
    assert pull(wanted, tmp_path) == 2
    assert kept.read_bytes() == b"one\n"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(None, "404"), ("redirect", "302"), (b"x" * 2000, "more than"), ("slow", "not sent whole")],
)
def test_a_download_is_bounded_and_goes_nowhere_else(server: Server, answer: bytes | str | None, reason: str) -> None:
    """In size, in time, and without being sent elsewhere."""
    server.answers = {"/ok": b"ok"} | ({} if answer is None else {"/x": answer})
    with pytest.raises(CompileError, match=reason) as caught:
        fetch(f"{base(server)}/x", seconds=3 if answer == "slow" else 60, limit=1000)
    assert caught.value.diagnostics[0].code == "VSR452"


def test_other_schemes_and_dead_servers_are_refused() -> None:
    """A lock or a flag reads no file of this machine."""
    for url in ("file:///etc/passwd", "ftp://127.0.0.1/x", "http://127.0.0.1:9/x", "http://[/x"):
        with pytest.raises(CompileError, match="cannot be fetched"):
            fetch(url, seconds=2)


def test_the_lock_lists_what_the_profiles_ask_for() -> None:
    """Each with a whole sha256, a name of its own, and an address by commit."""
    releases = lockfile.read()
    names = {(each.project, each.release) for each in releases}
    projects = {project for project, _ in names}
    for profile in profiles().values():
        asked = {(name, version) for name, version in profile.items() if name in projects}
        assert asked - {("llm-d-router", "0.3.2"), ("semantic-router", "0.4.0")} <= names
    for each in releases:
        assert len({entry.to for entry in each.entries}) == len(each.entries)
        assert all(len(entry.sha256) == 64 and ".." not in entry.to for entry in each.entries)
        assert all("{path}" in each.url and part in each.url for part in ("https://", each.url.split("/")[-2]))


def test_the_lock_has_the_sha256_of_the_reference_definitions() -> None:
    """Computed from the files, not copied from a list."""
    crds = reference() / "crds"
    known = {digest(path.read_bytes()) for path in crds.rglob("*.yaml")}
    listed = {entry.sha256 for each in lockfile.read() for entry in each.entries}
    assert listed == known


def test_the_verb_fills_a_cache_that_verify_then_reads(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the server to a verdict, with a mirror's address; a wrong file is refused with exit code 1."""
    monkeypatch.setenv("VSR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("VSR_CRDS", raising=False)
    wanted = lockfile.chosen(lockfile.read(base(server)), ("llm-d-router",))[0]
    files = reference() / "crds" / "llm-d-router-v0.10.0"
    for entry in wanted.entries:
        path = wanted.url.replace("{path}", entry.path).removeprefix(base(server))
        server.answers[path] = (files / entry.to).read_bytes()
    assert "not fetched" in call("crds", "list", "llm-d-router").stdout
    done = call("crds", "pull", "llm-d-router@0.10.0", "--from", base(server))
    assert (done.exit_code, f"{len(wanted.entries)} files" in done.stderr) == (0, True)
    assert "in the cache" in call("crds", "list", "llm-d-router").stdout
    assert "already stored" in call("crds", "pull", "llm-d-router", "--from", base(server)).stderr
    bad = "apiVersion: llm-d.ai/v1alpha2\nkind: InferenceObjective\nmetadata: {name: a}\nspec: {}\n"
    assert "VSR442" in call("verify", "-", stdin=bad).stderr
    monkeypatch.setenv("VSR_CACHE_DIR", str(tmp_path / "other"))
    server.answers[path] += b"\n"
    refused = call("crds", "pull", "llm-d-router", "--from", base(server))
    assert (refused.exit_code, "VSR451" in refused.stderr) == (1, True)
    assert call("crds", "pull", "nobody").exit_code == 2
