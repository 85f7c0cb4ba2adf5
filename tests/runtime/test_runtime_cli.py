from __future__ import annotations

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from vsr_runtime.cli import cli
from vsr_runtime.log import log, print_error, print_result
from vsr_schemas.version import VERSION


def vsr_runtime(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, which quiets its libraries itself."""
    command = [sys.executable, "-m", "vsr_runtime.cli", *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if name != "GRPC_VERBOSITY"}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)


@pytest.mark.subprocess
def test_version_is_the_projects():
    """The version is the one that the whole project has."""
    done = vsr_runtime("--version")
    assert (done.returncode, done.stdout) == (0, f"vsr-runtime, version {VERSION}\n")


@pytest.mark.subprocess
@pytest.mark.parametrize("command", ["serve", "local", "demo"])
def test_help_shows_an_example(command):
    """Each command explains itself with a line that can be run."""
    done = vsr_runtime(command, "--help")
    assert done.returncode == 0
    assert f"\n    vsr-runtime {command} " in done.stdout


@pytest.mark.subprocess
@pytest.mark.parametrize(
    "arguments",
    [
        ("serve",),
        ("run",),
        ("serve", "--config", "x", "--address", "8080"),
        ("local",),
        ("serve", "--config", "x", "--classify", "y"),
        ("serve", "--config", "x", "--transport", "http3"),
    ],
)
def test_wrong_usage_exits_2(arguments):
    """A command line that cannot be read is click's business: usage on stderr, exit 2."""
    done = vsr_runtime(*arguments)
    assert done.returncode == 2
    assert "Usage:" in done.stderr


@pytest.mark.parametrize("option", ["--shutdown-delay", "--lameduck"])
def test_shutdown_delay_is_accepted_by_its_old_name(option, monkeypatch):
    """`--lameduck` is a hidden alias of `--shutdown-delay` for one release."""
    seconds = []
    monkeypatch.setattr(
        "vsr_runtime.server.server.run", lambda *_, shutdown_delay, **__: seconds.append(shutdown_delay)
    )
    result = CliRunner().invoke(cli, ["serve", "--config", "x", option, "3"])
    assert (result.exit_code, seconds) == (0, [3.0])
    assert "lameduck" not in CliRunner().invoke(cli, ["serve", "--help"]).output


@pytest.mark.subprocess
@pytest.mark.parametrize("command", [("serve", "--config"), ("local",), ("demo",)])
def test_missing_files_are_one_line_and_exit_1(tmp_path, command):
    """A user's mistake is explained in one line, without a traceback."""
    done = vsr_runtime(*command, tmp_path / "nowhere")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("vsr-runtime: error: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.subprocess
def test_config_that_is_refused_is_one_line_and_exit_1(policy):
    """What the runtime does not execute is named before anything listens."""
    config = policy / "router" / "config.yaml"
    config.write_text(config.read_text().replace("routing:", "routing:\n  foo: 1"))
    done = vsr_runtime("serve", "--config", config, "--address", "127.0.0.1:0", "--http-address", "127.0.0.1:0")
    assert done.returncode == 1
    assert done.stderr == "vsr-runtime: error: config.yaml:11:8: routing.foo: not supported; remove it\n"


@pytest.mark.subprocess
def test_address_that_cannot_be_bound_is_one_line_and_exit_1(policy):
    """An address of another machine is a one-line error, without those of the libraries underneath."""
    config = policy / "router" / "config.yaml"
    text = config.read_text().replace("conditions: [{type: domain, name: math}]", "conditions: []")
    config.write_text(text[: text.index("  signals:")] + text[text.index("global:") :])
    for option in ("--address", "--http-address"):
        free = [word for other in ("--address", "--http-address") for word in (other, "127.0.0.1:0")]
        done = vsr_runtime("serve", "--config", config, *free, option, "192.0.2.1:1")
        assert done.returncode == 1
        assert done.stderr.startswith("vsr-runtime: error: cannot listen on 192.0.2.1:1")
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.subprocess
def test_command_line_starts_without_heavy_imports():
    """Asking for help loads neither a transport nor the contracts."""
    heavy = ("grpc", "cffi", "pydantic", "numpy", "ruamel")
    code = f"import sys, vsr_runtime.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_output_is_a_line_each(capsys):
    """Results go to stdout; errors and logs go to stderr, one line each whatever they hold."""
    print_result("result")
    print_error("first\nsecond")
    log("event", request='a"\nb')
    captured = capsys.readouterr()
    assert captured.out == "result\n"
    error, record = captured.err.splitlines()
    assert error == "vsr-runtime: error: first second"
    assert '"event": "event", "request": "a\\"\\nb"}' in record


@pytest.mark.subprocess
def test_the_list_of_commands_tells_each_in_full():
    """Nothing ends in dots on a terminal of 80 columns."""
    assert "..." not in vsr_runtime("--help").stdout.partition("Commands:")[2]


@pytest.mark.subprocess
def test_a_whole_output_in_place_of_its_sandbox_is_an_error_that_names_the_folder(tmp_path):
    """The sandbox is in the folder below."""
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "sandbox.yaml").write_text("", encoding="utf-8")
    done = vsr_runtime("local", tmp_path)
    assert done.returncode == 1
    advice = f"is the whole output of a policy; give its sandbox, {tmp_path / 'local'}"
    assert done.stderr == f"vsr-runtime: error: {tmp_path}: {advice}\n"
