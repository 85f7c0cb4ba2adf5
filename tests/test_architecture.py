"""Rules of the source that import-linter's contracts (pyproject.toml, `make lint`) do not cover."""

from __future__ import annotations

import ast
import re
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

from support.common import ROOT
from vsr_compiler.diagnostics import CODES

PACKAGES = ("compiler/vsr_compiler", "runtime/vsr_runtime", "schemas/vsr_schemas")


def modules() -> Iterator[tuple[str, Path]]:
    """Each of our modules by its dotted name."""
    for package in PACKAGES:
        root = ROOT / package
        for path in sorted(root.rglob("*.py")):
            yield ".".join(path.relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__"), path


def test_only_transports_import_grpc_and_cffi() -> None:
    """A handler that depends on one transport does not work on the other."""
    users = set()
    for name, path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            users |= {(name, module) for module in names if module.split(".")[0] in {"grpc", "cffi"}}
    assert users == {
        ("vsr_runtime.server.transport.aio_server", "grpc"),
        ("vsr_runtime.server.transport.nghttp2", "cffi"),
    }


def test_every_dependency_has_its_reason_in_the_docs() -> None:
    """docs/dependencies.md and pyproject.toml name the same packages."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    requirements = [*project["dependencies"], *(line for extra in extras for line in extra)]
    names = {re.split(r"[\[<>=;~! ]", line)[0] for line in requirements} - {project["name"]}
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| ([a-zA-Z0-9._-]+) \| ", page, re.MULTILINE)) - {"package"} == names


def test_every_code_is_used_and_every_used_code_is_registered() -> None:
    """The registry holds exactly the codes that the compiler can print."""
    used: set[str] = set()
    for name, path in modules():
        if not name.startswith("vsr_compiler.diagnostics.codes"):
            used |= set(re.findall(r"\bVSR\d{3}\b", path.read_text(encoding="utf-8")))
    assert used - set(CODES) == set()
    assert set(CODES) - used == set()


def test_no_file_has_a_path_of_a_machine_or_a_mark_for_later() -> None:
    """Committed files work on every machine, and no work is deferred in a comment."""
    marks = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|(?<![\w./-])/(work|home|root)/")
    for top in ("compiler", "runtime", "schemas", "docs", "policies", "tests", "benchmarks"):
        for path in (ROOT / top).rglob("*"):
            if path.suffix in {".py", ".md", ".yaml"}:
                assert not marks.search(path.read_text(encoding="utf-8")), path


def test_yaml_is_never_a_text_template() -> None:
    """Objects are built as data and serialised once; Jinja2 is for prose."""
    for name, path in modules():
        if name.startswith("vsr_compiler.targets"):
            assert "jinja2" not in path.read_text(encoding="utf-8"), path


def test_wheel_installs_three_packages_and_nothing_else(tmp_path: Path) -> None:
    """No generic name such as `compiler` or `tests` reaches a user's site-packages."""
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"vsr_compiler", "vsr_runtime", "vsr_schemas"}
