"""The folder of one host: everything that is copied there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vsr_compiler import ir
from vsr_compiler.deploy.compose.compose_file import SECRETS, compose_file
from vsr_compiler.deploy.compose.containers import plan
from vsr_compiler.deploy.compose.envoy import bootstrap
from vsr_compiler.deploy.compose.facts import CANDIDATE_FOLDER, ENVOY_FOLDER, ROUTER_FOLDER, USER
from vsr_compiler.deploy.compose.model import Container, Plan
from vsr_compiler.deploy.compose.quadlet import FOLDER, quadlets
from vsr_compiler.deploy.compose.run_script import SCRIPT
from vsr_compiler.ir.hosts import COMPOSE
from vsr_compiler.manifests.yaml import Json, header

Files = dict[str, bytes]
Text = Callable[[Json], bytes]
"""Returns a document as the content of a file."""


def folder(environment: ir.Environment) -> str:
    """Return the folder of a host in the output."""
    return f"{COMPOSE}/{environment.name}"


def emit(policy: ir.Policy, environment: ir.Environment, host: ir.Host, text: Text) -> Files:
    """Return the files of a host by path below the policy's output.

    Args:
        policy: The policy as the host has it, with the router's files.
        environment: The environment.
        host: Its machine.
        text: Writes a document.
    """
    files = {f"{ROUTER_FOLDER}/{name}": data for name, data in policy.router.files.items()}
    if policy.candidate is not None:
        files |= {f"{CANDIDATE_FOLDER}/{name}": data for name, data in policy.candidate.router.files.items()}
    files |= {
        f"{ENVOY_FOLDER}/envoy.yaml": text(bootstrap(policy, host)),
        f"{ENVOY_FOLDER}/run.sh": SCRIPT.encode(),
    }
    made = plan(policy, environment, host, files)
    files["compose.yaml"] = text(compose_file(made))
    files[".env.example"] = _example(made).encode()
    files |= {f"{FOLDER}/{name}": content.encode() for name, content in quadlets(made).items()}
    return {f"{folder(environment)}/{path}": data for path, data in files.items()}


def _example(made: Plan) -> str:
    """Return the names of the needed secrets. Their values are nowhere in the output."""
    lines = [
        "# The folder of secrets. For another one, change it here and copy this file to `.env`; quadlets use this one.",
        f"{SECRETS}={made.secrets_folder}",
        "#",
        f"# Needed there. User {USER.partition(':')[0]} reads files of keys; files of variables (.env) only need root:",
    ]
    lines += [f"#   {item.path}: {item.purpose}" for item in made.secrets]
    for container in made.containers:
        lines += _variables(container)
    if len(lines) == 4:  # noqa: PLR2004 - the lines above
        lines[2:] = ["# This policy needs no secrets."]
    return header("\n".join(lines) + "\n")


def _variables(container: Container) -> Iterator[str]:
    if container.variables_file is not None:
        yield f"#   {container.variables_file}, with a line for each of:"
    for item in container.variables:
        note = ", may be left out" if item.optional else ""
        yield f"#     {item.name}=  (key {item.key} of Secret {item.secret}{note})"
