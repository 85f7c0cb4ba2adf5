"""Codes about releases that should no longer be used."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES: dict[str, Code] = {
    "VSR350": Code(
        title="release past its end of life",
        severity="warning",
        stage=Stage.TARGETS,
        meaning="The project of a release repairs nothing in it any more.",
        reason="Vulnerabilities that are found from now on stay open.",
        fix=(
            "Use a release that the message names. To accept it, write `# vsr: ignore VSR350 REASON` on the line of "
            "`gateway`, or of the environment that sets the release."
        ),
        example=Example("""\
environments:
  dev: {target: envoy-gateway, versions: seed}
"""),
    ),
    "VSR351": Code(
        title="release with a known vulnerability",
        severity="warning",
        stage=Stage.TARGETS,
        meaning="A release has a known vulnerability, and the output has what it concerns.",
        reason="Somebody who knows of it can use it.",
        fix=(
            "Use a release that the message names. To accept it, write `# vsr: ignore VSR351 REASON` on the line of "
            "`gateway`, or of the environment that sets the release."
        ),
        example=Example("""\
environments:
  dev: {target: istio, versions: seed}
"""),
    ),
}
