"""The files of the host in docs/how-to/run-on-one-host.md, whole, so that a review sees what changes in them."""

from __future__ import annotations

import re
from pathlib import Path

from support.common import ROOT, linked
from vsr_compiler.pipeline import compile_policy

PAGE = ROOT / "docs" / "how-to" / "run-on-one-host.md"
GOLDEN = Path(__file__).parent / "golden"
FOLDER = "compose/box/"


def test_the_host_of_the_docs_gets_these_files(*, update_golden: bool) -> None:
    """All but the router's, which are those of `router/`, and Envoy's, which other tests compare with the sandbox."""
    (policy,) = re.findall(r"```yaml\n(apiVersion.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    tree = compile_policy(linked(policy), lambda _: None).tree
    files = {
        path.removeprefix(FOLDER): file.content
        for path, file in tree.items()
        if path.startswith(FOLDER) and not path.startswith((f"{FOLDER}router/", f"{FOLDER}envoy/envoy.yaml"))
    }
    if update_golden:
        for path in [path for path in GOLDEN.rglob("*") if path.is_file()]:
            path.unlink()
        for path, content in files.items():
            (GOLDEN / path).parent.mkdir(parents=True, exist_ok=True)
            (GOLDEN / path).write_bytes(content)
    stored = {path.relative_to(GOLDEN).as_posix(): path.read_bytes() for path in GOLDEN.rglob("*") if path.is_file()}
    assert stored == files
    for path, file in tree.items():
        if path.startswith(f"{FOLDER}router/"):
            assert file.content == tree[path.removeprefix(FOLDER)].content, path
