"""Console sessions of the documentation: run their commands and compare the output with the page.

A session is all `console` blocks of a page, in order, in one folder with a copy of `policies/` and `out/`. In a page,

- a line that starts with ``$ `` is a command; a line that ends with a backslash continues on the next line;
- the lines up to the next command are its output, standard error included;
- ``…`` in an output line stands for any text, and a line that is only ``…`` for any number of lines;
- ``<!-- file: PATH -->`` before a `yaml` block makes the block the content of that file;
- ``<!-- cluster: SCENARIO -->`` before a `console` block runs it with a kubeconfig of a fake cluster in this state;
- ``<!-- not run: REASON -->`` before a `console` block skips it.

Run ``python tests/support/doc_sessions.py`` to write today's output into the pages.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from support.common import ROOT
from support.live_scenarios import scenario

PAGES = (
    "README.md",
    "docs/tutorial.md",
    "docs/how-to/review-changes.md",
    "docs/how-to/check-a-deployment.md",
    "docs/how-to/find-names-and-addresses.md",
)
_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>file|not run|cluster): (?P<value>.*?) -->\n\n)?```(?P<language>\w+)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_GIT = {"GIT_CONFIG_GLOBAL": os.devnull} | {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in {"NAME": "Ada", "EMAIL": "ada@example.org", "DATE": "2026-12-01T12:00:00Z"}.items()
}


class Session:
    """A shell that remembers its folder, in which this source's commands are on the path."""

    def __init__(self, folder: Path) -> None:
        self._state = folder / ".session"
        tools = self._state / "bin"
        tools.mkdir(parents=True)
        for name, module in {"vsr-compile": "vsr_compiler.cli", "vsr-runtime": "vsr_runtime.cli"}.items():
            code = f"from {module} import main; main()"
            (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n', encoding="utf-8")
            (tools / name).chmod(0o755)
        self.folder = folder
        self._environment = dict(os.environ) | _GIT | {"PATH": f"{tools}:{os.environ['PATH']}"}

    def use(self, kubeconfig: str) -> None:
        """Let the commands find a cluster."""
        place = self._state / "kubeconfig"
        place.write_text(kubeconfig, encoding="utf-8")
        self._environment["KUBECONFIG"] = str(place)

    def run(self, command: str) -> list[str]:
        """The lines that a command prints, on either stream."""
        where = self._state / "folder"
        script = f"{command}\nstatus=$?\npwd > {where}\nexit $status\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.folder = Path(where.read_text(encoding="utf-8").strip())
        return done.stdout.splitlines()


def steps(body: str) -> Iterator[tuple[list[str], list[str]]]:
    """The commands of a block as lines, each with the lines of its output."""
    command: list[str] = []
    output: list[str] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, output
            command, output = [line], []
        elif command and command[-1].endswith("\\"):
            command.append(line)
        else:
            output.append(line)
    if command:
        yield command, output


def agrees(expected: list[str], actual: list[str]) -> bool:
    """Whether an output is what the page says, with ``…`` for what varies."""
    lines = [".*(?:\n.*)*" if line == "…" else ".*".join(map(re.escape, line.split("…"))) for line in expected]
    return re.fullmatch("\n".join(lines), "\n".join(actual)) is not None


def played(text: str, folder: Path) -> str:
    """A page with the output of today wherever it differs from what the page says."""
    for name in ("policies", "out"):
        shutil.copytree(ROOT / name, folder / name)
    session = Session(folder)

    def block(match: re.Match[str]) -> str:
        if match["mark"] == "file":
            path = session.folder / match["value"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(match["body"], encoding="utf-8")
        if match["language"] != "console" or match["mark"] == "not run":
            return match[0]
        with scenario(match["value"]) if match["mark"] == "cluster" else nullcontext("") as kubeconfig:
            if kubeconfig:
                session.use(kubeconfig)
            return "\n".join([*_mark(match), "```console", *lines(match["body"]), "```"])

    def lines(body: str) -> list[str]:
        result: list[str] = []
        for command, output in steps(body):
            actual = session.run("\n".join(command).removeprefix("$ "))
            result += command + (output if agrees(output, actual) else actual)
        return result

    return _BLOCK.sub(block, text)


def _mark(match: re.Match[str]) -> list[str]:
    """The lines of a mark before a block."""
    return [f"<!-- {match['mark']}: {match['value']} -->", ""] if match["mark"] else []


if __name__ == "__main__":
    for name in PAGES:
        with tempfile.TemporaryDirectory() as temporary:
            page = ROOT / name
            page.write_text(played(page.read_text(encoding="utf-8"), Path(temporary)), encoding="utf-8")
            sys.stdout.write(f"{name}\n")
