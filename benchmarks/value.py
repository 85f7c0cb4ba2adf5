"""Measures what a policy's choices are worth: accuracy, cost, regret and robustness, beside other ways to choose.

Run: ``python benchmarks/value.py --policy POLICY --data TABLE [--map POLICY-MODEL=TABLE-MODEL] [--wordings FILE]
[--svg FILE] [--json]``, with a table of prompts x models x scores x costs that you have, such as RouterBench's or
RouterArena's (CSV, JSON Lines, JSON, Parquet). Without ``--data``, the table is synthetic; ``--page`` writes it into
docs/explanation/value.md. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / name) for name in ("compiler", "runtime", "schemas")]

from vsr_compiler.deploy.output.write import read_owned  # noqa: E402 - after the path is set
from vsr_compiler.diagnostics import CompileError  # noqa: E402 - as above
from vsr_compiler.pipeline import compile_policy, read_policy  # noqa: E402 - as above
from vsr_compiler.review.local_router import open_router  # noqa: E402 - as above
from vsr_compiler.value.choices import columns  # noqa: E402 - as above
from vsr_compiler.value.compare import Candidate, compared  # noqa: E402 - as above
from vsr_compiler.value.records import TableError, records  # noqa: E402 - as above
from vsr_compiler.value.report import Report, data, markdown, svg  # noqa: E402 - as above
from vsr_compiler.value.table import Row, Table, prompts, table  # noqa: E402 - as above

SEED, PROMPTS = 1, 2000
PAGE = ROOT / "docs" / "explanation" / "value.md"
DRAWING = ROOT / "docs" / "images" / "value.svg"
POLICY = ROOT / "benchmarks" / "value-policy.yaml"
BEGIN, END = "<!-- python benchmarks/value.py --page -->\n", "<!-- end -->\n"
MODELS = {"small": 0.06, "coder": 0.3, "large": 1.5}
"""Synthetic models with the price of a thousand tokens in cents."""
SKILLS = {
    "code": {"small": 0.25, "coder": 0.85, "large": 0.8},
    "mathematics": {"small": 0.3, "coder": 0.45, "large": 0.8},
    "facts": {"small": 0.85, "coder": 0.6, "large": 0.93},
    "writing": {"small": 0.7, "coder": 0.3, "large": 0.85},
}
"""The share of prompts that each synthetic model answers well, by task. Invented; no real model has these numbers."""
TASKS = {
    "code": (
        "Write a {language} function that {action}.",
        "Why does this {language} code fail? It should be a function that {action}.",
        "How do I test a thing that {action}?",
    ),
    "mathematics": (
        "Solve the equation {number}x + {other} = {more}.",
        "What is the derivative of x^{number} + {other}x?",
        "A shop sells {number} apples a day for {other} days. How many is that?",
    ),
    "facts": (
        "What is the capital of {country}?",
        "When was the first railway in {country} built?",
        "Which language is spoken in {country}? Who wrote its first python-free dictionary?",
    ),
    "writing": (
        "Write a short poem about {topic}.",
        "Summarize what people like about {topic} in two sentences.",
        "Write a letter that explains {topic} to a child.",
    ),
}
WORDS = {
    "language": ["Python", "Rust", "SQL", "Go"],
    "action": ["sorts a list", "reads a file", "joins two tables", "parses a date", "counts words"],
    "country": ["Portugal", "Japan", "Chile", "Kenya", "Norway", "Peru"],
    "topic": ["rain", "trains", "the sea", "bread", "winter", "chess"],
}


def synthetic(seed: int, count: int) -> Table:
    """Return a table of invented prompts, models, scores and costs; the same for the same seed."""
    draw = random.Random(seed)  # noqa: S311 - the same table in every run
    rows = []
    for number in range(count):
        task = draw.choice(list(TASKS))
        words = {name: draw.choice(values) for name, values in WORDS.items()}
        words |= {name: str(draw.randrange(2, 90)) for name in ("number", "other", "more")}
        prompt = draw.choice(TASKS[task]).format(**words)
        hardness = draw.random()  # one number a prompt: what a weak model can do, a strong one mostly can
        scores = tuple(float(SKILLS[task][model] * 1.3 > hardness + 0.3 * draw.random()) for model in MODELS)
        tokens = [draw.randrange(80, 900) for _ in MODELS]
        costs = tuple(price * amount / 100_000 for price, amount in zip(MODELS.values(), tokens, strict=True))
        rows.append(Row(f"s{number}", prompt, task, scores, costs))
    return Table(tuple(MODELS), tuple(rows))


def candidate(path: Path, against: Table, names: dict[str, str]) -> Candidate:
    """Compile a policy and open its router."""
    linked = read_policy(path)
    policy = compile_policy(linked, partial(read_owned, ROOT / "out", linked.name)).policy
    known = columns([model.name for model in policy.models], against, names)
    return Candidate(policy.name, open_router(policy), known)


def synthetic_report() -> Report:
    """Return the report on the synthetic table, as docs/explanation/value.md has it."""
    made = synthetic(SEED, PROMPTS)
    return compared(made, [candidate(POLICY, made, {})], SEED)


def page(report: Report) -> str:
    """Return the page with a report in it."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{markdown(report)}\n{END}{after}"


def main() -> None:
    """Print the report, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", type=Path, action="append", help="may be repeated, to compare policies")
    parser.add_argument("--data", type=Path, help="a table of prompts, models, scores and costs")
    parser.add_argument("--map", action="append", default=[], metavar="POLICY-MODEL=TABLE-MODEL")
    parser.add_argument("--wordings", type=Path, help="other wordings: records with an id and a prompt")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--svg", type=Path, help="write the drawing")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--page", action="store_true", help="write docs/explanation/value.md and its drawing")
    words = parser.parse_args()
    if words.page:
        report = synthetic_report()
        PAGE.write_text(page(report), encoding="utf-8")
        DRAWING.write_text(svg(report), encoding="utf-8")
        return
    if any("=" not in one for one in words.map):
        parser.error("--map takes POLICY-MODEL=TABLE-MODEL")
    try:
        made = table(records(words.data), str(words.data)) if words.data else synthetic(words.seed, PROMPTS)
        names = dict(one.split("=", 1) for one in words.map)
        policies = [candidate(path, made, names) for path in words.policy or [POLICY]]
        others = prompts(records(words.wordings)) if words.wordings else None
        report = compared(made, policies, words.seed, others)
    except TableError as error:
        sys.exit(f"error: {error}")
    except CompileError as error:
        sys.exit("\n".join(f"error: {item.span.file}:{item.span.line}: {item.message}" for item in error.diagnostics))
    if words.svg:
        words.svg.write_text(svg(report), encoding="utf-8")
    print(json.dumps(data(report), indent=2) if words.json else markdown(report))


if __name__ == "__main__":
    main()
