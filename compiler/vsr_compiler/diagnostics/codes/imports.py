"""Codes about policies in several files."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

_IMPORT = """\
imports:
  - {file: %s, owner: platform}
"""

CODES = {
    "VSR106": Code(
        title="file that cannot be imported",
        severity="error",
        stage=Stage.READ,
        meaning=(
            "An import names no file, one outside the repository (also by a link), or one that is no fragment. Or a "
            "command got a fragment in the place of a policy."
        ),
        reason="The policy would be incomplete, or would depend on what is not under review.",
        fix="Name a fragment in the repository, by a path relative to the file that imports it.",
        example=Example(_IMPORT % "./missing.yaml"),
    ),
    "VSR107": Code(
        title="import that does not end",
        severity="error",
        stage=Stage.READ,
        meaning="A file is imported twice, files import each other, or there are too many or too large files.",
        reason="The same entries would exist twice, or reading would not end.",
        fix="Import each fragment once, from one place.",
        example=Example(
            "vsr-compile check policies/routing.yaml",
            Kind.COMMAND,
            output=(
                "policies/routing.yaml:5:5: error VSR107: `policies/models.yaml` is imported already, in "
                "policies/routing.yaml:4:5"
            ),
        ),
    ),
    "VSR108": Code(
        title="name in two files of a policy",
        severity="error",
        stage=Stage.READ,
        meaning="Two files define an entry of the same name. The message has the place of the other one.",
        reason="One owner would replace what another one defines, such as a guard.",
        fix="Rename one of the entries, or remove it.",
        example=Example(
            "vsr-compile check policies/routing.yaml",
            Kind.COMMAND,
            output=(
                "policies/guards.yaml:4:3: error VSR108: `guards` has `personal-data` in policies/routing.yaml:12:3 as"
                " well"
            ),
        ),
    ),
    "VSR109": Code(
        title="entry that a fragment cannot have",
        severity="error",
        stage=Stage.READ,
        meaning="A fragment has a section that belongs in the policy, or a route with a `priority`.",
        reason="The owner of a fragment would decide for the whole gateway, or go ahead of routes of other owners.",
        fix="Move it to the policy.",
        example=Example(
            "vsr-compile check policies/routing.yaml",
            Kind.COMMAND,
            output="policies/models.yaml:3:1: error VSR109: `gateway` belongs in the policy, not in a fragment",
        ),
    ),
}
