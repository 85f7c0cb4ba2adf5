"""Measures the guards' finders: time a prompt, and how time grows with hostile text.

Run: ``VSR_REFERENCE=folder python benchmarks/guards.py [characters]``; the folder holds ``data/prompts``.
``benchmarks/guards.py pii`` and ``benchmarks/guards.py injection`` measure what is found and what is not, see
``guards_pii.py`` and ``guards_injection.py``. ``benchmarks/guards.py all`` prints the page of measured guards. The laws
of time: at most 0.1 ms a prompt for personal data, and twice the text in about twice the time, whatever the text.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.guard_samples import HOSTILE  # noqa: E402 - found by the line above
from vsr_runtime.decision.deadline import never  # noqa: E402 - as above
from vsr_runtime.decision.guards.finders import credentials, injection, personal, spans  # noqa: E402 - as above
from vsr_runtime.decision.guards.guard import Finder, Guard  # noqa: E402 - as above
from vsr_runtime.decision.guards.guard_input import GuardInput  # noqa: E402 - as above
from vsr_schemas.pii import PATTERN_TYPES  # noqa: E402 - as above


def best(call: Callable[[], object], rounds: int = 5) -> float:
    """The shortest of several runs, in milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def prompts() -> list[str]:
    """The domain prompts of the reference data; some of ours where there are none."""
    folder = os.environ.get("VSR_REFERENCE")
    if folder is None:
        print("VSR_REFERENCE is not set: one prompt of our own instead of the data's")
        return ["Which of the following is true of the function of haemoglobin in human blood? Explain why. " * 2]
    path = Path(folder) / "data" / "prompts" / "domain_classify_cases.json"
    return [case["question"] for case in json.loads(path.read_text(encoding="utf-8"))]


def conversation() -> str:
    """A request of an agent: fifty tools, and twenty turns."""
    about = "Looks up what is known of {0} in the records of {1}, and gives at most ten entries, the newest first."
    tools = [
        {
            "type": "function",
            "function": {
                "name": f"look_up_{number}",
                "description": about.format(f"item {number}", f"department {number}"),
                "parameters": {
                    "type": "object",
                    "properties": {
                        name: {"type": "string", "description": f"The {name} of entry {number}, as people write it."}
                        for name in ("title", "author", "place", "period", "order")
                    },
                },
            },
        }
        for number in range(50)
    ]
    turns = [
        {"role": ("user", "assistant")[number % 2], "content": about.format(f"turn {number}", "this conversation")}
        for number in range(20)
    ]
    return json.dumps({"model": "auto", "messages": turns, "tools": tools})


def agents(finders: Sequence[Finder]) -> tuple[float, float]:
    """Milliseconds of looking through an agent's request, the first time and again."""
    text = conversation()
    values = json.loads(text)

    def look(guard: Guard) -> object:
        return GuardInput(text, values).matches(guard, never)

    known = Guard("known", "mask", tuple(finders))
    look(known)
    return best(lambda: look(Guard("new", "mask", tuple(finders)))), best(lambda: look(known))


def main(size: int = 32_000) -> None:
    """Prints a line a set of finders, then a line a hostile text."""
    every: dict[str, Finder] = {
        "personal": personal(PATTERN_TYPES),
        "credentials": credentials(),
        "injection": injection(),
    }
    texts = prompts()
    print(f"{len(texts)} prompts, {statistics.mean(map(len, texts)):.0f} characters on average")
    for name, finders in (*((name, [finder]) for name, finder in every.items()), ("all three", [*every.values()])):
        taken = [best(lambda finders=finders, text=text: spans(finders, text, never)) for text in texts]
        print(f"  {name:<12} {statistics.mean(taken):7.4f} ms a prompt, {max(taken):7.3f} at most")
    first, again = agents([*every.values()])
    text = conversation()
    number = len(GuardInput(text, json.loads(text)).texts)
    print(f"an agent's request of {len(text)} bytes, {number} texts, all three finders")
    print(f"  {first:.1f} ms the first time, {again:.1f} ms again, x{first / again:.1f}")
    print(f"hostile texts of {size} and {2 * size} characters, all three finders")
    for name, row in HOSTILE.items():
        short, long = ("".join(islice(cycle(row), length)) for length in (size, 2 * size))
        once, twice = (best(lambda text=text: spans(every.values(), text, never), 2) for text in (short, long))
        print(f"  {name:<18} {once:8.1f} ms {twice:8.1f} ms  x{twice / once:.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["pii"]:
        import guards_pii

        guards_pii.main(*map(int, sys.argv[2:]))
    elif sys.argv[1:2] == ["injection"]:
        import guards_injection

        guards_injection.main(*map(int, sys.argv[2:]))
    elif sys.argv[1:2] in (["all"], ["rest"]):
        import guards_all

        (guards_all.main if sys.argv[1] == "all" else guards_all.rest)(*map(int, sys.argv[2:]))
    else:
        main(*map(int, sys.argv[1:]))
