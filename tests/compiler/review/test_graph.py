"""Policies as pictures."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.common import SMALL, linked
from support.properties import examples
from vsr_compiler import ir
from vsr_compiler.review.graph import label, mermaid

LABEL = r'"[^"\n]*"'
NODE = (
    rf"[cmeagr][a-z0-9]*(\[{LABEL}\]|\[\({LABEL}\)\]|\(\[{LABEL}\]\)|\{{{LABEL}\}}|\{{\{{{LABEL}\}}\}}|\[/{LABEL}/\])"
)
EDGE = rf"[cmeagr][a-z0-9]* (-->|-- {LABEL} -->|-\. {LABEL} \.->) [cmeagr][a-z0-9]*"


def assert_grammar(text: str) -> None:
    """Every line is a node or an edge in the few forms that are used, and every node that an edge names is there."""
    head, *lines = text.splitlines()
    assert head == "flowchart LR"
    for line in lines:
        assert re.fullmatch(rf"  ({NODE}|{EDGE})", line), line
    nodes = {
        match[1] for line in lines if (match := re.fullmatch(rf"  (\w+?){NODE[len('[cmeagr][a-z0-9]*') :]}", line))
    }
    for line in lines:
        if re.fullmatch(f"  {EDGE}", line):
            first, *_, last = line.split()
            assert {first, last} <= nodes, line


def test_a_policy_is_drawn_from_its_clients_to_its_endpoints() -> None:
    """Auto names, routes with their conditions, the default, models, endpoints."""
    text = mermaid(linked())
    assert_grammar(text)
    assert text == (
        "flowchart LR\n"
        '  clients(["clients"])\n'
        '  auto["auto<br/>MoM"]\n'
        "  clients --> auto\n"
        '  m0["big"]\n'
        '  m1["little"]\n'
        '  e0[("one<br/>one.default.svc.cluster.local")]\n'
        '  e1[("two<br/>two.default.svc.cluster.local")]\n'
        '  r0{"math<br/>category math"}\n'
        "  auto --> r0\n"
        '  r0 -- "yes" --> m1\n'
        '  r0 -- "default" --> m0\n'
        '  clients -. "by name" .-> m0\n'
        '  clients -. "by name" .-> m1\n'
        "  m0 --> e0\n"
        "  m1 --> e1\n"
    )


def test_splits_weights_answers_and_guards_are_drawn() -> None:
    """Shares in per cent; a guard stands before everything."""
    text = (
        SMALL.replace("{endpoints: [two]}", "{endpoints: {two: 3, one: 1}, checkpoint: example/big}")
        .replace("    model: little", "    split: {little: 90, big: 10}")
        .replace("default: big", "  - {name: law, when: {category: law}, respond: No advice.}\ndefault: big")
        + "guards: {secrets: {patterns: builtin, action: block}}\n"
    )
    drawn = mermaid(linked(text))
    assert_grammar(drawn)
    for line in (
        '  guards{{"secrets: block"}}',
        "  clients --> guards",
        "  guards --> auto",
        '  r0 -- "yes, 90 %" --> m1',
        '  r0 -- "no" --> r1',
        '  a1[/"No advice."/]',
        '  r1 -- "yes" --> a1',
        '  m1 -- "75 %" --> e1',
    ):
        assert f"{line}\n" in drawn


def test_conditions_have_brackets_only_where_they_are_needed() -> None:
    """As people say them."""
    law, maths = (ir.InCategory(each) for each in linked().categories)
    assert ir.words(ir.ALWAYS) == "always"
    assert ir.words(ir.Not(law)) == "not category law"
    assert ir.words(ir.AllOf((law, ir.Not(ir.AnyOf((law, maths)))))) == "category law and not (category law or math)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("end", '"end"'),
        ('say "x"', '"say #34;x#34;"'),
        ("a[b](c){d}<e>&f;#g|h`i\\j", '"a#91;b#93;#40;c#41;#123;d#125;#60;e#62;#38;f#59;#35;g#124;h#96;i#92;j"'),
        ("ü 数学 ☃", '"ü 数学 #9731;"'),
        ("1. first", '"1#46; first"'),
        ("- item", '"#45; item"'),
        ("3.5 - 1", '"3.5 - 1"'),
        ("two\nlines", '"two lines"'),
        ("", '" "'),
        ("x" * 200, '"' + "x" * 79 + '…"'),
    ],
)
def test_whatever_a_thing_is_called_is_only_text_in_the_picture(text: str, shown: str) -> None:
    """Quotes, brackets, markup and what Mermaid takes for lists become entities."""
    assert label(text) == shown


@given(st.text(min_size=1, max_size=40).map(lambda text: " ".join(text.split())).filter(bool))
@examples(100)
def test_no_name_breaks_the_syntax(name: str) -> None:
    """A route of any name gives lines of the same few forms."""
    policy = linked()
    route = ir.Route(name, policy.routes[0].when, policy.routes[0].models, policy.span)
    assert_grammar(mermaid(replace(policy, routes=(route,))))
