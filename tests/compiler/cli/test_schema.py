"""`vsr-compile schema`: what is printed is what is committed."""

from __future__ import annotations

from support.common import ROOT, call


def test_the_committed_schemas_are_in_step() -> None:
    """Editors read the files; `vsr-compile schema > schemas/routing-policy.schema.json` writes them."""
    for arguments, name in ((["schema"], "routing-policy"), (["schema", "--report"], "report")):
        result = call(*arguments)
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == (ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")


def test_policies_here_point_to_the_schema() -> None:
    """The comment in the first line names a file that is there."""
    path = ROOT / "policies" / "quickstart.yaml"
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert (path.parent / first.split("$schema=")[1]).resolve() == ROOT / "schemas" / "routing-policy.schema.json"
