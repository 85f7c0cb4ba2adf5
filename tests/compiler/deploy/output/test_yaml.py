from __future__ import annotations

import enum
import itertools
import json
import math
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st

from support.properties import examples
from vsr_compiler.deploy.output import UnprintableError, dump, dump_all, header
from vsr_compiler.manifests.order import _compare, ordered

kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is the judge here")
# Shrinking would call kubectl a thousand times; the first line that differs says as much.
fast = examples(12, phases=[Phase.generate])

WORDS = """y Y yes Yes YES yEs n N no No NO nO true True TRUE tRue false False FALSE on On ON off Off OFF null Null
NULL nULL ~ ~a .nan .NaN .NAN .Nan .inf .Inf .INF +.inf -.Inf -.INF .iNF = << <<a ! a= none None 1e3 1E3 1e+3 1e-3
1e 1e999 1e10 .5 .5e3
.5_5 .5__5 .5e3_1 .5_e1 .5. . .. ... ...a --- ---a --- 0 00 007 08 09 0_7 0o14 0O14 0o8 14o 0x1F 0X1f 0xG 0x_1F 0x
0b1 0b2 0B11 0b-1 0b+1 -0b1 -0b-1 +0b1 1_000 _1 1_ 1__0 1.0 1. 1.e5 1.5.6 +1 -1 + - ++1 +.5 -.5 +.
9223372036854775807 9223372036854775808 18446744073709551615 18446744073709551616 -9223372036854775808
-9223372036854775809 +9223372036854775808 +0x8000000000000000 0xffffffffffffffff 0x10000000000000000
0777777777777777777777 01777777777777777777777 017777777777777777777777777 1:2 12:30:45 190:20:30.5 190:20:30. 1:60
1:6 -1:30 +1:30 1_0:30 12:30:45:1 12: :12 a:b a:b: 2024-01-01 2024-1-1 2024-13-01 2024-02-29 2023-02-29 2024-02-30
0000-02-29 20240101 2024-01-01T10:00:00Z 2024-01-01t1:2:3.5Z 2024-01-01T10:00:00,5Z 2024-01-01T10:00:00
2024-01-01T10:00:00+01:00 2024-01-01T10:00:00+24:60 2024-01-01T10:00:00+25:00 2024-01-01T24:00:00Z
2024-01-01T10:60:00Z 2024-01-01T10:00:00z 2024-01-01T10:00:00+0100 2024-1-1T1:2:3-00:00 1e10 7b 7e 7e1 a1e3
deadbeef 123e4567 {a} [a] a] }a a,b ,a *a &a !a |a >a %a @a `a a` 'a' a' "a" a" it's #a a#b a# -a --a a- ?a ? : :a
a: ?? :: <a> a&b \\ a\\b \\n / //a http://a/b?c=d&e=f#g $ ${A} $(A) {{x}} {} [] [ ] { } | > ' " '' "" \U0001f600
a\U0001f600b e\u0301 \u0301e \u00e9 \u00df \u00a0 a\u00a0b \u200b \u3000 \ufeff \ufeffab a\ufeff
\ufeff1 \ue000 \ufffd \ufffc \ud7ff \U0010ffff \u05d0 \u202e""".replace("\n", " ").split(" ")

