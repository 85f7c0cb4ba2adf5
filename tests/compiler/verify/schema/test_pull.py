"""Downloads of definitions from a local server: by the lock, complete, and limited."""

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
from vsr_compiler.releases.definitions import definitions_of
from vsr_compiler.targets import profiles
from vsr_compiler.verify.schema.downloads import Entry, Release, fetch, pull, read_lock, select


class Handler(http.server.BaseHTTPRequestHandler):
    """Serve the responses of a test."""

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
        """Print nothing."""


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


def test_release_is_downloaded_once(server: Server, tmp_path: Path) -> None:
    """A second run sends no request."""
    server.answers = {"/a/x.yaml": b"one\n", "/a/y.yaml": b"two\n"}
    wanted = release(
        server, Entry("a/x.yaml", "standard/x.yaml", digest(b"one\n")), Entry("a/y.yaml", "y.yaml", digest(b"two\n"))
    )
    assert pull(wanted, tmp_path) == 2
    assert (tmp_path / "prj-v1.0.0" / "standard" / "x.yaml").read_bytes() == b"one\n"
    server.answers = {}
    assert pull(wanted, tmp_path) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["prj-v1.0.0"]


def test_stream_is_split_into_its_documents(server: Server, tmp_path: Path) -> None:
    """Each has its own digest; comments and other documents are ignored."""
    server.answers = {"/all.yaml": b"# generated\na: 1\n---\nb: 2\n---\nc: 3\n"}
    wanted = release(
        server, Entry("all.yaml", "a.yaml", digest(b"a: 1\n")), Entry("all.yaml", "b.yaml", digest(b"b: 2\n"))
    )
    assert pull(wanted, tmp_path) == 2
    assert (tmp_path / "prj-v1.0.0" / "b.yaml").read_bytes() == b"b: 2\n"


def test_wrong_digest_is_rejected_and_the_cache_is_unchanged(server: Server, tmp_path: Path) -> None:
    """Nothing of the release is written."""
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
    [(None, "404"), ("redirect", "302"), (b"x" * 2000, "more than"), ("slow", "not complete within")],
)
def test_download_is_limited_and_follows_no_redirect(server: Server, answer: bytes | str | None, reason: str) -> None:
    """In size and time."""
    server.answers = {"/ok": b"ok"} | ({} if answer is None else {"/x": answer})
    with pytest.raises(CompileError, match=reason) as caught:
        fetch(f"{base(server)}/x", timeout=3 if answer == "slow" else 60, limit=1000)
    assert caught.value.diagnostics[0].code == "VSR452"


def test_other_schemes_and_unreachable_servers_are_errors() -> None:
    """A lock or flag cannot read local files."""
    for url in ("file:///etc/passwd", "ftp://127.0.0.1/x", "http://127.0.0.1:9/x", "http://[/x"):
        with pytest.raises(CompileError, match="download failed"):
            fetch(url, timeout=2)


def test_lock_lists_the_releases_of_the_profiles() -> None:
    """Each with a sha256, a unique name, and an address with a commit."""
    releases = read_lock()
    names = {(each.project, each.release) for each in releases}
    projects = {project for project, _ in names}
    for profile in profiles().values():
        asked = {(name, definitions_of(name, version)) for name, version in profile.items()}
        asked = {(name, version) for name, version in asked if name in projects}
        assert asked - {("llm-d-router", "0.3.2"), ("semantic-router", "0.4.0")} <= names
    for each in releases:
        assert len({entry.to for entry in each.entries}) == len(each.entries)
        assert all(len(entry.sha256) == 64 and ".." not in entry.to for entry in each.entries)
        assert all("{path}" in each.url and part in each.url for part in ("https://", each.url.split("/")[-2]))


def test_lock_has_the_digests_of_the_reference_definitions() -> None:
    """Computed from the files."""
    folders = (reference() / "crds", reference() / "crds-newer")
    known = {digest(path.read_bytes()) for folder in folders for path in folder.rglob("*.yaml")}
    listed = {entry.sha256 for each in read_lock() for entry in each.entries}
    assert listed == known


def test_command_fills_the_cache_that_verify_reads(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the address of a mirror; a wrong file exits 1."""
    monkeypatch.setenv("VSR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("VSR_CRDS", raising=False)
    wanted = select(read_lock(base(server)), ("llm-d-router",))[0]
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
