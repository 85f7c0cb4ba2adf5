"""Codes about hosts."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES: dict[str, Code] = {
    "VSR365": Code(
        title="setting of another kind of environment",
        severity="error",
        stage=Stage.LINK,
        meaning=(
            "An environment with the target `compose` is one machine, and any other one is a cluster. The setting is "
            "about the other kind, or `host.endpoints` names a provider, which is reached by its URL."
        ),
        reason="The setting would have no effect.",
        fix="Remove it, or change the target of the environment.",
        example=Example("""\
environments:
  box: {target: compose, server: "https://kubernetes.example.com:6443"}
"""),
    ),
}
