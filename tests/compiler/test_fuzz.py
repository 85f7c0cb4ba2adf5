"""Hostile and broken policies: whatever stands in the file, the outcome is a linked policy or findings with places."""

from __future__ import annotations

import copy
import io
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from support.common import ROOT, SMALL
from support.properties import examples
from vsr_compiler.analysis import analyse
from vsr_compiler.diagnostics import CODES, CompileError
from vsr_compiler.link import link
from vsr_compiler.syntax import load
from vsr_compiler.syntax.data import parse
from vsr_compiler.syntax.text import decode
from vsr_compiler.targets import profiles
from vsr_schemas.policy.v1alpha1 import PolicySpec

WHOLE = (ROOT / "tests" / "compiler" / "whole.yaml").read_text(encoding="utf-8")
"""A policy that uses every section, so that mutations reach all of them."""
SEED = YAML(typ="safe").load(WHOLE)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=True),
    st.text(max_size=12),
    st.sampled_from(
        ["no", "1e3", "0x10", "a" * 300, "*", "../..", "x\u2028y", "\x7f", "日本", "[", "external", "auto"]
    ),
    st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3),
)


def front_end(data: bytes) -> None:
    """The whole front end; every finding must be of a known code and point into the file."""
    try:
        document = load(decode(data, "p.yaml"), "p.yaml")
        found = analyse(link(document, parse(document, PolicySpec), profiles()), {"istio"})
    except CompileError as error:
        found = error.diagnostics
        assert found
    lines = data.decode(errors="replace").splitlines()
    for item in found:
        assert item.code in CODES
        assert item.span.file == "p.yaml"
        assert 1 <= item.span.line <= len(lines) + 1
        assert item.span.column >= 1
        assert item.message


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path in a document."""
    found = [path]
    if isinstance(value, dict):
        for key, child in value.items():
            found += places(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            found += places(child, (*path, index))
    return found


PLACES = places(SEED)[1:]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """The whole policy with some values replaced, removed or renamed."""
    document = copy.deepcopy(SEED)
    for path in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=4)):
        parent = document
        try:
            for step in path[:-1]:
                parent = parent[step]
            action = draw(st.sampled_from(["replace", "remove", "rename"]))
            if action == "remove":
                del parent[path[-1]]
            elif action == "rename" and isinstance(parent, dict):
                parent[draw(st.text(min_size=1, max_size=5))] = parent.pop(path[-1])
            else:
                parent[path[-1]] = draw(ODD)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier mutation took the place away
    out = io.BytesIO()
    YAML(typ="safe").dump(document, out)
    return out.getvalue()


def test_the_whole_policy_uses_every_section_and_links() -> None:
    """The seed of the mutations is itself good, but for what nothing executes yet, and for who asks."""
    document = load(WHOLE, "p.yaml")
    policy = parse(document, PolicySpec)
    assert set(PolicySpec.model_fields) == policy.model_fields_set
    errors = {
        item.code for item in analyse(link(document, policy, profiles()), {"istio"}) if item.level.word == "error"
    }
    assert errors <= {"VSR105", "VSR283"}


@examples(250, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(mutated())
def test_no_structure_ends_in_anything_but_findings(data: bytes) -> None:
    """Wrong types, missing and unknown keys, odd names, in any place."""
    front_end(data)


@examples(300)
@given(st.integers(0, len(SMALL)), st.binary(max_size=6), st.integers(0, 6))
def test_no_bytes_end_in_anything_but_findings(place: int, junk: bytes, cut: int) -> None:
    """Bytes put into, and taken out of, a good policy."""
    data = SMALL.encode()
    front_end(data[:place] + junk + data[place + cut :])
