"""Codes about the sentence encoder of a policy."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

_PINNED = f"revision: {'0123456789' * 4}, sha256: {'0123456789abcdef' * 4}"


def _router(repo: str) -> str:
    encoder = f"{{repo: {repo}, {_PINNED}}}"
    return f'router: {{image: "registry.example/vsr-runtime:0.1.0", encoder: {encoder}}}\n'


CODES = {
    "VSR601": Code(
        title="unknown encoder",
        severity="error",
        stage=Stage.LINK,
        meaning="`router.encoder.repo` is not in the table of encoders.",
        reason=(
            "Encoders differ in how the vectors of tokens become one and in what precedes a text. Read in the wrong "
            "way, an encoder gives similarities that mean nothing."
        ),
        fix="Use an encoder of the table in `docs/how-to/write-a-policy.md`, or add its facts there.",
        example=Example(_router("example/my-encoder")),
    ),
    "VSR602": Code(
        title="two encoders",
        severity="error",
        stage=Stage.LINK,
        meaning="A classifier names another encoder than `router.encoder`.",
        reason="All heads, signals and caches of a policy read a text in one pass of one encoder.",
        fix="Remove `encoder` from the classifier, or `router.encoder`.",
        example=Example(
            _router("BAAI/bge-small-en-v1.5")
            + "classifiers: {domain: {task: category, encoder: sentence-transformers/all-MiniLM-L6-v2}}\n"
        ),
    ),
    "VSR603": Code(
        title="no measured threshold",
        severity="error",
        stage=Stage.LINK,
        meaning="An embedding signal has no `threshold`, and none was measured for the weights of `router.encoder`.",
        reason=(
            "Unrelated texts have a cosine of 0.1 with one encoder and of 0.75 with another, so the default of one "
            "would always or never hold with the other."
        ),
        fix="Measure one with `vsr-compile eval --pairs FILE --encoder REPOSITORY`, and write it as `threshold`.",
        example=Example(
            _router("BAAI/bge-small-en-v1.5")
            + 'signals: {parcels: {embedding: {to: ["Where is my parcel?", "Track my order."]}}}\n'
        ),
    ),
}
