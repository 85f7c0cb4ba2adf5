"""Build with kubectl or kustomize what this package cannot: bounded in time, memory and output, without network."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

TIMEOUT = 30.0
MAX_OUTPUT = 64 * 1024 * 1024
MEMORY = "2GiB"
_MAX_REASON = 300
_LOGGED = re.compile(r'err="(.*)"\Z')
_NOWHERE = "http://127.0.0.1:1"


class ProgramError(Exception):
    """The program failed, took too long, or wrote too much."""


def command() -> list[str] | None:
    """Return the command that builds a folder; None if neither program is installed."""
    for name, words in (("kustomize", ["build"]), ("kubectl", ["kustomize"])):
        if path := shutil.which(name):
            return [path, *words]
    return None


def output(words: list[str], folder: Path) -> bytes:
    """Return what the program prints for a folder.

    It has no plugins, charts, credentials and proxies, so it starts no other program of a kustomization.

    Raises:
        ProgramError: It failed, took too long, or wrote too much.
    """
    with tempfile.TemporaryDirectory(prefix="vsr-verify-") as home:
        answer = Path(home) / "answer"
        environment = {
            "HOME": home,
            "PATH": home,
            "GOMEMLIMIT": MEMORY,
            "GOMAXPROCS": "2",
            "GIT_ALLOW_PROTOCOL": "none",
            # Addresses are looked for before; if one is overlooked, it leads to a proxy that does not exist.
            "HTTP_PROXY": _NOWHERE,
            "HTTPS_PROXY": _NOWHERE,
        }
        with answer.open("wb") as out:
            started = subprocess.Popen(  # noqa: S603 - the user's own program, fixed arguments
                [*words, str(folder.resolve())],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
            try:
                _, errors = started.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(started.pid, signal.SIGKILL)
                started.communicate()
                raise ProgramError(f"{Path(words[0]).name} took more than {TIMEOUT:g} s") from None
        if started.returncode:
            lines = errors.decode(errors="replace").strip().splitlines() or ["no reason given"]
            # kubectl logs `E1202 10:21:05.292018 … "command failed" err="REASON"`.
            found = _LOGGED.search(lines[-1])
            reason = found[1].replace('\\"', '"') if found else lines[-1]
            raise ProgramError(reason if len(reason) <= _MAX_REASON else f"… {reason[-_MAX_REASON:]}")
        if answer.stat().st_size > MAX_OUTPUT:
            raise ProgramError("it prints more than 64 MiB")
        return answer.read_bytes()
