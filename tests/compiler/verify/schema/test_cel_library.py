"""CEL as Kubernetes' own library evaluates it.

`support/data/cel_results.jsonl` has expressions with the results that they had in a program of k8s.io/apiserver's CEL
libraries (cel-go 0.29), for a value of `self` each; `ERROR` stands for an evaluation that fails.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from support.common import reference
from vsr_compiler.verify.schema.cel import Budget, CelError, CostError, compiled
from vsr_compiler.verify.schema.cel.conversions import to_string
from vsr_compiler.verify.schema.cel.values import UnsupportedError

RESULTS = Path(__file__).parents[3] / "support" / "data" / "cel_results.jsonl"
RESULTS_OF_REFERENCE = (
    "ttettttttettttttt-ttt-ttttttttttttftft--ftttttttttt-t--ttt-ttttt-tff-tteetttet-tttttefttfftttttttttftttffttt"
    "ttttf--ttttttttt-teeet---tttttttttttttttttttttttttttttttttteeetttttettetttfftttfttttttttftttttttttttttfefett"
    "ttfefefefefefetftftfftttttftfffttttttfttttfttfftttttffftfftttfttt-tttttttttttfffffftfttfffttftffftttttffftff"
    "ffttttfttttttttfffttftffftfftffttttffftfttttttffttttettttetttf-ttf-tt-tttteftttttftttt-ttttttttttt-tttttt-t-"
)
"""Of the 432 expressions in the reference data: true, false, error, or `-` if Kubernetes does not compile it."""


def evaluate(expression: str, kind: str, value: Any) -> Any:
    """Return the result of an expression; `ERROR` if it fails."""
    current = float(value) if kind == "number" else value
    try:
        return compiled(expression)((current, None), Budget(1_000_000))
    except CelError:
        return "ERROR"


@pytest.mark.parametrize("part", range(8))
def test_expressions_have_the_results_of_kubernetes(part: int) -> None:
    """Of every function of its libraries, with ordinary and odd values."""
    lines = RESULTS.read_text(encoding="utf-8").splitlines()
    wrong = []
    for line in lines[part::8]:
        case = json.loads(line)
        for expression, expected in case["results"].items():
            result = evaluate(expression, case["type"], case["self"])
            if result != expected and not (isinstance(expected, str) and _text(result) == expected):
                wrong.append((expression, case["self"], expected, result))
    assert wrong == []


def _text(value: Any) -> str:
    try:
        return to_string(value)
    except CelError:
        return ""


def test_no_expression_of_the_reference_has_another_result() -> None:
    """All 432, except those that cannot exist in an API server."""
    script = reference() / "data/cases/verify/13-cel-values/expressions.py"
    # Its last lines write files.
    source = script.read_text(encoding="utf-8").partition("open('celdiff.in'")[0]
    names: dict[str, Any] = {}
    exec(compile(source, str(script), "exec"), names)  # noqa: S102 - reference data
    cases = names["E"]
    assert len(cases) == len(RESULTS_OF_REFERENCE)
    letters = {True: "t", False: "f", "ERROR": "e"}
    wrong = [
        (expression, value, expected)
        for (kind, expression, value), expected in zip(cases, RESULTS_OF_REFERENCE, strict=True)
        if expected != "-" and letters[evaluate(expression, kind, value)] != expected
    ]
    assert wrong == []


def test_a_time_that_cannot_be_computed_is_no_error_of_the_object() -> None:
    """The rule is reported as not evaluated."""
    with pytest.raises(UnsupportedError):
        compiled("timestamp(self).getFullYear('-01:00') == 0")(("0001-01-01T00:00:00Z", None), Budget(1000))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("quantity(self).add(quantity(self)).sign() == 1", "1e999999999"),
        ("quantity(self).isLessThan(quantity('1'))", f"0.{'0' * 4000}1"),
        ("isURL(self) && isSemver(self) && isCIDR(self) && isIP(self)", "9" * 500_000),
        ("duration(self) > duration('1s')", f"{'1h' * 100_000}"),
        ("self.split('').map(x, self).join('').size() > 0", "a" * 5000),
        ("'%s'.format([self.split('').map(x, self)])", "a" * 5000),
        ("self.split('').distinct().size() + lists.range(100000).distinct().size()", "ab" * 50_000),
        ("'%.999999f'.format([1.0]).size() > 0", ""),
    ],
)
def test_hostile_values_end(expression: str, value: str) -> None:
    """With a result, an error, or an exhausted budget."""
    with contextlib.suppress(CelError, CostError):
        compiled(expression)((value, None), Budget(1_000_000))
