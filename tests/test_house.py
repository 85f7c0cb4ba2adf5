"""The laws of the house, checked on the source itself."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.common import ROOT
from vsr_compiler.diagnostics import CODES

OURS = ("compiler", "runtime", "schemas")
PURE_CORE = (
    "vsr_runtime.decision.guards",
    "vsr_runtime.inference",
    "vsr_runtime.decision.program",
    "vsr_runtime.decision.request",
    "vsr_runtime.settings",
)
"""What the compiler may use of the runtime: no sockets, no servers."""
FLOORS = [
    ["vsr_compiler.diagnostics"],
    ["vsr_compiler.syntax", "vsr_compiler.deploy.output", "vsr_compiler.releases", "vsr_compiler.cli.scaffold"],
    ["vsr_compiler.link"],
    ["vsr_compiler.analysis", "vsr_compiler.heads", "vsr_compiler.targets.common"],
    ["vsr_compiler.targets", "vsr_compiler.deploy.overlays", "vsr_compiler.review.graph"],
    ["vsr_compiler.deploy.argocd"],
    ["vsr_compiler.verify"],
    ["vsr_compiler.pipeline"],
    ["vsr_compiler.review.stock_emulation", "vsr_compiler.review.multi_policy"],
    ["vsr_compiler.review", "vsr_compiler.review.policy_tests"],
    ["vsr_compiler.cli"],
]


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of ours with its dotted name."""
    for top in OURS:
        for path in sorted((ROOT / top).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def imports(path: Path) -> set[str]:
    """The modules of ours that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] in OURS}


def floor(module: str) -> int | None:
    """On which floor a module of the compiler stands."""
    for number, rooms in enumerate(FLOORS):
        if any(module == room or module.startswith(f"{room}.") for room in rooms):
            return number
    return None


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_arrows_point_down(module: str, path: Path) -> None:
    """Schemas import nothing of ours, the runtime no compiler, the compiler only the pure core of the runtime."""
    top = module.split(".", maxsplit=1)[0]
    for name in imports(path):
        if top == "schemas":
            assert name.startswith("schemas"), f"{module} imports {name}"
        if top == "runtime":
            assert not name.startswith("compiler"), f"{module} imports {name}"
        if top == "compiler" and name.startswith("runtime") and name != "runtime":
            assert name.startswith(PURE_CORE), f"{module} imports {name}"
        here, there = floor(module), floor(name)
        if here is not None and there is not None:
            assert there <= here, f"{module} on floor {here} imports {name} on floor {there}"


def test_only_a_transport_knows_what_carries_grpc() -> None:
    """A handler that knew would not serve by the other one."""
    found = set()
    for name, path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {(name, each) for each in names if each.split(".")[0] in {"grpc", "cffi"}}
    assert found == {
        ("vsr_runtime.server.transport.aio_server", "grpc"),
        ("vsr_runtime.server.transport.nghttp2", "cffi"),
    }


def test_every_room_of_the_compiler_has_a_floor() -> None:
    """A new room is given its place in this list before it is used."""
    rooms = {name for name, _ in modules() if name.startswith("compiler.")}
    assert not {name for name in rooms if floor(name) is None}


def test_every_dependency_has_a_line_that_says_why() -> None:
    """docs/dependencies.md and pyproject.toml name the same packages."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(line for lines in project["optional-dependencies"].values() for line in lines)]
    names = {re.split(r"[\[<>=;~! ]", line)[0] for line in asked} - {project["name"]}
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| ([a-zA-Z0-9._-]+) \| ", page, re.MULTILINE)) - {"package"} == names


def test_every_code_is_used_and_every_used_code_is_registered() -> None:
    """The registry holds exactly the codes that the compiler can print."""
    used: set[str] = set()
    for name, path in modules():
        if name != "vsr_compiler.diagnostics.codes":
            used |= set(re.findall(r"\bVSR\d{3}\b", path.read_text(encoding="utf-8")))
    assert used - set(CODES) == set()
    assert set(CODES) - used == set()


def test_no_tracked_file_carries_a_path_of_a_machine_or_a_mark_left_behind() -> None:
    """What is committed holds on every machine, and nothing is left for later."""
    marks = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|(?<![\w./-])/(work|home|root)/")
    for top in (*OURS, "docs", "policies", "tests", "benchmarks"):
        for path in (ROOT / top).rglob("*"):
            if path.suffix in {".py", ".md", ".yaml"}:
                assert not marks.search(path.read_text(encoding="utf-8")), path


def test_yaml_is_never_a_text_template() -> None:
    """Objects are built as data and serialised once; Jinja2 stays with prose."""
    for name, path in modules():
        if name.startswith("vsr_compiler.targets.common"):
            assert "jinja2" not in path.read_text(encoding="utf-8"), path
