"""Codes about candidates: policies that are tried on traffic beside the active one."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR587": Code(
        title="unusable candidate",
        severity="error",
        stage=Stage.LINK,
        meaning="The file of a candidate is missing, outside the repository, the policy itself, or for another router; "
        "or two candidates would have the same folder in the output.",
        reason="A candidate is a whole policy in a file of its own, which the same router executes.",
        fix="Name the file of another policy, relative to this one.",
        example=Example('router: {image: "registry.example/vsr-runtime:0.1.0", candidate: {policy: ./missing.yaml}}\n'),
    ),
    "VSR588": Code(
        title="candidate cannot decide",
        severity="error",
        stage=Stage.TARGETS,
        meaning="A candidate with a `share` needs models, objects, identities, limits or headers that this policy does "
        "not have.",
        reason="Both policies share one gateway, whose objects are those of this policy. Requests that the candidate "
        "decides would fail there, or bypass a limit.",
        fix="Add what it needs to this policy first and roll that out, or remove `share` to only compare.",
        example=Example(
            "vsr-compile check policies/example.yaml",
            kind=Kind.COMMAND,
            output="policies/example.yaml:4:75: error VSR588: the candidate `./next.yaml` cannot decide a share: "
            "the active policy does not have the model 'third'",
        ),
    ),
    "VSR589": Code(
        title="candidate has other objects",
        severity="note",
        stage=Stage.TARGETS,
        meaning="A candidate that is only compared would have objects that this policy does not have, or that differ.",
        reason="Decisions are compared, not whether they could be served.",
        fix="Nothing to do. Before the candidate gets a `share`, this policy needs these objects.",
        example=Example(
            "vsr-compile policies/example.yaml",
            kind=Kind.COMMAND,
            output="policies/example.yaml:4:75: note VSR589: the candidate `./next.yaml` is only compared: "
            "of its objects, HTTPRoute `default/third` missing here",
        ),
    ),
    "VSR590": Code(
        title="candidate needs other pods",
        severity="error",
        stage=Stage.TARGETS,
        meaning="A candidate has a checkpoint, a GPU or a server of a classifier that the router of this policy does "
        "not have.",
        reason="Both policies are in the same pods, so the candidate could not be loaded.",
        fix="Add the classifier to this policy first, and roll that out.",
        example=Example(
            "vsr-compile policies/example.yaml",
            kind=Kind.COMMAND,
            output="policies/example.yaml:4:75: error VSR590: the candidate `./next.yaml` needs what the router's pods "
            "do not have: checkpoint `example/detector`",
        ),
    ),
}
