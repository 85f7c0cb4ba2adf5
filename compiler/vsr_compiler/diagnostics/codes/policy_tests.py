"""Codes about the tests of a policy and the data of ``eval``."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR250": Code(
        title="failed test",
        severity="error",
        stage=Stage.TEST,
        meaning="A test of the policy gives another result than `expect` states.",
        reason="Tests record how prompts should be routed; a failure means that the policy behaves differently.",
        fix="Fix the policy, for example with another example of this kind, or change the expectation.",
        example=Example("""\
tests:
  - {prompt: This is urgent., expect: {model: big}}
"""),
    ),
    "VSR251": Code(
        title="route without a test",
        severity="note",
        stage=Stage.TEST,
        meaning="No test of the policy reaches the route.",
        reason="A change that breaks the route would not be noticed.",
        fix="Add a test with a prompt that should take the route.",
        example=Example("""\
tests:
  - {prompt: Good morning., expect: {model: big}}
"""),
    ),
    "VSR252": Code(
        title="signal without a test",
        severity="note",
        stage=Stage.TEST,
        meaning="In no test of the policy does the signal hold, although a route depends on it.",
        reason="A change that breaks the signal would not be noticed.",
        fix="Add a test whose request has the signal.",
        example=Example("""\
signals:
  urgent: {keywords: [urgent]}
routes:
  - {name: hurry, when: {signal: urgent}, model: small}
tests:
  - {prompt: Good morning., expect: {model: big}}
"""),
    ),
    "VSR255": Code(
        title="header that no test can set",
        severity="error",
        stage=Stage.LINK,
        meaning=("A test sets a header that the gateway removes from a client's request, or one that frames the body."),
        reason="The test would show a decision that no client gets.",
        fix="Remove the header from the test.",
        example=Example("""\
tests:
  - {prompt: Good morning., headers: {x-selected-model: big}, expect: {model: big}}
"""),
    ),
    "VSR256": Code(
        title="test with messages for an API without messages",
        severity="error",
        stage=Stage.LINK,
        meaning="A test with `messages` or a `conversation` has the `path` of an API whose requests have no messages.",
        reason="The request could not be built.",
        fix="Use `request` with the whole body, or another `path`.",
        example=Example("""\
tests:
  - path: /v1/completions
    messages: [{role: user, content: Good morning.}]
    expect: {model: big}
"""),
    ),
    "VSR260": Code(
        title="guard without a test",
        severity="note",
        stage=Stage.TEST,
        meaning="No test of the policy triggers the guard.",
        reason="A change that disables the guard would not be noticed.",
        fix=(
            "Add a test with a prompt in which the guard should find something, and list the guard under "
            "`expect.guards`."
        ),
        example=Example("""\
guards:
  personal-data: {types: [EMAIL_ADDRESS]}
tests:
  - {prompt: Good morning., expect: {model: big}}
"""),
    ),
    "VSR270": Code(
        title="invalid line of evaluation data",
        severity="error",
        stage=Stage.EVAL,
        meaning=(
            "A line of the data for `vsr-compile eval` is not a JSON object with the texts `prompt` and `category`."
        ),
        reason="Skipping lines silently would distort the result.",
        fix='Write one object per line: `{"prompt": "What is 2+2?", "category": "math"}`.',
        example=Example(
            "vsr-compile eval policies/quickstart.yaml prompts.jsonl",
            Kind.COMMAND,
            output="prompts.jsonl:3: error VSR270: the line has no `category`",
        ),
    ),
    "VSR271": Code(
        title="unknown category in evaluation data",
        severity="error",
        stage=Stage.EVAL,
        meaning="A line of the data names a category that the policy does not define.",
        reason="Such a prompt can never be classified correctly, so the accuracy would be meaningless.",
        fix="Use the names of the policy's categories, or `other` for prompts that belong to none.",
        example=Example(
            "vsr-compile eval policies/quickstart.yaml prompts.jsonl",
            Kind.COMMAND,
            output="prompts.jsonl:7: error VSR271: `maths` is no category of the policy",
        ),
    ),
    "VSR272": Code(
        title="nothing to evaluate",
        severity="error",
        stage=Stage.EVAL,
        meaning="The policy has no categories with a compiled head, or the data has no lines.",
        reason="A result without prompts would look like a success.",
        fix="Add categories with examples to the policy, or lines to the data.",
        example=Example(
            "vsr-compile eval policies/quickstart.yaml empty.jsonl",
            Kind.COMMAND,
            output="empty.jsonl: error VSR272: the data has no line to evaluate",
        ),
    ),
}