TEXTS = [
    *WORDS,
    *[
        "",
        " ",
        "  ",
        " a",
        "a ",
        " a ",
        "a b",
        "a  b",
        "\t",
        "a\tb",
        "\ta",
        "a\t",
        "a: b",
        "a :b",
        "a : b",
        "a #b",
        "a# b",
    ],
    *[
        "# a",
        "- a",
        "-  a",
        "? a",
        ": a",
        "a, b",
        "--- a",
        "... a",
        "a --- b",
        "2001-12-14 21:59:43",
        "2024-1-1 1:2:3.5",
    ],
    *["2024-01-01 10:00:00Z", "2024-01-01  10:00:00", "a\n", "a\nb", "a\nb\n", "a\n\n", "a\n\n\n", "\n", "\n\n", "\na"],
    *[
        "\n a",
        " \na",
        "a \nb",
        "a\n b",
        "a\n  b\nc\n",
        "a\nb ",
        "a\n\tb",
        "a\tb\nc",
        "a\n\nb",
        "a\n\n\n  b\n\n",
        "# a\nb",
    ],
    *[
        "a\n# b",
        "---\na\n",
        "a\n---\n",
        "a\n...\n",
        "- a\n- b\n",
        "a: b\nc: d\n",
        '{"a": 1}\n',
        "a\r\nb",
        "a\rb",
        "a\r",
        "\r\n",
    ],
    *[
        "a\n\U0001f600",
        "\u00e9\n\u00e9",
        "\u00a0\n",
        "a\n\ufeff",
        "\ufeffa\nb",
        "a\x00b",
        "\x00",
        "\x07\x08\x0b\x0c\x1b",
        "\x01\x1f",
    ],
    *[
        "yes\nno",
        "1\n",
        "1\n2",
        " 1",
        "1 ",
        "null\n",
        "'a'\n",
        "\\\n",
        '"\n',
        "a\\\nb",
        "  \n  ",
        "  a\n\n  b",
        "a\n\n ",
        " \n",
    ],
    *[
        "w " * 60,
        ("w " * 60).strip(),
        "x" * 200,
        "x" * 100 + " y",
        "x" * 79 + " y z",
        "x" * 78 + " y z",
        "x" * 77 + " y z",
    ],
    *[
        "- " + "w  w " * 40 + "x",
        "it's " * 40 + "x",
        "'" + "it's " * 40,
        "\t" + "w " * 60,
        "\t" + "w  w " * 50,
        "\t" + "x" * 90,
    ],
    *[
        "\t" + "x" * 90 + "  y   z ",
        "'" + "x" * 90 + "  y z ",
        "x" * 90 + "  y z",
        "a: " + "x" * 90 + " y ",
        '"' * 50 + " y " * 30,
    ],
    *[
        "\U0001f600 " * 30,
        "\u00e9 " * 60 + "e",
        "\\ " * 60,
        "a\n" + "w " * 60 + "w\n",
        "a\n" + "w " * 60,
        "\ufeff" + "w " * 60,
    ],
    *[
        "x" * 90 + "\n" + "y " * 50 + "y",
        "x " * 39 + "- y",
        "x " * 39 + "# y",
        "x " * 39 + ": y",
        "x " * 38 + "a: y",
        "\u3000 " * 60,
    ],
    *["k" * 127, "k" * 128, "k" * 129, "k " * 64 + "k", "\u00e9" * 64, "\u00e9" * 65, "k" * 1022, '"' * 511, "&" * 170],
]

