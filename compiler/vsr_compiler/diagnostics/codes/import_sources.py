"""Codes of ``import`` about sources that say less, or more, than the policy: VSR56x."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR560": Code(
        title="protection is off in the source",
        severity="warning",
        stage=Stage.IMPORT,
        meaning=(
            "The source switches a detector off that its decisions test. There they never match; in the policy they do."
        ),
        reason="Requests that the source serves may be refused or routed otherwise.",
        fix="Keep the detector, or remove the signals and guards that use it from the policy.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output=(
                "config.yaml:48:9: warning VSR560: the source switches off the detector of `jailbreak`, so its signals "
                "never match there; those of the policy do"
            ),
        ),
    ),
    "VSR561": Code(
        title="objects of endpoint pickers",
        severity="warning",
        stage=Stage.IMPORT,
        meaning=(
            "An InferenceModel or InferenceObjective beside the configuration says how an endpoint picker treats "
            "requests. A policy has no field for it."
        ),
        reason="Requests of these names lose their priority, or their division between adapters.",
        fix="Keep the object beside the compiled ones, or write adapters as `loras` and shares as a `split`.",
        example=Example(
            "vsr-compile import config.yaml objects/",
            Kind.COMMAND,
            output=(
                "objects/model.yaml:4:9: warning VSR561: InferenceModel `chat` is not carried over: the model `llama`, "
                "criticality Critical"
            ),
        ),
    ),
    "VSR562": Code(
        title="settings beside the configuration",
        severity="warning",
        stage=Stage.IMPORT,
        meaning=(
            "The file is output of this compiler. Clients, guards, limits and other settings of its policy are in "
            "`runtime.yaml`, which is not carried over; it is an error if that has guards or clients."
        ),
        reason="The policy would let pass what the compiled one stops.",
        fix="Use the policy that it was compiled from, or add these sections by hand and use `--partial`.",
        example=Example(
            "vsr-compile import out/team-a/router/config.yaml",
            Kind.COMMAND,
            output=(
                "out/team-a/router/config.yaml:1:1: warning VSR562: the file is output of vsr-compile; clients, guards "
                "and limits of its policy are in `runtime.yaml`"
            ),
        ),
    ),
    "VSR563": Code(
        title="signals with other examples",
        severity="warning",
        stage=Stage.IMPORT,
        meaning=(
            "The stock router finds a signal by a checkpoint. The policy trains a classifier from examples for it."
        ),
        reason="Some prompts get another label.",
        fix="Replace the examples by prompts of your users, and run `vsr-compile eval`.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output=(
                "config.yaml:14:7: warning VSR563: signals that are found by examples, because the stock router's "
                "classifier is a checkpoint: `wrong_answer`"
            ),
        ),
    ),
}
