"""`vsr-compile POLICY` as a user meets it: exit codes, messages, and what is on the disk afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.cases import output_of, policy_file
from support.command import run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the golden policy and its output, heads included."""
    shutil.copy(policy_file("quickstart"), tmp_path / "policy.yaml")
    shutil.copytree(output_of("quickstart"), tmp_path / "out" / "quickstart")
    return tmp_path


def test_a_compile_of_what_is_there_writes_nothing(project: Path) -> None:
    """Unchanged files keep their times."""
    before = {path: path.stat().st_mtime_ns for path in (project / "out").rglob("*") if path.is_file()}
    result = run("policy.yaml", cwd=project)
    assert (result.returncode, result.stdout) == (0, "")
    assert "0 written, 0 removed" in result.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_check_tells_what_differs_and_writes_nothing(project: Path) -> None:
    """Exit 1, each file by name, and the tree stays as it was."""
    text = (project / "policy.yaml").read_text(encoding="utf-8")
    (project / "policy.yaml").write_text(text.replace("default: llama3-8b", "default: phi4-mini"), encoding="utf-8")
    before = {path: path.read_bytes() for path in (project / "out").rglob("*") if path.is_file()}
    result = run("policy.yaml", "--check", cwd=project)
    assert result.returncode == 1
    assert "router/config.yaml" in result.stderr
    assert "VSR502" in result.stderr
    assert {path: path.read_bytes() for path in (project / "out").rglob("*") if path.is_file()} == before
    assert run("policy.yaml", cwd=project).returncode == 0
    assert run("policy.yaml", "--check", cwd=project).returncode == 0


