"""Codes about what a router engine, its guards and its cache can do."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES = {
    "VSR330": Code(
        title="unsupported by the router implementation",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="`engine: semantic-router` cannot do what a guard, signal or route asks for.",
        reason="The router would ignore the setting, or reject its configuration.",
        fix="Follow the hint of the message, or use `engine: vsr-runtime`.",
        example=Example("""\
router: {engine: semantic-router}
routes:
  - {name: urgent, when: {signal: urgent}, split: {small: 50, big: 50}}
"""),
    ),
    "VSR331": Code(
        title="behaviour differs on this engine",
        severity="note",
        stage=Stage.ANALYSIS,
        meaning="semantic-router implements this part of the policy differently from vsr-runtime.",
        reason=(
            "Clients may observe the difference. For example, blocked requests get HTTP 200 and a fixed message, "
            "not 403."
        ),
        fix="Nothing, if that is acceptable; otherwise use `engine: vsr-runtime`.",
        example=Example("""\
router: {engine: semantic-router, unguarded: explicit-models}
categories:
  trivia: {description: Trivia., examples: ["Who won the cup?"]}
routes:
  - {name: trivia, when: {category: trivia}, model: small}
"""),
    ),
    "VSR332": Code(
        title="guards do not apply to requests that name a model",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning=(
            "semantic-router evaluates guards for auto-model names only; a request that names a model bypasses them."
        ),
        reason="Clients could avoid every guard by naming a model.",
        fix="Use `engine: vsr-runtime`, or accept the bypass with `router.unguarded: explicit-models`.",
        example=Example("""\
router: {engine: semantic-router}
guards:
  personal-data: {types: [US_SSN]}
"""),
    ),
    "VSR333": Code(
        title="test that cannot be decided locally",
        severity="note",
        stage=Stage.TEST,
        meaning="The test depends on a model that is not on this machine, or on the models of semantic-router.",
        reason="The test counts neither as passed nor as failed.",
        fix="Fetch the checkpoint with `vsr-runtime fetch`, or try the prompt on a running router.",
        example=Example("""\
router: {engine: semantic-router, unguarded: explicit-models}
guards:
  personal-data: {types: [US_SSN], unreadable: pass}
tests:
  - {prompt: This is urgent., expect: {model: small}}
"""),
    ),
    "VSR340": Code(
        title="guards can be bypassed when the router fails",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="The policy has guards, and `onFailure` sends requests to a model when the router does not answer.",
        reason="A failing router would disable every guard.",
        fix="Use `onFailure: deny`.",
        example=Example("""\
router: {image: "registry.example/vsr-runtime:0.1.0", onFailure: default-model}
guards:
  personal-data: {types: [EMAIL_ADDRESS]}
"""),
    ),
    "VSR341": Code(
        title="invalid response cache",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning=(
            "The cache of a route has a scope, lifetime or similarity that cannot work, or the route has a fixed "
            "response."
        ),
        reason="Answers would be shared with the wrong clients, or for different questions.",
        fix="Follow the hint of the message.",
        example=Example("""\
routes:
  - {name: urgent, when: {signal: urgent}, model: small, cache: {scope: tenant}}
"""),
    ),
    "VSR342": Code(
        title="cache similarity too low",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="The cache of a route accepts prompts whose similarity is below 0.92.",
        reason="Different questions can be that similar, so a client may get the answer to another question.",
        fix="Use a similarity of at least 0.92, or test the value with prompts of your own.",
        example=Example("""\
routes:
  - {name: urgent, when: {signal: urgent}, model: small, cache: {similarity: 0.8}}
"""),
    ),
}
