"""Codes about versions of the policy language: VSR57x."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR570": Code(
        title="older version of the policy language",
        severity="error",
        stage=Stage.READ,
        meaning="The `apiVersion` of a policy or a fragment is one that `vsr-compile migrate` converts.",
        reason="A word may have had another meaning in that version, so the file is not read as today's.",
        fix="Read the output of `vsr-compile migrate FILE`, then run it with `--write`.",
        example=Example(
            "vsr-compile check policy.yaml",
            Kind.COMMAND,
            output=(
                "policy.yaml:1:13: error VSR570: `vsr.dev/v1alpha1` is an older version of the policy language; "
                "today's is `vsr.dev/v1alpha2`"
            ),
        ),
    ),
    "VSR571": Code(
        title="newer version of the policy language",
        severity="error",
        stage=Stage.READ,
        meaning="The `apiVersion` of a policy or a fragment is newer than what this release of the compiler reads.",
        reason="Words that this release does not know could be protections.",
        fix="Install a newer release of the compiler, or use the version of the file that your release reads.",
        example=Example(
            "vsr-compile check policy.yaml",
            Kind.COMMAND,
            output=(
                "policy.yaml:1:13: error VSR571: `vsr.dev/v2` is newer than this release of vsr-compile, which reads "
                "up to `vsr.dev/v1alpha1`"
            ),
        ),
    ),
    "VSR572": Code(
        title="file that cannot be migrated",
        severity="error",
        stage=Stage.READ,
        meaning="`migrate` cannot tell what a word means in today's version, or the file is no policy and no fragment.",
        reason="A guess could publish a host without TLS, or lose a comment. No file is written.",
        fix="Change the place by hand as the message says, then run the command again.",
        example=Example(
            "vsr-compile migrate policy.yaml",
            Kind.COMMAND,
            output="policy.yaml:6:8: error VSR572: `gateway.tls` names no certificate",
        ),
    ),
}
