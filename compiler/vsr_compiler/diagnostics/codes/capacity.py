"""Codes about how much load the router carries."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR582": Code(
        title="router cannot be sized",
        severity="error",
        stage=Stage.REVIEW,
        meaning="`vsr-compile size` was called for a policy with `engine: semantic-router`.",
        reason="The table of measurements is about `vsr-runtime`. What the stock router costs, nobody measured here.",
        fix="Measure that router under your own load.",
        example=Example(
            "vsr-compile size policies/stock.yaml --rps 100",
            Kind.COMMAND,
            output=(
                "policies/stock.yaml:4:1: error VSR582: `size` knows the cost of `engine: vsr-runtime` only, and the "
                "policy has `semantic-router`"
            ),
        ),
    ),
    "VSR583": Code(
        title="invalid table of measurements",
        severity="error",
        stage=Stage.REVIEW,
        meaning="The file of `vsr-compile size --measured` is not what `benchmarks/size.py` writes.",
        reason="A size from a table that was misread would be too small or too large by any factor.",
        fix="Write it with `python benchmarks/size.py --into FILE`.",
        example=Example(
            "vsr-compile size policies/quickstart.yaml --rps 100 --measured mine.json",
            Kind.COMMAND,
            output="mine.json: error VSR583: rows.0.cpu: Input should be greater than 0",
        ),
    ),
    "VSR584": Code(
        title="load cannot be sized",
        severity="error",
        stage=Stage.REVIEW,
        meaning=(
            "The table has no measurement of something that the policy does, such as a checkpoint; or the router "
            "rejects requests of this size; or more than 1,000 replicas would be needed."
        ),
        reason="A guess would look like a measurement.",
        fix="Measure it, size the policy without it, or lower the load.",
        example=Example(
            "vsr-compile size policies/models.yaml --rps 100",
            Kind.COMMAND,
            output="policies/models.yaml:9:3: error VSR584: the table has no measurement of the checkpoint of `kind`",
        ),
    ),
    "VSR585": Code(
        title="router smaller than its load",
        severity="note",
        stage=Stage.REVIEW,
        meaning="The policy has fewer replicas or less memory than `vsr-compile size` computes for the load.",
        reason="The router rejects requests if it has too little CPU (503), and is restarted if it exceeds its memory.",
        fix="Write what the command prints into the policy, or plan for a lower load.",
        example=Example(
            "vsr-compile size policies/quickstart.yaml --rps 5000",
            Kind.COMMAND,
            output="policies/quickstart.yaml:8:1: note VSR585: `replicas` is 2, and the load needs 41 replicas",
        ),
    ),
    "VSR586": Code(
        title="GPUs without use",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="`router.gpus` is more than 1.",
        reason="A pod has one inference engine, which computes on one GPU. Further GPUs are reserved and stay idle.",
        fix="Set `gpus: 1`, and raise `replicas`: each pod brings an engine of its own.",
        example=Example("""\
router: {image: "registry.example/vsr-runtime:0.1.0", gpus: 2}
"""),
    ),
}
