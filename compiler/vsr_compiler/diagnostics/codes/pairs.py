"""Codes about pairs of texts, from which `eval` chooses a threshold."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR613": Code(
        title="invalid pair of texts",
        severity="error",
        stage=Stage.EVAL,
        meaning=(
            "A line of the file for `vsr-compile eval --pairs` is not a JSON object with `a`, `b` and `same`, or a "
            "text is empty or too long."
        ),
        reason="Skipping lines silently would distort the threshold.",
        fix='Write one object per line: `{"a": "Where is my parcel?", "b": "Is my order on its way?", "same": true}`.',
        example=Example(
            "vsr-compile eval --pairs pairs.jsonl",
            Kind.COMMAND,
            output="pairs.jsonl:2: error VSR613: the line has no `same` that is true or false",
        ),
    ),
    "VSR614": Code(
        title="too few pairs",
        severity="error",
        stage=Stage.EVAL,
        meaning="The file has fewer than 20 pairs that belong together, or fewer than 20 that do not.",
        reason="A threshold that so few pairs determine would be chance.",
        fix="Add pairs. Those that look alike and do not belong together say most.",
        example=Example(
            "vsr-compile eval --pairs pairs.jsonl",
            Kind.COMMAND,
            output="pairs.jsonl: error VSR614: there are 3 pairs that belong together and 5 that do not",
        ),
    ),
    "VSR615": Code(
        title="encoder cannot be evaluated",
        severity="error",
        stage=Stage.EVAL,
        meaning="`--encoder` names an encoder that is not in the table, or whose files are not on this machine.",
        reason=(
            "Encoders differ in how the vectors of tokens become one and in what precedes a text. Read in the wrong "
            "way, an encoder gives similarities that mean nothing."
        ),
        fix="Use an encoder of the table, as a folder with its name or under `VSR_MODELS`.",
        example=Example(
            "vsr-compile eval --pairs builtin:signals@1 --encoder /models/my-encoder",
            Kind.COMMAND,
            output="builtin:signals@1: error VSR615: '/models/my-encoder' is not in the table of encoders",
        ),
    ),
}
