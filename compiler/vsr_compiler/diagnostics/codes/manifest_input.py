"""Codes about what ``verify`` reads, and its settings: rules M01 to M11."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR430": Code(
        title="manifests exceed a limit",
        severity="error",
        stage=Stage.VERIFY,
        rule="M01",
        meaning="There are more files, bytes or objects than one run accepts.",
        reason="The limits bound the time and memory that hostile files can cost.",
        fix="Check the manifests in several runs.",
        example=Example(
            "vsr-compile verify huge/", Kind.COMMAND, output="huge/a.yaml: error VSR430: more than 64 MiB of manifests"
        ),
    ),
    "VSR431": Code(
        title="not a Kubernetes object",
        severity="error",
        stage=Stage.VERIFY,
        rule="M02",
        meaning="A document has no `apiVersion`, `kind` or `metadata.name`, or is a file of vsr-compile.",
        reason="The API server rejects it; a policy must be checked with `vsr-compile check`.",
        fix="Add the missing fields, or remove the document.",
        example=Example(
            """\
apiVersion: v1
kind: ConfigMap
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR432": Code(
        title="document left out",
        severity="note",
        stage=Stage.VERIFY,
        rule="M03",
        meaning="A document in the folder is not a Kubernetes object, for example Helm values.",
        reason="It was not checked.",
        fix="Nothing, if another tool reads it.",
        example=Example("replicas: 3", Kind.MANIFESTS),
    ),
    "VSR433": Code(
        title="kustomization not built",
        severity="note",
        stage=Stage.VERIFY,
        rule="M04",
        meaning="A kustomization uses remote resources, charts, or plugins and fields that `verify` does not build.",
        reason="What is applied differs from what was checked.",
        fix="Pipe the built objects into the check, as the message shows.",
        example=Example(
            "vsr-compile verify overlays/dev",
            Kind.COMMAND,
            output=(
                "overlays/dev/kustomization.yaml:2:1: note VSR433: this kustomization is not complete: helmCharts not "
                "rendered"
            ),
        ),
    ),
    "VSR480": Code(
        title="template with placeholders",
        severity="note",
        stage=Stage.VERIFY,
        rule="M05",
        meaning="A file contains `{{ }}`, `${NAME}` or `<PLACEHOLDER>`, which another program or a person fills in.",
        reason="Findings that depend on a placeholder would be guesses, so they are left out.",
        fix="Check the rendered manifests, as the message shows.",
        example=Example(
            """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "${NAME}", namespace: prod}
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR481": Code(
        title="files not checked",
        severity="note",
        stage=Stage.VERIFY,
        rule="M06",
        meaning="A folder contains files that `verify` does not check, such as a Helm chart or an unused patch.",
        reason="What they define is neither checked nor known to the other checks.",
        fix="Check what is made of them, as the message shows, or pass the files themselves.",
        example=Example(
            "vsr-compile verify charts/",
            Kind.COMMAND,
            output="charts/router: note VSR481: this Helm chart is not rendered",
        ),
    ),
    "VSR482": Code(
        title="kustomization that cannot be built",
        severity="error",
        stage=Stage.VERIFY,
        rule="M07",
        meaning="A kustomization includes itself, reads a file outside its folder, or has a patch without a match.",
        reason="`kubectl apply -k` fails, so nothing is applied.",
        fix="Correct the entry that the message names.",
        example=Example(
            "vsr-compile verify overlays/dev",
            Kind.COMMAND,
            output="overlays/dev/kustomization.yaml:1:13: error VSR482: cycle: this kustomization includes itself",
        ),
    ),
    "VSR483": Code(
        title="invalid settings of verify",
        severity="error",
        stage=Stage.VERIFY,
        rule="M08",
        meaning="`.vsr-verify.yaml` has an unknown field or a value of a wrong form.",
        reason="A setting that is not understood would silently change what is checked.",
        fix="Correct the field; the message lists what is allowed.",
        example=Example(
            "vsr-compile verify manifests/",
            Kind.COMMAND,
            output=".vsr-verify.yaml:3:1: error VSR483: unknown field `path`",
        ),
    ),
    "VSR484": Code(
        title="ignore without effect",
        severity="warning",
        stage=Stage.VERIFY,
        rule="M09",
        meaning="An ignore, as a comment or in `.vsr-verify.yaml`, matches no finding or has expired.",
        reason="It would hide the next finding of its rule.",
        fix="Remove it, or give it a new date of expiry.",
        example=Example(
            """\
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: prod}  # vsr-verify: ignore L16 for the demo
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR485": Code(
        title="invalid baseline",
        severity="error",
        stage=Stage.VERIFY,
        rule="M10",
        meaning="The file of `--baseline` cannot be read, or `--write-baseline` did not write it.",
        reason="Without it, known findings cannot be distinguished from new ones.",
        fix="Write it again with `--write-baseline`.",
        example=Example(
            "vsr-compile verify manifests/ --baseline old.txt",
            Kind.COMMAND,
            output="old.txt: error VSR485: this is not a baseline of vsr-compile",
        ),
    ),
    "VSR486": Code(
        title="further findings of a rule",
        severity="note",
        stage=Stage.VERIFY,
        rule="M11",
        meaning="A rule has more findings than are shown.",
        reason="A fault in a shared place shows at every object, and would hide the findings of other rules.",
        fix="Correct the findings that are shown first, or pass `--all-findings`.",
        example=Example(
            "vsr-compile verify manifests/",
            Kind.COMMAND,
            output="manifests/routes.yaml:9:5: note VSR486: 312 further findings of L16 are not shown",
        ),
    ),
}
