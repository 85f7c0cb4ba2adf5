"""One Envoy with three doors, and the runtime behind one of them: what the benchmarks of the data plane use.

``gateway`` is the listener as the compiler writes it, ``alone`` the same without the filter, and ``backend`` answers
both with a fixed text from inside the same Envoy, so that nothing else is measured. Envoy runs with one worker thread.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsr_runtime.files import read_yaml
from vsr_runtime.sandbox.envoy import admin_address, envoy_command
from vsr_runtime.sandbox.process import Process

ROOT = Path(__file__).resolve().parents[1]
SERVE = (sys.executable, "-P", "-m", "vsr_runtime.cli", "serve")
POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: bench}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints: {a: {service: "a:80"}, b: {service: "b:80"}}
models: {model-a: {endpoints: a}, model-b: {endpoints: b}}
signals: {calculus: {keywords: [integral, derivative, equation, theorem]}}
routes: [{name: calculus, when: {signal: calculus}, model: model-b}]
default: model-a
"""
"""Routes by keywords: no model is asked."""
TEXT = "Please explain in a few sentences what the derivative of a function says about its graph and its extrema."
BODY = {
    "model": "auto",
    "messages": [
        {"role": "system", "content": "You are a helpful assistant who answers briefly and to the point."},
        {"role": "user", "content": TEXT + " Give one example of a polynomial of the third degree."},
        {"role": "assistant", "content": "Gladly."},
        {"role": "user", "content": "Now the same once more, with the second derivative in it, please."},
    ],
    "temperature": 0.2,
    "max_tokens": 256,
}
VARIED = "@@@@@@"
_VARIES = (
    "local count = os.time() % 1000 * 977\n"
    "request = function() count = count + 1; local number = string.format('%06d', count % 1000000); "
    f"return wrk.format(nil, nil, nil, (wrk.body:gsub('{VARIED}', number))) end\n"
)
_START = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Doors:
    """Where the doors are (``host:port``), and who is behind them."""

    gateway: str
    alone: str
    http: str
    server: Process
    envoy: Process

    def cpu(self) -> tuple[float, float]:
        """Seconds of CPU that the server with its children, and Envoy, have used so far."""
        return sum(map(_cpu, family(self.server.pid))), _cpu(self.envoy.pid)


