"""Codes about ``fallback`` and ``retry``."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES = {
    "VSR273": Code(
        title="fallback without effect",
        severity="error",
        stage=Stage.LINK,
        meaning="A route has a `fallback` that can never be asked: it is the route's own model, or the route answers "
        "with a fixed text.",
        reason="The policy would promise that another model answers when one fails, and none would.",
        fix="Name another model, or remove the `fallback`. To ask the same model again, set `retry.attempts`.",
        example=Example("default: {model: big, fallback: [big]}"),
    ),
    "VSR274": Code(
        title="attempts do not fit",
        severity="error",
        stage=Stage.LINK,
        meaning="`retry.attempts` is less than the number of models, or `retry` allows one attempt only.",
        reason="The last models of the `fallback` would never be asked.",
        fix="Set `attempts` to the number of models or more, or remove `retry`.",
        example=Example("default: {model: big, fallback: [small], retry: {attempts: 1}}"),
    ),
    "VSR275": Code(
        title="first byte without timeout",
        severity="error",
        stage=Stage.LINK,
        meaning="`retry.firstByte` is set and `on` does not name `timeout`, or the other way round.",
        reason=(
            "Both say together that a model which does not begin to respond is given up. A model that was given up may "
            "have worked on the request, so the policy has to say so."
        ),
        fix="Set both, or neither.",
        example=Example("default: {model: big, fallback: [small], retry: {firstByte: 20s}}"),
    ),
    "VSR276": Code(
        title="fallback with less context",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="A model of a `fallback` has a smaller context than the model of the route.",
        reason="Longer requests do not reach it, so they have no fallback.",
        fix="Use a model with at least the same context, or accept it with a comment that ignores the code.",
        example=Example("""\
models:
  big: {checkpoint: example/big, endpoints: [vllm-big], context: 32768}
  small: {endpoints: [small], context: 8192}
default: {model: big, fallback: [small]}
"""),
    ),
}