CHARACTERS = st.one_of(
    st.sampled_from(
        list(" \n\t:#-?'\"\\,[]{}&*!|>%@`~=<.+_0123456789eExXobyYnNaZ\r\x00\x1b\u00a0\u00e9\u0301\ufeff\U0001f600")
    ),
    st.sampled_from(list("  \n\nab")),
    st.characters(exclude_categories=["Cs"]),
).filter(lambda c: not ("\x7f" <= c <= "\x9f" or c in "\u2028\u2029\ufffe\uffff"))
NUMERIC = st.text(st.sampled_from(list("0123456789+-_.:eExXobTtZz ,abf")), max_size=12).filter(
    lambda text: not re.fullmatch("0o[-+][0-7]+", text.replace("_", ""))
)
LONG = st.lists(st.text(CHARACTERS, max_size=12), min_size=8, max_size=40).map(" ".join)
STRINGS = st.one_of(st.text(CHARACTERS, max_size=30), NUMERIC, LONG, st.sampled_from(TEXTS))
KEYS = STRINGS.filter(lambda key: key != "<<" and len(key) < 170)
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-400, 400).map(lambda e: float(f"1.5e{e}")).filter(math.isfinite),
    st.tuples(st.integers(-(10**6), 10**6), st.integers(0, 8)).map(lambda p: p[0] / 10 ** p[1]),
)
VALUES = st.recursive(
    st.one_of(STRINGS, NUMBERS, st.booleans(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=1), st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=8,
)


def kustomize(*texts):
    """What ``kubectl kustomize`` prints for these files."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        names = [f"{number}.yaml" for number in range(len(texts))]
        for name, text in zip(names, texts, strict=True):
            (base / name).write_bytes(text.encode())
        (base / "kustomization.yaml").write_text(json.dumps({"resources": names}))
        done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout.decode()


def thing(spec, name="x"):
    """A custom resource around a value."""
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": name}, "spec": spec}


def difference(left, right):
    """The first lines that differ; comparing thousands of lines by pytest's own means takes minutes."""
    pairs = itertools.zip_longest(left.split("\n"), right.split("\n"))
    return next((f"{a!a} != {b!a}" for a, b in pairs if a != b), None)


def assert_law(spec):
    """Kustomize prints our text unchanged, and prints the same for the same object written as JSON."""
    text = dump(thing(spec))
    assert difference(text, kustomize(json.dumps(thing(spec), ensure_ascii=False))) is None
    assert difference(text, kustomize(text)) is None


@pytest.mark.subprocess
@kubectl
class TestAgainstKubectl:
    """What ``kubectl kustomize`` says is right."""

    @pytest.mark.parametrize("indent", [0, 1, 2, 7, 40])
    def test_nasty_strings_as_values(self, indent):
        """Each nasty string survives as a value and as a list item, at several depths."""
        spec: object = {"values": [{"v": text, "name": 1} for text in TEXTS], "items": TEXTS}
        for _ in range(indent):
            spec = {"d": spec}
        assert_law(spec)

    def test_nasty_strings_as_keys(self):
        """Each nasty string but ``<<`` survives as a key, whatever is below it."""
        keys = [key for key in TEXTS if key != "<<"]
        below = ["v", {"a": "1", "b": {"c": []}}, ["a", ["b"]], "x " * 60, "a\nb", {}, [], None, [{"a": 1, "b": 2}]]
        assert_law([{key: below[number % len(below)]} for number, key in enumerate(keys)])
        assert_law([[{key: {key: below[number % len(below)]}}] for number, key in enumerate(keys)])

    def test_shapes(self):
        """Lists are not indented, nested ones stand on one line, empty ones are in flow style."""
        shapes = [
            [],
            {},
            [[]],
            [{}],
            [[[1], 2], [3]],
            {"a": []},
            {"a": {}},
            {"a": [[1, 2], {"b": 1, "c": [1]}]},
            (1, (2,)),
        ]
        assert_law(shapes)
        assert_law({"a": {"b": {"c": shapes}}, "d": None})

    def test_numbers(self):
        """Numbers are written as Go writes them after a trip through JSON."""
        floats = [s * d * 10.0**e for e in range(-25, 25) for d in (1, 1.5, 1.2345678901234567) for s in (1, -1)]
        edges = [
            0,
            -0.0,
            0.1,
            1e300,
            5e-324,
            2**63,
            2**64 - 1,
            -(2**63),
            2.0**63,
            2.0**64,
            1e20,
            1e21,
            123456.7,
            1234567.8,
        ]
        assert_law([*floats, *edges, True, False, None])

    def test_documents(self):
        """Several objects are separated as kustomize separates them."""
        things = [thing({"text": "a\n\n"}, "a"), thing([], "b"), thing("c", "c")]
        assert kustomize(*map(dump, things)) == dump_all(things)

    def test_header_is_a_comment(self):
        """The generated line changes nothing for kustomize."""
        assert kustomize(header(dump(thing(1)))) == dump(thing(1))

    @fast
    @given(st.lists(STRINGS, min_size=30, max_size=80))
    def test_any_string(self, strings):
        """Whatever text is written, kustomize prints it unchanged."""
        assert_law({"a": strings, "b": [{"deeper": {"and-deeper": text}} for text in strings]})

    @fast
    @given(st.lists(VALUES, min_size=5, max_size=40))
    def test_any_value(self, values):
        """Whatever is nested in whatever, kustomize prints it unchanged."""
        assert_law(values)

    @fast
    @given(st.lists(st.lists(st.text("aBé01-_./9²٣~", max_size=5), max_size=12, unique=True), min_size=5, max_size=40))
    def test_any_order(self, groups):
        """Keys come in kustomize's order wherever its comparison does not contradict itself."""
        consistent = [
            keys for keys in groups if all(_compare(a, b) < 0 for a, b in itertools.combinations(ordered(keys), 2))
        ]
        assert_law([dict.fromkeys(keys, 1) for keys in consistent])


class TestOrder:
    """The order of keys."""

    def test_natural(self):
        """Numbers count as numbers, letters come after everything else."""
        keys = ["b", "a10", "a2", "a02", "A", "_", "10", "9", "a-b", "a1.5", "a1", "é"]
        assert ordered(keys) == ["_", "9", "10", "A", "a-b", "a1", "a1.5", "a2", "a02", "a10", "b", "é"]

    @given(st.lists(st.text("ab019-", max_size=4), max_size=8, unique=True), st.randoms())
    def test_independent_of_input_order(self, keys, random):
        """The same keys come out in the same order, also where the comparison contradicts itself."""
        shuffled = list(keys)
        random.shuffle(shuffled)
        assert ordered(shuffled) == ordered(keys)
        assert dump(dict.fromkeys(shuffled, 1)) == dump(dict.fromkeys(keys, 1))

    def test_many_keys(self):
        """Large mappings are ordered like small ones."""
        keys = [f"m{number}" for number in range(100)]
        assert list(dump(dict.fromkeys(reversed(keys), 0)).split(": 0\n"))[:-1] == keys


class TestRefused:
    """What kubectl would refuse or alter."""

    @pytest.mark.parametrize(
        "character", list(map(chr, (0x7F, 0x80, 0x85, 0x9F, 0x2028, 0x2029, 0xD800, 0xDFFF, 0xFFFE, 0xFFFF))), ids=ascii
    )
    def test_characters(self, character):
        """A character that kubectl cannot carry is refused by number, as value and as key, in short and long text."""
        for value in (character, f"a{character}b", [f"{'x ' * 100}{character}"], {character: 1}, f"a\n{character}\n"):
            with pytest.raises(UnprintableError, match=f"U\\+{ord(character):04X}"):
                dump(value)

    @pytest.mark.subprocess
    @kubectl
    @pytest.mark.parametrize("code", [0x7F, 0x80, 0x86, 0x9F, 0xFFFE, 0xFFFF])
    def test_characters_that_kubectl_refuses(self, code):
        """Kubectl itself fails on them, however they are escaped."""
        text = dump(thing("PLACE")).replace("PLACE", f'"a \\u{code:04X}  b"')
        with pytest.raises(AssertionError, match="control characters are not allowed"):
            kustomize(text)

    @pytest.mark.subprocess
    @kubectl
    @pytest.mark.parametrize("code", [0x85, 0x2028, 0x2029])
    def test_characters_that_kubectl_alters(self, code):
        """Kubectl takes these for line breaks and drops blanks around them."""
        text = dump(thing("PLACE")).replace("PLACE", f'"a \\u{code:04X}  b"')
        printed = kustomize(text)
        assert f"\\u{code:04X}" not in printed
        assert f"a {chr(code)}" not in printed

    @pytest.mark.parametrize(
        "value", ["0o-7", "0_o+1", math.inf, math.nan, 2**64, -(2**63) - 1, {"<<": 1}, {"k" * 1023: 1}]
    )
    def test_values(self, value):
        """Infinities, integers over 64 bits, signed octals, the merge key and endless keys are refused."""
        with pytest.raises(UnprintableError):
            dump([value])

    @pytest.mark.parametrize("value", [b"", {1: 2}, {None: 1}, {1, 2}, object(), {True: 1}])
    def test_types(self, value):
        """What JSON does not have is our own mistake."""
        with pytest.raises(TypeError):
            dump([value])


class TestPlain:
    """Without kubectl."""

    def test_object(self):
        """A whole object, to see the form at a glance."""
        spec = {
            "rules": [{"name": "yes", "weight": 10.0, "hosts": []}],
            "note": "a: b",
            "text": "one\ntwo\n",
            "none": None,
        }
        assert dump(thing(spec)) == (
            "apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: x\nspec:\n  none: null\n  note: 'a: b'\n"
            '  rules:\n  - hosts: []\n    name: "yes"\n    weight: 10\n  text: |\n    one\n    two\n'
        )

    def test_scalars_alone(self):
        """A document may be a scalar."""
        assert [dump(value) for value in ("a", "y", 1, True, None, [], {})] == [
            *["a\n", '"y"\n', "1\n", "true\n", "null\n", "[]\n", "{}\n"]
        ]

    def test_enumerations_of_strings(self):
        """A member of a string enumeration is written as its value."""

        class Kind(enum.StrEnum):
            SERVICE = "Service"

        class Old(str, enum.Enum):  # noqa: UP042  # the older spelling formats itself differently
            SERVICE = "Service-2"

        assert dump({"kind": Kind.SERVICE, "old": Old.SERVICE}) == "kind: Service\nold: Service-2\n"

    def test_header(self):
        """The first line is the one that linters know."""
        assert header("a: 1\n") == "# Code generated by vsr-compile; DO NOT EDIT.\na: 1\n"

    def test_no_documents(self):
        """Nothing is written for nothing."""
        assert dump_all([]) == ""

    @given(VALUES)
    @examples(50)
    def test_same_bytes_twice(self, value):
        """The same value gives the same bytes, whatever was cached meanwhile."""
        assert dump(value) == dump(value)
        assert dump(value).endswith("\n")
