"""Whether requests of agents and front ends are routed by what the person asked, and what finding the ask costs.

Run: ``VSR_REFERENCE=... python benchmarks/asks.py [--profiles builtin|none|off] [--every 4] [--cost]``.

Each request of the reference data (``data/agents``) is decided twice: as it is, and as the ask alone. The table says
how often both have the same category, by kind and by family. No server and no gateway takes part. ``--cost`` prints
the CPU time for wrappers of 4 KB and 60 KB, and how it grows with hostile texts.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vsr_compiler.heads.local_classifiers import LocalClassifiers, load_local_classifiers
from vsr_runtime.decision.ask.extract import ask_of
from vsr_runtime.decision.program.build_ask import with_ask
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.events import (
    Continue,
    ImmediateResponse,
    NeedSignals,
    RequestBody,
    RequestHeaders,
    SendToModel,
    SignalsReady,
)
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, MachineConfig
from vsr_runtime.settings import load
from vsr_schemas.runtime import AskSettings

KINDS = ("single", "tool-loop", "followup")
ASK = "How do plants store sugar, and what does that have to do with the length of the day?"


class Router:
    """A compiled policy, without a server."""

    def __init__(self, folder: Path, ask: AskSettings | None) -> None:
        settings = load(folder / "config.yaml", folder / "credentials")
        self.program: Program = with_ask(replace(settings.program, ask_rules=None), ask)
        self._machine = MachineConfig(self.program, settings.limits.maxBody)
        self._classifiers: LocalClassifiers = load_local_classifiers(settings, folder)
        self._known: dict[str, SignalsReady | None] = {}

    def category(self, path: str, body: Mapping[str, Any]) -> str | None:
        """Return the category of a request, or the status of an error."""
        pseudo = ((":method", "POST"), (":path", path), (":authority", "gateway"))
        headers = RequestHeaders((*pseudo, ("content-type", "application/json")), end_of_stream=False)
        state, action = advance(self._machine, AwaitsHeaders(), headers)
        if isinstance(action, Continue):
            state, action = advance(self._machine, state, RequestBody(json.dumps(body).encode()))
        if isinstance(action, NeedSignals):
            if action.text not in self._known:
                self._known[action.text] = self._classifiers.answer(action)
            ready = self._known[action.text]
            if ready is None:
                raise LookupError("a model of the policy is not on this machine")
            _, action = advance(self._machine, state, ready)
        if isinstance(action, ImmediateResponse):
            return f"{action.status} {action.code}"
        if not isinstance(action, SendToModel):
            raise TypeError(action)
        return action.signals.category if action.signals else None


def share(values: Sequence[bool]) -> str:
    """Return a share as text."""
    return f"{sum(values)}/{len(values)} ({sum(values) / len(values):.1%})" if values else "-"


def accuracy(router: Router, cases: Sequence[Mapping[str, Any]]) -> None:
    """Print how often a request has the category of its ask, by kind and by family."""
    same: dict[tuple[str, str], list[bool]] = defaultdict(list)
    side: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        category = router.category(case["path"], case["request"])
        if case["kind"] == "side-request":
            side["errors"].append(bool(category and category[:1].isdigit()))
            continue
        alone = router.category(case["path"], case["bare"])
        for family in (case["family"], "all"):
            same[family, case["kind"]].append(category == alone)
    print(f"{'family':18}" + "".join(f"{kind:>20}" for kind in KINDS))
    for family in sorted({family for family, _ in same}, key=lambda name: (name == "all", name)):
        print(f"{family:18}" + "".join(f"{share(same[family, kind]):>20}" for kind in KINDS))
    print(f"side requests answered with an error: {share(side['errors'])}")


def cpu(call: Callable[[], object], tries: int) -> float:
    """Return the least CPU time of several runs, in microseconds."""
    best = float("inf")
    for _ in range(7):
        start = time.process_time()
        for _ in range(tries):
            call()
        best = min(best, (time.process_time() - start) / tries)
    return best * 1e6


def wrappers(size: int) -> dict[str, str]:
    """Return user messages of about so many bytes around one ask."""
    rule = "- Keep the answer short, and never call `tool` twice in one step of the plan.\n"
    fact = (
        "Plants store part of the sugar that their leaves make as starch, in grains that fill the cells of roots.\n\n"
    )
    line = "2026-03-17T06:58:11Z INFO app-01 worker 7 idle status=200 took=17ms\n"
    rules, facts, log = (piece * (size // len(piece)) for piece in (rule, fact, line))
    return {
        "tags": f"<some-reminder>\n{rules}</some-reminder>\n{ASK}",
        "heading": f"# Context\n\n{log}\n## My request\n{ASK}\n",
        "label": f"Use it.\n\nContext:\n{facts}Question: {ASK}\nAnswer:",
        "fence": f"{ASK}\n\n```\n{log}```",
        "paragraphs": f"{facts}{ASK}",
        "log": f"{ASK}\n\n{log}",
        "conversation": "".join(f"Human: {ASK}\n\nAI: {fact}" for _ in range(size // 200)) + f"Human: {ASK}\n\nAI:",
    }


HOSTILE = (
    "<", "<a>", "<a>\n", "</a>", "<a ", "```\n", '"""\n', "\nQuestion: a", "\n# a", "\n--- a ---", "\n[1:1] a:", "\n\n",
    " ", "[A]", "<|a", "a", ":", "\n-", ".\n", "\nFrom: a", "\n[", "\n1.", "do not ", "\n> ", "\t", "?", "\\", "\n**a",
    "\n<<<a", "a: b\n", '"role": "user", "content": "', '"role":"user","content":"\\',
)  # fmt: skip
SIZE = 50_000


def cost(router: Router) -> None:
    """Print CPU time by form and size, and by hostile text."""
    rules = router.program.ask_rules
    if rules is None:
        return
    for size, tries in ((4_000, 200), (60_000, 20)):
        times = {name: cpu(lambda text=text: ask_of((text,), rules), tries) for name, text in wrappers(size).items()}
        print(f"{size // 1000} KB: " + ", ".join(f"{name} {micros:.0f} µs" for name, micros in times.items()))
    worst = []
    for piece in HOSTILE:
        short, long = (piece * (size // len(piece)) for size in (SIZE, 4 * SIZE))
        took = [cpu(lambda text=text: ask_of((text,), rules), 1) for text in (short, long)]
        worst.append((took[1] / took[0], took[1] / 1000, piece))
    print(
        "growth from 50 KB to 200 KB:",
        ", ".join(f"{piece!r} {ratio:.1f} ({ms:.0f} ms)" for ratio, ms, piece in sorted(worst)[-5:]),
    )
    print(f"longest: {max(ms for _, ms, _ in worst):.0f} ms for 200 KB")


def main() -> None:
    """Read the arguments and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--router", type=Path, default=Path(__file__).parent.parent / "out/quickstart/router")
    parser.add_argument("--profiles", choices=["builtin", "none", "off"], default="builtin")
    parser.add_argument("--every", type=int, default=1, help="take each n-th request")
    parser.add_argument("--cost", action="store_true", help="print CPU time, too")
    given = parser.parse_args()
    router = Router(given.router, None if given.profiles == "off" else AskSettings(profiles=given.profiles))
    data = Path(os.environ["VSR_REFERENCE"]) / "data/agents/dev.jsonl"
    cases = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
    accuracy(router, cases[:: given.every])
    if given.cost:
        cost(router)


if __name__ == "__main__":
    main()
