from __future__ import annotations

import pytest

from support.common import linked
from vsr_compiler import examples
from vsr_compiler.diagnostics import CompileError

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: p}
router: {image: "vsr-runtime:0.1.0"}
endpoints: {e: {service: {name: s, port: 80}}}
models: {small: {endpoints: [e]}}
categories:
  %s:
    description: A subject.
    examples: %s
routes:
  - {name: r, when: {category: "%s"}, model: small}
default: small
"""


def of(category: str, entries: str):
    """The category of a policy."""
    return linked(POLICY % (category, entries, category)).categories[0]


def test_a_shipped_set_gives_the_examples_of_the_categorys_name():
    """The examples are those of the label with that name, beside the policy's own."""
    category = of("math", '["What is 2+2?", "builtin:mmlu-pro@1"]')
    shipped = examples.read("mmlu-pro@1").texts("math")
    assert category.examples == ("What is 2+2?", *shipped)
    assert category.shipped == set(shipped)
    assert len(category.example_spans) == len(category.examples)


def test_another_label_can_be_named():
    """A category may have another name than the label."""
    assert of("maths", '["builtin:mmlu-pro@1/math"]').examples == examples.read("mmlu-pro@1").texts("math")


@pytest.mark.parametrize(
    ("category", "entry", "message", "hint"),
    [
        ("math", "builtin:mmlu-pro", "does not name a set", "builtin:NAME@VERSION"),
        ("math", "builtin:mmlu-por@1", "no set of examples `mmlu-por@1`", "mmlu-pro@1"),
        ("math", "builtin:mmlu-pro@9", "no set of examples `mmlu-pro@9`", "mmlu-pro@1"),
        ("maths", "builtin:mmlu-pro@1", "no label `maths`", "math"),
        ("law", "builtin:mmlu-pro@1/mathh", "no label `mathh`", "math"),
    ],
)
def test_what_is_not_shipped_is_an_error(category, entry, message, hint):
    """A wrong name, version or label is found at its place, with what there is."""
    with pytest.raises(CompileError) as caught:
        of(category, f'["{entry}"]')
    found = caught.value.diagnostics[0]
    assert found.code == "VSR257"
    assert message in found.message
    assert hint in found.hint
    assert (found.span.line, found.span.column) == (10, 16)
