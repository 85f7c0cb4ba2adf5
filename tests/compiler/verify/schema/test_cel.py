"""CEL: values, errors and limits of expressions."""

from __future__ import annotations

from typing import Any

import cel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsr_compiler.verify.schema.cel import Budget, CelError, CelSyntaxError, CostError, compiled


def run(text: str, value: Any = None, steps: int = 1_000_000) -> Any:
    """Return the value of an expression for `self`."""
    return compiled(text)((value, None), Budget(steps))


@pytest.mark.parametrize(
    ("text", "value", "result"),
    [
        ("self.min <= self.max", {"min": 1, "max": 2.5}, True),
        ("has(self.a) && self.a == 'x'", {"a": "x"}, True),
        ("has(self.__namespace__) && has(self.a__dash__b)", {"namespace": 1, "a-b": 1}, True),
        ("true == 1", None, False),
        ("1.0 == 1", None, True),
        ("size(self)", "aé€", 3),
        ("self.exists(i, i / 0 == 1) || true", [1], True),
        ("self.all(i, i > 1 && i / 0 > 0)", [1], False),
        ("self.all(k, k == 'x')", {"x": 1}, True),
        ("[1, 2].all(i, v, v == i + 1)", None, True),
        ("self.exists_one(i, i == 2)", [1, 2, 2], False),
        ("[1, 2, 3].map(x, x > 1, x * 2)", None, [4, 6]),
        ("[3, 1].sort() == [1, 3] && [1, [2]].flatten() == [1, 2]", None, True),
        ("self.transformMap(k, v, v + 1)", {"a": 1}, {"a": 2}),
        ("cel.bind(x, self + 1, x * x)", 3, 16),
        ("self.?a.orValue(3) + self.?b.orValue(3)", {"b": 1}, 4),
        ("self[?0].hasValue()", [], False),
        ("optional.of(1).optMap(x, x + 1).value()", None, 2),
        ("'%s has %d of %.1f'.format([self, 3, 2.5])", "x", "x has 3 of 2.5"),
        ("self.split('/')[0].upperAscii()", "a/b", "A"),
        ("self.substring(1, 3) + self.charAt(0)", "abc", "bca"),
        ("self.replace('a', 'b').indexOf('b')", "xa", 1),
        ("duration(self) >= duration('90m') && duration('1s').getMilliseconds() == 1000", "1h30m", True),
        ("timestamp(self).getFullYear()", "2026-02-01T00:00:00Z", 2026),
        ("self.matches('^(?i)[a-z]+$')", "AB", True),
        ("'a1b22'.findAll('[0-9]+')", None, ["1", "22"]),
        ("isURL(self) && url(self).getScheme() == 'https' && url(self).getPort() == '8443'", "https://a:8443/x", True),
        ("isURL(self)", "a b", False),
        ("cidr('10.0.0.0/8').containsIP(self) && ip(self).family() == 4", "10.1.2.3", True),
        ("isIP(self)", "10.1.2", False),
        ("ip('::1').isLoopback() && isCIDR('fd00::/8')", None, True),
        ("quantity('1Gi').isGreaterThan(quantity('1000M'))", None, True),
        ("quantity(string(self)).add(1).asInteger()", 2, 3),
        ("!format.dns1123Label().validate(self).hasValue()", "a-b", True),
        ("format.named('dns1123Label').value().validate(self).value().size()", "A", 1),
        ("type(self) == int && type('') == string", 1, True),
        ("-7 / 2 == -3 && -7 % 2 == -1", None, True),
        ("{'a': 1}.a == 1 && 'a' in {'a': 1} && 2 in [1, 2]", None, True),
        ("r'\\d' + '\\x41' + '''b''' // a remark", None, "\\dAb"),
    ],
)
def test_expression_has_the_value_of_the_specification(text: str, value: Any, result: Any) -> None:
    """Of the language and of the Kubernetes libraries."""
    assert run(text, value) == result


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("self.a.b == 1", {"a": {}}, "no such key: b"),
        ("self[3] == 1", [1], "index out of bounds: 3"),
        ("self + 1", 2**63 - 1, "integer overflow"),
        ("1 / self", 0, "division by zero"),
        ("'a' + 1", None, "no `+` of string and int"),
        ("self < 'a'", 1, "int and string have no order"),
        ("self && true", "x", "string is not a bool"),
        ("duration(self) > duration('1s')", "soon", "not a duration"),
        ("self.lowerAscii()", 3, "no `lowerAscii` of int"),
        ("self.matches('(')", "x", "is not a valid pattern"),
    ],
)
def test_failed_evaluation_names_the_reason(text: str, value: Any, reason: str) -> None:
    """An API server rejects the object."""
    with pytest.raises(CelError, match=reason.replace("+", r"\+")):
        run(text, value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("self.", "expected a name"),
        ("self ==", "expected a name"),
        ("(self", "expected `)`"),
        ("'open", "unterminated string"),
        ("self.frob()", "unknown function `frob`"),
        ("other == 1", "unknown name `other`"),
        ("has(self)", "`has` takes a field"),
        ("9999999999999999999999", "out of range"),
        ("if", "reserved word"),
        ("self # 1", "is unexpected"),
        ("'\\q'", "is not an escape sequence"),
        ("(" * 5000 + "1" + ")" * 5000, "nested deeper"),
        ("(" * 30 + "1" + ("+1" * 30 + ")") * 30, "nested operations"),
        ("!" * 5000 + "true", "signs in a row"),
        ("1" + "+1" * 5000, "operators in a row"),
        ("self" + ".a" * 5000, "steps in a row"),
        ("'" + "a" * 70_000 + "'", "longer than"),
    ],
)
def test_invalid_expression_is_rejected_by_the_compiler(text: str, reason: str) -> None:
    """With a reason, however long or deep it is."""
    with pytest.raises(CelSyntaxError, match=reason.replace("(", r"\(").replace(")", r"\)")):
        compiled(text)


