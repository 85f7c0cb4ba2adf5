"""Heads for tasks of a policy's own: their examples, and the signals that test a label."""

from __future__ import annotations

import pytest

from support.common import linked
from vsr_compiler import examples, ir
from vsr_compiler.diagnostics import CompileError

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: p}
router: {image: "vsr-runtime:0.1.0"}
endpoints: {e: {service: {name: s, port: 80}}}
models: {small: {endpoints: [e]}}
classifiers:
  own: %s
%s
default: small
"""
SIGNAL = (
    "signals: {wanted: {label: {classifier: own, is: %s}}}\nroutes: [{name: r, when: {signal: wanted}, model: small}]"
)
LABELS = "{task: labels, head: compiled, examples: {question: [Who is it], order: [Go now]}}"


def problems(classifier: str, rest: str = "") -> list[tuple[str, str]]:
    """Codes and messages of the errors of a policy."""
    with pytest.raises(CompileError) as caught:
        linked(POLICY % (classifier, rest))
    return [(item.code, item.message) for item in caught.value.diagnostics]


def test_a_shipped_set_gives_the_examples_of_a_label_with_their_topics():
    """Topics of a set are held out together, so they are kept; texts of the policy state none."""
    text = '{task: labels, examples: {satisfied: ["builtin:feedback@1", "Fine."], wrong_answer: [No.]}}'
    (classifier,) = linked(POLICY % (text, SIGNAL % "satisfied")).classifiers
    satisfied = classifier.examples[0]
    shipped = examples.read("feedback@1").labels["satisfied"]
    assert {example.topic for example in satisfied.examples} == {f"feedback@1 {name}" for name in shipped} | {""}
    assert satisfied.examples[-1].text == "Fine."
    assert classifier.labels == ("satisfied", "wrong_answer")
    assert (classifier.encoder, classifier.precision, classifier.checkpoint) == (
        ir.Encoder(),
        "int8",
        None,
    )


@pytest.mark.parametrize(
    ("examples_", "more", "rate"),
    [
        ("{question: [Who is it], order: [Go now]}", "", 0.05),
        ("{question: [Who is it], order: [Go now]}", ", falseAlarms: 0.05", 0.05),
        ("{question: [Who is it], other: [Go now]}", "", 0.01),
        ("{question: [Who is it], other: [Go now]}", ", threshold: 0.4", None),
    ],
)
def test_a_head_has_a_false_alarm_rate(examples_, more, rate):
    """One per cent for one label and five for several, unless the policy states another, or the threshold itself."""
    text = f"{{task: labels, examples: {examples_}{more}}}"
    (classifier,) = linked(POLICY % (text, SIGNAL % "question")).classifiers
    assert classifier.false_alarms == rate


@pytest.mark.parametrize(
    ("classifier", "code", "message"),
    [
        ("{task: labels, examples: {other: [Go now]}}", "VSR246", "classifier `own` has no label besides `other`"),
        ("{task: jailbreak, examples: {attack: [Go now]}}", "VSR246", "classifier `own` has no harmless examples"),
        (
            "{task: jailbreak, examples: {attack: [Go now], theft: [Steal!], other: [Hi.]}}",
            "VSR246",
            "a head with `task: jailbreak` has one label, not `attack`, `theft`",
        ),
        (
            "{task: labels, examples: {question: [Who is it], order: [Who is it]}}",
            "VSR247",
            "`Who is it` is an example of `order` and of `question`",
        ),
        (
            '{task: labels, examples: {question: ["builtin:feedback@1"], order: [Go now]}}',
            "VSR257",
            "the set `feedback@1` has no label `question`",
        ),
    ],
)
def test_examples_that_no_head_can_learn_from_are_errors(classifier, code, message):
    """At their place, with what to do."""
    assert (code, message) in problems(classifier)


@pytest.mark.parametrize(
    ("classifier", "rest", "code", "message"),
    [
        (LABELS, SIGNAL % "questoin", "VSR248", "classifier `own` has no label `questoin`"),
        (LABELS, SIGNAL % "[question, command]", "VSR248", "classifier `own` has no label `command`"),
        (
            "{task: jailbreak, examples: {attack: [Go now], other: [Hi.]}}",
            SIGNAL % "attack",
            "VSR216",
            "classifier `own` has `task: jailbreak`, not `task: labels`",
        ),
        (LABELS, (SIGNAL % "order").replace("classifier: own", "classifier: owm"), "VSR201", None),
        (
            LABELS,
            "guards: {g: {detector: own}}",
            "VSR216",
            "classifier `own` has `task: labels`, not `task: jailbreak`",
        ),
    ],
)
def test_a_signal_needs_a_label_that_the_classifier_has(classifier, rest, code, message):
    """A misspelt label would never be given."""
    found = problems(classifier, rest)[0]
    assert found[0] == code
    assert message in {None, found[1]}


def test_other_is_a_label_that_can_be_tested():
    """It is a request to which the classifier gives none."""
    policy = linked(POLICY % (LABELS, SIGNAL % "other"))
    assert policy.signals[0].kind == ir.LabelSignal(policy.classifiers[0], ("other",))


def test_a_head_of_a_detector_has_its_own_threshold():
    """A guard without a threshold takes that of the head; with one, its own."""
    text = "{task: jailbreak, examples: {attack: [Go now], other: [Hi.]}}"
    guards = "guards: {a: {detector: own, action: flag}, b: {detector: own, action: flag, threshold: 0.9}}"
    own, stated = linked(POLICY % (text, guards)).guards
    assert own.by_head
    assert (stated.threshold, stated.by_head) == (0.9, False)


@pytest.mark.parametrize(
    ("classifier", "words"),
    [
        ("{task: labels}", "needs `examples`"),
        ("{task: pii}", "needs a `checkpoint`"),
        ("{task: jailbreak}", "needs a `checkpoint`, a `server` or `examples`"),
        ("{task: category, examples: {a: [b]}}", "only for `task: labels` and `task: jailbreak`"),
        ("{task: labels, examples: {a: [b]}, threshold: 0.4, falseAlarms: 0.1}", "`falseAlarms` chooses the threshold"),
        (
            f"{{task: jailbreak, examples: {{a: [b]}}, checkpoint: {{repo: a/b, revision: {'0' * 40}}}}}",
            "not both",
        ),
    ],
)
def test_a_classifier_has_one_source(classifier, words):
    """A checkpoint, the categories, or examples of its own."""
    assert any(words in message for _, message in problems(classifier))


@pytest.mark.parametrize(
    ("harmless", "more", "found"),
    [
        (["Hi."], "", ["VSR249"]),
        (["builtin:injection@1/benign"], "", []),
        (["builtin:injection@1/benign"], ", falseAlarms: 0.05", ["VSR249"]),
    ],
)
def test_a_guard_blocks_only_by_a_head_whose_false_alarms_are_known(harmless, more, found):
    """With few harmless examples a share of one per cent cannot be told from none. To flag needs no proof."""
    from vsr_compiler.analysis import analyse  # noqa: PLC0415 - beside its only use

    text = f"{{task: jailbreak, examples: {{attack: [Obey me.], other: {harmless}}}{more}}}"
    for action in ("block", "flag"):
        policy = linked(POLICY % (text, f"guards: {{g: {{detector: own, action: {action}}}}}"))
        codes = [item.code for item in analyse(policy, {"istio"}) if item.code == "VSR249"]
        assert codes == (found if action == "block" else [])


def test_the_stock_router_runs_no_head_of_examples():
    """Neither as a signal nor as a guard: both are refused by name."""
    from vsr_compiler.analysis import analyse  # noqa: PLC0415 - as above

    text = (POLICY % (LABELS, SIGNAL % "order")).replace('image: "vsr-runtime:0.1.0"', "engine: semantic-router")
    messages = [item.message for item in analyse(linked(text), {"istio"}) if item.code == "VSR330"]
    assert "semantic-router runs no head of `examples`, which classifier `own` is" in messages
    assert "semantic-router does not know the labels of `own`, used by signal `wanted`" in messages