@contextmanager
def doors(
    policy: str = POLICY,
    options: Sequence[str] = (),
    serve: Sequence[str] = SERVE,
    answer: tuple[str, str] | None = None,
) -> Iterator[Doors]:
    """Compile a policy, serve it with more options of ``vsr-runtime serve`` if wanted, and put Envoy before it.

    ``serve`` can be another program that takes these options and logs where it listens. ``answer`` is the type and the
    text of the backend's responses, if they are not to be a short JSON document.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = compiled(policy, folder)
        lines: list[str] = []
        free = ("--config", str(built / "router/config.yaml"), "--address", "127.0.0.1:0")
        server = Process("the runtime", (*serve, *free, "--http-address", "127.0.0.1:0", *options), first(lines))
        try:
            serving = json.loads(wait(lambda: lines and lines[0], server))
            port = int(serving["address"].rpartition(":")[2])
            envoy, found = start_envoy(folder, three(read_yaml(built / "local/envoy.yaml"), port, answer))
            try:
                yield Doors(found["http"], found["alone"], serving["http"], server, envoy)
            finally:
                envoy.stop()
        finally:
            server.stop()


def compiled(policy: str, folder: Path) -> Path:
    """The output of a policy, compiled into a folder."""
    path = folder / "policy.yaml"
    path.write_text(policy, encoding="utf-8")
    program = "from vsr_compiler.cli import main; main()"
    command = [sys.executable, "-c", program, "compile", str(path), "--out", str(folder / "out")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        sys.exit(done.stderr)
    return next((folder / "out").iterdir())


def first(lines: list[str]) -> Callable[[str], None]:
    """Keeps the line that says where the server listens, and drops the rest, as nothing reads it."""
    return lambda line: lines.append(line) if '"serving"' in line else None


def three(bootstrap: dict[str, Any], port: int, said: tuple[str, str] | None = None) -> dict[str, Any]:
    """The compiled bootstrap with all three doors."""
    made = copy.deepcopy(bootstrap)
    resources = made["static_resources"]
    (gateway,) = resources["listeners"]
    gateway["address"] = _address(0)
    alone = copy.deepcopy(gateway) | {"name": "alone"}
    manager = _manager(alone)
    manager["http_filters"] = [each for each in manager["http_filters"] if "ext_proc" not in each["name"]]
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    routes[:] = [routes[0] | {"match": {"prefix": "/"}}]
    backend = copy.deepcopy(alone) | {"name": "backend"}
    answer = {"status": 200, "body": {"inline_string": '{"object":"chat.completion","choices":[]}'}}
    direct: dict[str, Any] = {"match": {"prefix": "/"}, "direct_response": answer}
    if said is not None:
        answer["body"] = {"inline_string": said[1]}
        header = {"header": {"key": "content-type", "value": said[0]}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        direct["response_headers_to_add"] = [header]
    _manager(backend)["route_config"]["virtual_hosts"][0]["routes"] = [direct]
    _manager(backend)["route_config"]["max_direct_response_body_size_bytes"] = 2**20
    backend["address"] = _address(_free())
    for cluster in resources["clusters"]:
        at = _address(port) if cluster["name"] == "router" else backend["address"]
        cluster["load_assignment"]["endpoints"] = [{"lb_endpoints": [{"endpoint": {"address": at}}]}]
    resources["listeners"] = [gateway, alone, backend]
    made["admin"] = {"address": _address(0)}
    return made


def start_envoy(folder: Path, bootstrap: dict[str, Any]) -> tuple[Process, dict[str, str]]:
    """A running Envoy and the addresses of its listeners by name."""
    file, admin = folder / "envoy.json", folder / "admin"
    file.write_text(json.dumps(bootstrap), encoding="utf-8")
    command = (*envoy_command(), "-c", str(file), "--admin-address-path", str(admin))
    envoy = Process("Envoy", command, lambda line: print(line, file=sys.stderr))
    found = wait(lambda: _listeners(admin), envoy)
    time.sleep(0.5)  # until the clusters are warm
    return envoy, found


def wrk(door: str, connections: int, seconds: int, folder: Path, body: str | None = None) -> dict[str, float]:
    """Load a door with wrk, one thread; requests a second, p50 and p99 in milliseconds, and what was no 200.

    ``VARIED`` in a body becomes another number in each request.
    """
    program = shutil.which("wrk")
    if program is None:
        sys.exit("wrk is not installed; on Debian and Ubuntu: apt-get install wrk")
    script = folder / "post.lua"
    script.write_text(
        'wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\n'
        f"wrk.body = [==[{body or json.dumps(BODY)}]==]\n"
        + (_VARIES if VARIED in (body or "") else "")
        + 'done = function(s, l, r) io.write(string.format("R %f %f %f %d\\n", s.requests / s.duration * 1e6, '
        "l:percentile(50) / 1e3, l:percentile(99) / 1e3, s.errors.status + s.errors.timeout + s.errors.read)) end\n",
        encoding="utf-8",
    )
    url = f"http://{door}/v1/chat/completions"
    command = [program, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script), url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    line = re.search(r"^R (\S+) (\S+) (\S+) (\S+)$", said, re.MULTILINE)
    if line is None:
        sys.exit(f"wrk said nothing that is understood: {said}")
    return dict(zip(("rps", "p50", "p99", "errors"), map(float, line.groups()), strict=True))


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    listed = children.read_text(encoding="ascii").split() if children.exists() else []
    return [pid, *(each for child in listed for each in family(int(child)))]


def wait(look: Callable[[], Any], process: Process) -> Any:  # noqa: ANN401 - whatever was looked for
    """What a look finds at last."""
    until = time.monotonic() + _START
    while not (found := look()):
        if process.exit_code is not None or time.monotonic() > until:
            sys.exit(f"{process.name} did not start; {process.last_lines()}")
        time.sleep(0.05)
    return found


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _listeners(admin: Path) -> dict[str, str] | None:
    address = admin_address(admin)
    if address is None:
        return None
    with urllib.request.urlopen(f"http://{address}/listeners?format=json", timeout=5) as answer:
        statuses = json.load(answer).get("listener_statuses", [])
    ports = {each["name"]: each["local_address"]["socket_address"]["port_value"] for each in statuses}
    return {name: f"127.0.0.1:{port}" for name, port in ports.items()} if all(ports.values()) else None


def _manager(listener: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _free() -> int:
    """A port that was free a moment ago: Envoy is told of it twice, as a listener's and as a cluster's."""
    import socket  # noqa: PLC0415 - for this alone

    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