@pytest.mark.parametrize(
    "text",
    [
        "self.all(a, self.all(b, self.all(c, a + b + c >= 0)))",
        "self.map(a, self.map(b, self.map(c, [a, b, c]))).size() > 0",
        (
            "cel.bind(a, [self, self, self, self, self, self], cel.bind(b, [a, a, a, a, a, a], "
            "b == b.map(x, x.map(y, y.map(z, z))))) && self.all(x, self == self.map(y, y))"
        ),
    ],
)
def test_evaluation_stops_when_the_budget_is_exhausted(text: str) -> None:
    """Nested loops and shared values count each time."""
    with pytest.raises(CostError):
        run(text, list(range(300)), 100_000)


@pytest.mark.parametrize("text", ["self.replace('', self)", "[self].join(self + self)", "lists.range(99999999)"])
def test_huge_result_is_rejected_before_it_is_created(text: str) -> None:
    """By its size."""
    with pytest.raises((CelError, CostError)):
        run(f"size({text}) > 0", "x" * 600_000)


VALUES = st.recursive(
    st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "/x", "*", "a/b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
EXPRESSIONS = [
    "has(self.a) ? self.a : self.b",
    "self.a == self.b || !has(self.c)",
    "self.all(x, x == 'a')",
    "self.exists(x, x > 1)",
    "self.exists_one(x, x == 1)",
    "self.filter(x, x != 1).map(x, [x])",
    "size(self) > 1 && self[0] == self[1]",
    "self.a + self.b",
    "self.a - self.b * 2",
    "self.a / self.b",
    "self.a % self.b",
    "self.a < self.b",
    "'a' in self",
    "self.startsWith('/') || self.contains('*') || self.endsWith('b')",
    "self.matches('^[a-z]$')",
    "-self.a == self.b",
    "[self.a, self.b] == [self.b, self.a]",
]


@settings(deadline=None)
@given(st.sampled_from(EXPRESSIONS), VALUES)
def test_values_equal_those_of_another_engine(text: str, value: Any) -> None:
    """Except for types that the other engine does not distinguish."""
    try:
        theirs = cel.compile(text).execute({"self": value})
    except (ValueError, TypeError, RuntimeError, KeyError, ArithmeticError, IndexError):
        return
    try:
        ours = run(text, value)
    except CelError:
        # The other engine calls the order and sum of some mixed types a value, which the language does not.
        assert not isinstance(theirs, bool) or _mixed(value)
        return
    if isinstance(value, dict) and isinstance(ours, list) and isinstance(theirs, list):
        # The other engine takes the keys of a map in an order of its own at each run.
        ours, theirs = sorted(ours, key=repr), sorted(theirs, key=repr)
    assert (ours, type(ours)) == (theirs, type(theirs)) or _mixed(value)


def _mixed(value: Any) -> bool:
    """Whether booleans are mixed with numbers, which the other engine compares as Python does."""
    text = repr(value)
    return "True" in text or "False" in text
