"""Runs the containers of a host as processes: the commands of its Compose file, with paths and addresses of here."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from vsr_runtime.sandbox.envoy import admin_address, envoy_command

Body = dict[str, Any]
START = 60.0


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read(path: Path) -> Any:
    """A YAML document."""
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def words(service: Body) -> list[str]:
    """The command of a service, as its process gets it."""
    return [word.replace("$$", "$") for word in service["command"]]


class Host:
    """A folder of a host, with everything below another root.

    Args:
        folder: `compose/<environment>` of an output.
        root: a folder for what the host and its containers have.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.root = folder, root
        self.compose = read(folder / "compose.yaml")
        self.secrets = root / "secrets"
        self.paths = {
            "/etc/envoy": str(root / "etc-envoy"),
            "/etc/vsr/router": str(folder / "router"),
            "/run/vsr": str(root / "run"),
            "/etc/ssl/certs/ca-certificates.crt": str(root / "authorities.crt"),
        }
        self.ports: dict[int, int] = {}

    def link_secrets(self) -> None:
        """Put each file of the folder of secrets where the containers have it."""
        for service in self.compose["services"].values():
            for item in service.get("secrets", []):
                source = self.compose["secrets"][item["source"]]["file"].rpartition("}/")[2]
                target = Path(self.moved(item["target"]))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.unlink(missing_ok=True)
                target.write_bytes((self.secrets / source).read_bytes())

    def moved(self, text: str) -> str:
        """A text with the paths of here."""
        for path, here in self.paths.items():
            text = text.replace(path, here)
        return text

    def bootstrap(self, places: Mapping[str, int]) -> Body:
        """Envoy's configuration, in which each name of a host is a port of loopback."""
        document = json.loads(self.moved(json.dumps(read(self.folder / "envoy" / "envoy.yaml"))))
        for cluster in document["static_resources"]["clusters"]:
            for endpoints in cluster["load_assignment"]["endpoints"]:
                for item in endpoints["lb_endpoints"]:
                    address = item["endpoint"]["address"].get("socket_address")
                    if address is not None:
                        address["port_value"] = places.get(address["address"], 1)
                        address["address"] = "127.0.0.1"
        for listener in document["static_resources"]["listeners"]:
            address = listener["address"].get("socket_address")
            if address is not None:
                self.ports[address["port_value"]] = free_port()
                address |= {"address": "127.0.0.1", "port_value": self.ports[address["port_value"]]}
        return document

    def write(self, document: Body) -> None:
        """Write Envoy's folder: the changed configuration, and the script as it is."""
        folder = Path(self.paths["/etc/envoy"])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "envoy.yaml").write_text(json.dumps(document), encoding="utf-8")
        (folder / "run.sh").write_bytes((self.folder / "envoy" / "run.sh").read_bytes())

    def port(self, published: int) -> int:
        """The port of here for a port of the host."""
        for item in self.compose["services"]["envoy"]["ports"]:
            if item["published"] == str(published):
                return self.ports[item["target"]]
        raise KeyError(published)

    @contextmanager
    def router(self, port: int, probes: int) -> Iterator[subprocess.Popen[bytes]]:
        """The router's process, which serves on a port and answers probes on another."""
        command = [self.moved(word) for word in words(self.compose["services"]["router"])]
        command = [f"--address=127.0.0.1:{port}" if word.startswith("--address=") else word for word in command]
        command = [f"--http-address=127.0.0.1:{probes}" if "--http-address" in word else word for word in command]
        runtime = [sys.executable, "-P", "-m", "vsr_runtime.cli", *command]
        with (self.root / "router.log").open("wb") as log:
            environment = {**os.environ, "VSR_CACHE_DIR": str(self.root)}
            process = subprocess.Popen(runtime, stdout=log, stderr=log, env=environment)
        try:
            wait(lambda: b'"serving"' in (self.root / "router.log").read_bytes(), process)
            yield process
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def envoy(self, admin: int, drain: int = 5) -> Iterator[subprocess.Popen[bytes]]:
        """The process of Envoy's container: its command and variables, with the Envoy of here."""
        service = self.compose["services"]["envoy"]
        binaries = self.root / "bin"
        binaries.mkdir(exist_ok=True)
        (binaries / "envoy").unlink(missing_ok=True)
        (binaries / "envoy").symlink_to(envoy_command()[0])
        address = self.root / "admin"
        command = [self.moved(word) for word in words(service)]
        variables = service["environment"] | {"ADMIN_PORT": str(admin), "DRAIN": str(drain)}
        environment = {**variables, "PATH": f"{binaries}:{os.environ['PATH']}"}
        arguments = [*command, "--admin-address-path", str(address), "--concurrency", "1"]
        with (self.root / "envoy.log").open("wb") as log:
            process = subprocess.Popen(arguments, stdout=log, stderr=log, env=environment, start_new_session=True)
        try:
            wait(lambda: admin_address(address) is not None, process)
            yield process
        finally:
            end_group(process)
            process.wait()


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def wait(ready: Any, process: subprocess.Popen[bytes]) -> None:
    """Wait until something is so. A process that has ended is a failure."""
    until = time.monotonic() + START
    while not ready():
        assert process.poll() is None, f"the process ended with {process.poll()}"
        assert time.monotonic() < until, "not ready"
        time.sleep(0.05)
