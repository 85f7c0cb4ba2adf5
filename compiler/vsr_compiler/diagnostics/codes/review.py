"""Codes about comparing, explaining and joining policies."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR305": Code(
        title="no output to compare with",
        severity="error",
        stage=Stage.REVIEW,
        meaning="The argument of `--against` is neither an output folder nor a git revision that contains one.",
        reason="A comparison with nothing would report every object as new.",
        fix="Pass a folder such as `out/<policy>`, or a revision such as `origin/main`.",
        example=Example(
            "vsr-compile diff policies/quickstart.yaml --against mian",
            Kind.COMMAND,
            output="mian: error VSR305: `mian` is neither a folder nor a git revision",
        ),
    ),
    "VSR306": Code(
        title="unreadable earlier output",
        severity="error",
        stage=Stage.REVIEW,
        meaning="The output to compare with was changed by hand or is too large.",
        reason="Differences to a damaged output would be misleading.",
        fix="Compare with an output that `vsr-compile` has written.",
        example=Example(
            "vsr-compile diff policies/quickstart.yaml --against out/quickstart",
            Kind.COMMAND,
            output="config.yaml:2:8: error VSR306: the earlier output cannot be read: not valid YAML",
        ),
    ),
    "VSR307": Code(
        title="no origin for this place",
        severity="error",
        stage=Stage.REVIEW,
        meaning=(
            "The argument of `vsr-compile explain` is a place that no emitter has written, or a policy line "
            "without an entry."
        ),
        reason="Only emitted fields have an origin in the policy.",
        fix="Name a file of the output, one of its lines or fields, or the line of an entry in the policy.",
        example=Example(
            "vsr-compile explain policies/quickstart.yaml:1",
            Kind.COMMAND,
            output="policies/quickstart.yaml:1:1: error VSR307: nothing was emitted from line 1",
        ),
    ),
    "VSR308": Code(
        title="duplicate policy name",
        severity="error",
        stage=Stage.REVIEW,
        meaning="Two policies of one run have the same `metadata.name`.",
        reason="Both would write the same output folder.",
        fix="Give each policy a unique name.",
        example=Example(
            "vsr-compile policies/",
            Kind.COMMAND,
            output="policies/b.yaml:3:18: error VSR308: `quickstart` is the name of policies/a.yaml as well",
        ),
    ),
    "VSR309": Code(
        title="policies with the same objects",
        severity="note",
        stage=Stage.REVIEW,
        meaning="The outputs of two policies contain objects with the same kind, namespace and name.",
        reason="On one cluster, each policy would overwrite the objects of the other.",
        fix=(
            "Give each policy a Gateway in a namespace of its own, and its own namespaces for router and servers, or "
            "its own cluster."
        ),
        example=Example(
            "vsr-compile policies/",
            Kind.COMMAND,
            output="policies/b.yaml: note VSR309: shares 12 objects with policies/a.yaml",
        ),
    ),
    "VSR310": Code(
        title="orphaned output folder",
        severity="note",
        stage=Stage.REVIEW,
        meaning="The output root contains a folder whose policy is not among those that were compiled.",
        reason="Its objects may still be applied although the policy is gone.",
        fix="If the policy was removed or renamed, delete its objects from the cluster, and then the folder.",
        example=Example(
            "vsr-compile policies/",
            Kind.COMMAND,
            output="out: note VSR310: out/old was made from a policy that is not among these",
        ),
    ),
}
