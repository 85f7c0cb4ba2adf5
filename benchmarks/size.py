"""What a request costs the runtime, by what its policy does and how long it is: the table of ``vsr-compile size``.

Run: ``python benchmarks/size.py [--into FILE] [--seconds 2] [--rounds 3] [--only WORK,...]``. Needs wrk (Debian,
Ubuntu: ``apt-get install wrk``) and the extras ``local`` and ``classify``. Takes about six minutes on an idle machine.
``vsr-compile size POLICY --rps N --measured FILE`` uses the file instead of the table that ships with the compiler
(``compiler/vsr_compiler/review/sizing/measured.json``, which is written without ``--into``).

A run is a policy and a size of the body behind a real Envoy, with connections that always have a request under way.
CPU is that of the processes, from ``/proc``, so other work on the machine raises it only by cold caches; the median of
the rounds counts. A size at which more than one request in a hundred is not answered with 200 is left out: the request
takes longer than its time limit.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from inline import BODY, POLICY, ROOT, VARIED, Doors, doors, wrk
from memory import resident

from vsr_runtime.sandbox.envoy import envoy_command
from vsr_schemas.measurements import Measurements, Row, Work

TABLE = ROOT / "compiler/vsr_compiler/review/sizing/measured.json"
SIZES = (512, 16_384, 131_072)
SHORT = (512, 4096, 16_384)
"""Sizes for work whose time limit is reached before the longest body is read."""
SHARE = 0.01
PROSE = (
    "The second delivery to our office in Rotterdam came on Tuesday, without the three items of order @@@@@@. "
    "Could you check the invoice, compare it with the contract, and write a short answer to the supplier? "
    "In the last quarter we saw 17 % more complaints of this kind; please mention that, and be polite. "
)
"""Text with numbers and names, as guards have to look at them, and nothing that they find. Its number is another one in
each request, so that no answer of a model is used again."""
EVENT = 'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":" delivery"}}]}\n\n'
STREAM = EVENT * 300 + "data: [DONE]\n\n"
_GUARD = POLICY + "guards: {g: {%s, action: block}}\n"
POLICIES: dict[Work, str] = {
    "route": POLICY,
    "pii": _GUARD % "types: [EMAIL_ADDRESS, PHONE_NUMBER, CREDIT_CARD, US_SSN, IBAN_CODE, IP_ADDRESS]",
    "credentials": _GUARD % "patterns: builtin",
    "injection": _GUARD % "patterns: injection",
    "patterns": _GUARD % r"patterns: ['(?i)project[ -]?falcon', '\bACME-[0-9]{6}\b']",
    "responses": _GUARD % "patterns: builtin, on: response",
    "cache": POLICY.replace("model: model-b}", "model: model-b, cache: {ttl: 1m, scope: global}}"),
    "audit": POLICY,
    "encoder": POLICY.replace("signals: {", 'signals: {near: {embedding: {to: ["Why is my parcel late?"]}}, ').replace(
        "routes: [", "routes: [{name: near, when: {signal: near}, model: model-b}, "
    ),
    "windows": POLICY
    + "classifiers: {attacks: {task: jailbreak, head: compiled, examples: "
    + '{attack: ["builtin:injection@1"], other: ["builtin:injection@1/benign"]}}}\n'
    + "guards: {g: {detector: attacks, action: flag}}\n",
}
CONNECTIONS: dict[Work, int] = {"encoder": 4, "responses": 4, "windows": 1}
"""Where it is not 32: with fewer connections no request waits for a model for longer than its time limit."""


@contextlib.contextmanager
def serving(work: Work, folder: Path) -> Iterator[Doors]:
    """A runtime behind Envoy for one kind of work."""
    options = ["--audit", str(folder / "audit")] if work == "audit" else []
    if options:
        (folder / "audit").mkdir(mode=0o700)
    answer = ("text/event-stream", STREAM) if work == "responses" else None
    with doors(POLICIES[work], options, answer=answer) as running:
        yield running


def body(size: int) -> str:
    """A conversation of about this size."""
    *before, last = BODY["messages"]
    missing = size - len(json.dumps(BODY))
    words = f"About {VARIED}. " + (PROSE * (missing // len(PROSE) + 1))[: max(0, missing)]
    return json.dumps(BODY | {"messages": [*before, last | {"content": words + last["content"]}]})


def measured(work: Work, seconds: int, rounds: int) -> Iterator[Row]:
    """Yield the rows of one kind of work."""
    connections = CONNECTIONS.get(work, 32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(work, folder) as running:
            for size in SHORT if work == "windows" else SIZES:
                text = body(size)
                wrk(running.gateway, connections, 1, folder, text)
                runs = [_run(running, connections, seconds, folder, text) for _ in range(rounds)]
                if any(run["errors"] > SHARE * run["rps"] * seconds for run in runs):
                    print(f"{work:12} {len(text):8}   left out: not answered in time", file=sys.stderr)
                    continue
                row = Row(
                    work=work,
                    body=len(text),
                    cpu=round(median(run["cpu"] for run in runs), 1),
                    envoy=round(median(run["envoy"] for run in runs), 1),
                    rate=round(median(run["rps"] for run in runs), 1),
                    memory=round(resident(running.server.pid), 1),
                    connections=connections,
                )
                print(
                    f"{work:12} {row.body:8} {row.cpu:10.1f} us {row.rate:9.1f}/s {row.memory:7.1f} MiB",
                    file=sys.stderr,
                )
                yield row


def _run(running: Doors, connections: int, seconds: int, folder: Path, text: str) -> dict[str, float]:
    before = running.cpu()
    load = wrk(running.gateway, connections, seconds, folder, text)
    count = max(1.0, load["rps"] * seconds) / 1e6
    server, envoy = ((after - was) / count for was, after in zip(before, running.cpu(), strict=True))
    return load | {"cpu": server, "envoy": envoy}


def _machine() -> str:
    """The name of the processor."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _versions() -> dict[str, str]:
    """Versions of what was measured."""
    said = subprocess.run([*envoy_command(), "--version"], check=True, capture_output=True, text=True).stdout
    envoy = next((part for part in said.split("/") if part.count(".") == 2), "unknown")  # noqa: PLR2004 - of a release
    packages = {name: importlib.metadata.version(name) for name in ("onnxruntime", "uvloop", "numpy")}
    return {"python": platform.python_version(), "envoy": envoy, **packages}


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--into", type=Path, default=TABLE)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(POLICIES), help="kinds of work, `route` among them")
    given = parser.parse_args()
    rows = [
        row for work in POLICIES if work in given.only.split(",") for row in measured(work, given.seconds, given.rounds)
    ]
    table = Measurements(
        apiVersion="vsr.dev/v1alpha1",
        kind="RuntimeMeasurements",
        machine=_machine(),
        cores=len(os.sched_getaffinity(0)),
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        command=f"python benchmarks/size.py --seconds {given.seconds} --rounds {given.rounds}",
        versions=_versions(),
        rows=rows,
    )
    given.into.write_text(table.model_dump_json(indent=1) + "\n", encoding="utf-8")
    print(f"wrote {given.into}")


if __name__ == "__main__":
    main()