def test_a_file_edited_by_hand_is_refused_by_name_and_kept(project: Path) -> None:
    """Nobody's work is lost without --force."""
    edited = project / "out" / "quickstart" / "router" / "config.yaml"
    edited.write_text(edited.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    result = run("policy.yaml", cwd=project)
    assert result.returncode == 1
    assert "VSR501" in result.stderr
    assert "config.yaml" in result.stderr
    assert edited.read_text(encoding="utf-8").endswith("# mine\n")
    assert run("policy.yaml", "--force", cwd=project).returncode == 0
    assert not edited.read_text(encoding="utf-8").endswith("# mine\n")


BAD = {
    "syntax error": ("metadata:\n", "metadata: [\n", "VSR002"),
    "unknown key": ("default: llama3-8b", "defualt: llama3-8b", "VSR101"),
    "unknown model": ("    model: phi4-mini", "    model: phi4-mni", "VSR201"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_with_its_place_the_source_and_a_way_out(name: str, tmp_path: Path) -> None:
    """`file:line:col: error VSRnnn`, the offending line, a hint; exit 1; nothing written; never a traceback."""
    old, new, code = BAD[name]
    text = policy_file("quickstart").read_text(encoding="utf-8").replace(old, new, 1)
    (tmp_path / "policy.yaml").write_text(text, encoding="utf-8")
    result = run("policy.yaml", cwd=tmp_path)
    lines = result.stderr.splitlines()
    assert (result.returncode, result.stdout) == (1, "")
    place, message = lines[0].split(f": error {code}: ")
    file, line, column = place.split(":")
    assert (file, bool(message)) == ("policy.yaml", True)
    assert lines[2] == f" {line} | {text.splitlines()[int(line) - 1]}".rstrip()
    assert lines[3].index("^") == len(f" {line} | ") + int(column) - 1
    assert lines[4].startswith("  = help: ")
    assert "Traceback" not in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["policy.yaml"]


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    """No place inside it, but the same form."""
    result = run("none.yaml", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("none.yaml: error VSR001: cannot read the file: no such file or directory\n")
    assert list(tmp_path.iterdir()) == []


def test_usage_is_exit_2(tmp_path: Path) -> None:
    """A flag that does not exist is the caller's affair."""
    assert run("--nonsense", cwd=tmp_path).returncode == 2
    assert run(cwd=tmp_path).returncode == 2


@pytest.mark.subprocess
def test_a_fault_of_ours_is_one_line_and_exit_70(project: Path) -> None:
    """Even then there is no traceback."""
    code = (
        "import vsr_compiler.pipeline.reading as p\n"
        "def fail(*_, **__): raise ZeroDivisionError('oops')\n"
        "p.link = fail\n"
        "from vsr_compiler.cli import main; main()"
    )
    environment = dict(os.environ)
    command = [sys.executable, "-c", code, "policy.yaml"]
    result = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 70
    assert result.stderr.startswith("vsr-compile: error VSR900: ZeroDivisionError: oops")
    assert "Traceback" not in result.stderr


@pytest.mark.subprocess
def test_without_the_classify_extra_a_compile_that_must_train_says_what_to_install(project: Path) -> None:
    """A head that is there needs no extra; a missing one names it."""
    code = (
        "import sys\n"
        "for name in ('onnx', 'onnxruntime', 'tokenizers', 'numpy', 'safetensors'): sys.modules[name] = None\n"
        "from vsr_compiler.cli import main; main()"
    )
    environment = dict(os.environ)
    command = [sys.executable, "-c", code, "policy.yaml"]
    reused = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert (reused.returncode, "0 written" in reused.stderr) == (0, True)
    shutil.rmtree(project / "out")
    result = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "vsr-compile[classify]" in result.stderr
    assert not (project / "out").exists()


@pytest.mark.subprocess
def test_version_is_printed_without_loading_the_compiler(tmp_path: Path) -> None:
    """The cheapest call pays for nothing but click."""
    code = (
        "import sys\n"
        "from vsr_compiler.cli import main\n"
        "sys.argv = ['vsr-compile', '--version']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'ruamel', 'jinja2', 'numpy'} & {name.split('.')[0] for name in sys.modules}\n"
        "print(sorted(heavy))"
    )
    environment = dict(os.environ)
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[1] == "[]"


ROUTES_WITHOUT_RULES = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: httproutes.gateway.networking.k8s.io}
spec:
  group: gateway.networking.k8s.io
  names: {kind: HTTPRoute, plural: httproutes}
  versions:
    - name: v1
      served: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, properties: {parentRefs: {type: array, x-kubernetes-preserve-unknown-fields: true}}}
"""


def test_schema_errors_are_reported_at_the_policy_and_nothing_is_written(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --schema, definitions of the cluster have the last word before a byte is written."""
    (project / "crds").mkdir()
    (project / "crds" / "httproute.yaml").write_text(ROUTES_WITHOUT_RULES, encoding="utf-8")
    monkeypatch.setenv("VSR_CRDS", str(project / "crds"))
    shutil.rmtree(project / "out")
    refused = run("policy.yaml", "--schema", cwd=project)
    assert refused.returncode == 1
    assert "error VSR441" in refused.stderr
    assert "policy.yaml:" in refused.stderr
    assert not (project / "out").exists()
    assert run("policy.yaml", cwd=project).returncode == 0


def test_builtin_kinds_are_checked_without_definitions(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where definitions are missing, that is said once and is no error."""
    monkeypatch.setenv("VSR_CRDS", "")
    monkeypatch.setenv("VSR_CACHE_DIR", str(project / "none"))
    result = run("policy.yaml", "--schema", "--check", cwd=project)
    assert result.returncode == 0
    assert result.stderr.count("VSR440") == 1


def test_output_conflicts_suggest_a_fix(project: Path) -> None:
    """Edited, foreign, missing: each message says what to do next."""
    route = project / "out" / "quickstart" / "istio" / "base" / "default" / "httproute-phi4-mini.yaml"
    route.write_text(route.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    assert "in the policy instead, and pass --force" in run("policy.yaml", cwd=project).stderr
    assert "commit the result" in run("policy.yaml", "--check", cwd=project).stderr
    (project / "other" / "quickstart" / "router").mkdir(parents=True)
    (project / "other" / "quickstart" / "router" / "config.yaml").write_text("mine", encoding="utf-8")
    assert "Move it away, or pass --force" in run("policy.yaml", "--out", "other", cwd=project).stderr
    assert "--out" in run("policy.yaml", "--out", "policy.yaml", cwd=project).stderr


def test_a_missing_output_is_one_finding(project: Path) -> None:
    """Not one a file: the cause is the same."""
    shutil.rmtree(project / "out" / "quickstart")
    result = run("policy.yaml", "--check", cwd=project)
    assert result.returncode == 1
    assert result.stderr.count("VSR502") == 1
    assert "out/quickstart does not exist" in result.stderr


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["comple", "policy.yaml"], "no command and no file `comple`. Did you mean `compile`?"),
        (["apply", "policy.yaml"], "no command and no file `apply`. The commands are compile, diff,"),
        (["--chek", "policy.yaml"], "'--check'"),
    ],
)
def test_an_unknown_command_is_not_taken_for_a_policy(words: list[str], advice: str, project: Path) -> None:
    """What other tools have and this one has not, and a flag that is misspelt."""
    result = run(*words, cwd=project)
    assert result.returncode == 2
    assert advice in result.stderr


def test_a_misspelt_path_comes_with_the_file_that_was_meant(project: Path) -> None:
    """The way out of a typing error."""
    result = run("check", "polcy.yaml", cwd=project)
    assert result.returncode == 1
    assert "Did you mean `policy.yaml`?" in result.stderr


@pytest.mark.subprocess
def test_ctrl_c_is_no_finding(project: Path) -> None:
    """A pipeline that takes 1 for a difference must not take an interruption for one."""
    code = (
        "import vsr_compiler.cli.console as console\n"
        "def interrupted(document): raise KeyboardInterrupt\n"
        "console.print_data = interrupted\n"
        "from vsr_compiler.cli import main; main()\n"
    )
    command = [sys.executable, "-c", code, "codes"]
    environment = dict(os.environ)
    result = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr.strip()) == (130, "Interrupted.")


@pytest.mark.subprocess
def test_a_full_disk_is_not_our_fault(project: Path) -> None:
    """Nobody is asked to report it."""
    if not Path("/dev/full").exists():
        pytest.skip("no device that is always full")
    command = [sys.executable, "-c", "from vsr_compiler.cli import main; main()", "codes"]
    environment = dict(os.environ)
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            command, cwd=project, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert result.returncode == 1
    assert result.stderr == "Error: Standard output cannot be written: No space left on device.\n"
