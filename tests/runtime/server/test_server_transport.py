"""Which transport serves: by name, by default, and what follows where it cannot."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from support.common import required
from support.supervised import supervised, until
from vsr_runtime.server.transport.stream import GRPC, NGHTTP2

pytestmark = pytest.mark.subprocess


THE_LIBRARY = "import vsr_runtime.server.transport.nghttp2 as it\n"
CANNOT = {
    "is gone": (f"{THE_LIBRARY}it.NAMES = ('libnowhere.so.14',)", "nghttp2 1.57 or later is not installed"),
    "lacks what is needed": (f"{THE_LIBRARY}it.NAMES = (None,)", "nghttp2 1.57 or later"),  # what is found is Python
    "may not call back": (  # as where the kernel lets nobody execute what was written: PR_SET_MDWE, SELinux
        f"{THE_LIBRARY}def refuse(*_, **__): raise MemoryError\nit.ffi.callback = refuse",
        "forbids memory that is both written and executed",
    ),
}
NO_CFFI = "sys.modules['cffi'] = None"


@pytest.fixture
def config(policy) -> Path:
    """A policy that loads no model."""
    path = policy / "router" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    del config["routing"]["signals"]
    config["routing"]["decisions"][0]["rules"]["conditions"] = []
    path.write_text(yaml.safe_dump(config))
    return path


@contextmanager
def first_line(config: Path, *options: str, before: str = "pass"):
    """Serve by the real command after some code; yields the process and what it says first."""
    code = f"import sys\n{before}\nfrom vsr_runtime.cli import main\nmain()"
    free = ("--address", "127.0.0.1:0", "--http-address", "127.0.0.1:0")
    command = (sys.executable, "-c", code, "serve", "--config", str(config), *free, *options)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, process.stderr.readline()
        finally:
            process.kill()


def loaded(pid: int) -> set[str]:
    """Which transports' libraries a process has loaded."""
    maps = Path(f"/proc/{pid}/maps")
    required(maps.exists(), "/proc")
    text = maps.read_text()
    return {name for name, part in ((NGHTTP2, "libnghttp2"), (GRPC, "cygrpc")) if part in text}


def test_every_worker_serves_by_the_transport_that_was_named_and_loads_no_other(config, transport):
    """The parent loads none at all."""
    program = ("-m", "vsr_runtime.cli", "serve")
    with supervised("--transport", transport, config=config, program=program) as process:
        *workers, _ = until(process, "serving")
        assert {record["transport"] for record in workers} == {transport}
        assert [loaded(record["pid"]) for record in workers] == [{transport}] * 2
        assert loaded(process.pid) == set()


@pytest.mark.usefixtures("transport")
@pytest.mark.parametrize("transport", [NGHTTP2], indirect=True)
def test_nghttp2_is_the_default_and_loads_nothing_of_grpc(config):
    """Its memory and its threads are not paid for."""
    with first_line(config) as (process, line):
        assert json.loads(line)["transport"] == NGHTTP2
        assert loaded(process.pid) == {NGHTTP2}


@pytest.mark.parametrize("before", [code for code, _ in CANNOT.values()], ids=CANNOT)
def test_grpc_serves_by_default_where_nghttp2_cannot(config, before):
    """The log says so."""
    with first_line(config, before=before) as (_, line):
        record = json.loads(line)
        assert (record["event"], record["transport"]) == ("serving", GRPC)


@pytest.mark.parametrize(("before", "why"), CANNOT.values(), ids=CANNOT)
def test_one_that_was_named_and_cannot_serve_is_an_error_with_a_way_out(config, before, why):
    """Who asks for it by name is not given another one."""
    with first_line(config, "--transport", NGHTTP2, before=before) as (process, line):
        assert process.wait(20) == 1
        assert process.stderr.read() == ""
    assert line.startswith("vsr-runtime: error: ")
    assert why in line
    assert line.endswith(", or give --transport grpc\n")


def test_without_cffi_the_command_says_what_to_install(config):
    """It belongs to the extra; whoever has none of it can still serve by the other transport."""
    with first_line(config, before=NO_CFFI) as (process, line):
        assert process.wait(20) == 1
    assert line == "vsr-runtime: error: the package cffi is not installed; run pip install 'vsr-compile[runtime]'\n"
    with first_line(config, "--transport", GRPC, before=NO_CFFI) as (_, line):
        assert json.loads(line)["transport"] == GRPC
