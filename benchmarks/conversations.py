"""Routes the conversations of the reference data turn by turn, with stickiness and without.

    VSR_REFERENCE=... python benchmarks/conversations.py --router out/quickstart/router [--sets dev] [--limit 20]

For each turn the category and the model are compared with those of the governing ask alone. Printed are the share of
turns that agree, by kind of turn; switches within tool loops and under an unchanged ask; the share of real changes of
topic that are followed; all switches, and the agreement with the data's own labels. Everything goes through the state
machine in this process.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vsr_compiler.heads.local_classifiers import LocalClassifiers, load_local_classifiers
from vsr_runtime.decision.program.build_ask import with_ask
from vsr_runtime.decision.program.build_stickiness import with_stickiness
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.events import (
    Continue,
    NeedSignals,
    RequestBody,
    RequestHeaders,
    SendToModel,
    SignalsReady,
)
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, MachineConfig
from vsr_runtime.settings import load
from vsr_schemas.runtime import AskSettings, StickinessSettings

CHAT = "/v1/chat/completions"
Result = tuple[str | None, str | None]
"""Category and model."""


@dataclass
class Router:
    """A decision program with its classifiers. Results of models are kept, since they depend on the text alone."""

    program: Program
    classifiers: LocalClassifiers
    known: dict[Any, SignalsReady] = field(default_factory=dict)
    asked: int = 0

    def route(self, path: str, body: Mapping[str, Any]) -> Result:
        """Return category and model of a request."""
        config = MachineConfig(self.program, 8 << 20)
        headers = ((":method", "POST"), (":path", path), (":authority", "g"), ("content-type", "application/json"))
        state, action = advance(config, AwaitsHeaders(), RequestHeaders(headers, end_of_stream=False))
        if isinstance(action, Continue):
            state, action = advance(config, state, RequestBody(json.dumps(body, ensure_ascii=False).encode()))
        if isinstance(action, NeedSignals):
            self.asked += 1 + len(action.earlier)
            key = (action.text, action.kinds, action.earlier)
            if key not in self.known:
                self.known[key] = self.classifiers.answer(action) or SignalsReady()
            state, action = advance(config, state, self.known[key])
        if not isinstance(action, SendToModel):
            raise TypeError(f"{path}: {action}")
        return action.signals.category if action.signals else None, action.model


@dataclass
class Tally:
    """Counts of one set of conversations."""

    agree: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    labels: list[bool] = field(default_factory=list)
    loop: int = 0
    needless: int = 0
    switches: int = 0
    missed: list[tuple[str, int]] = field(default_factory=list)
    changes: int = 0


def measure(router: Router, talks: list[dict[str, Any]]) -> Tally:
    """Route every turn of every conversation."""
    tally = Tally()
    for talk in talks:
        before: Result | None = None
        alone_before: Result | None = None
        for i, body in enumerate(talk["turns"]):
            got = router.route(talk["path"], body)
            alone = router.route(CHAT, {"model": "auto", "messages": [{"role": "user", "content": talk["asks"][i]}]})
            tally.agree[talk["kinds"][i]].append(got[0] == alone[0])
            tally.labels.append(got[0] == talk["categories"][i])
            if i:
                moved = got[0] != (before or got)[0]
                tally.switches += moved
                tally.loop += moved and talk["kinds"][i] == "tool-loop"
                tally.needless += moved and talk["asks"][i] == talk["asks"][i - 1]
                if talk["switch"][i] and alone[0] != (alone_before or alone)[0]:
                    tally.changes += 1
                    if got[0] != alone[0]:
                        tally.missed.append((talk["id"], i))
            before, alone_before = got, alone
    return tally


def show(name: str, tally: Tally) -> None:
    """Print the figures."""
    every = [one for ones in tally.agree.values() for one in ones]
    print(f"{name}: {sum(every)}/{len(every)} ({sum(every) / len(every):.1%}) as the governing ask alone")
    for kind, ones in sorted(tally.agree.items()):
        print(f"  {kind}: {sum(ones)}/{len(ones)} ({sum(ones) / len(ones):.1%})")
    followed = tally.changes - len(tally.missed)
    print(f"  switches: {tally.switches}, under an unchanged ask {tally.needless}, within tool loops {tally.loop}")
    print(f"  changes of topic followed: {followed}/{tally.changes} ({followed / max(tally.changes, 1):.1%})")
    print(f"  agrees with the data's labels: {sum(tally.labels) / len(tally.labels):.1%}")
    if tally.missed:
        print(f"  missed: {', '.join(f'{talk} turn {turn}' for talk, turn in tally.missed[:12])}")


def main() -> None:
    """Compare stickiness with routing turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--router", type=Path, default=Path("out/quickstart/router"))
    parser.add_argument("--sets", default="dev")
    parser.add_argument("--limit", type=int, default=None, help="conversations of each set")
    given = parser.parse_args()
    settings = load(given.router / "config.yaml")
    classifiers = load_local_classifiers(settings, given.router)
    bare = replace(settings.program, stickiness=None)
    modes = {
        "conversation": with_stickiness(bare, StickinessSettings(mode="conversation")),
        "turn by turn": bare,
    }
    for name in given.sets.split(","):
        path = Path(os.environ["VSR_REFERENCE"]) / "data" / "agents" / f"conversations-{name}.jsonl"
        talks = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()][: given.limit]
        known: dict[Any, SignalsReady] = {}
        for mode, program in modes.items():
            router = Router(with_ask(program, AskSettings()), classifiers, known)
            show(f"{name}, {mode}", measure(router, talks))
            print(f"  texts that models read: {router.asked}")


if __name__ == "__main__":
    main()
