"""The Compose file. Every text of the policy is literal: `$`, by which Compose refers to variables, is doubled.

Source: the Compose specification, schema/compose-spec.json; `docker compose config` of release 5.6 accepts the result.
"""

from __future__ import annotations

from vsr_compiler.deploy.compose.facts import FRONT, HOST_NAME, MEBIBYTE, ROUTER_NETWORK
from vsr_compiler.deploy.compose.model import Container, Health, Plan, SecretFile, Volume
from vsr_compiler.manifests.objects import Body
from vsr_compiler.manifests.yaml import UnprintableError

SECRETS = "VSR_SECRETS"
"""The variable of the environment, or of `.env`, with the folder of secrets."""
MERGE = "<<"
DIGEST = "dev.vsr.config-sha256"
"""The label that makes `docker compose up` replace a container whose files have changed."""
LOG = {"driver": "json-file", "options": {"max-file": "5", "max-size": "10m"}}


def compose_file(plan: Plan) -> Body:
    """Return the Compose file of a host."""
    body: Body = {
        "name": plan.project,
        "services": {container.name: _service(plan, container) for container in plan.containers},
        "networks": {FRONT: {}, ROUTER_NETWORK: {"internal": True}},
    }
    if plan.volumes:
        body["volumes"] = {volume.name: _volume(volume) for volume in plan.volumes}
    if plan.secrets:
        body["secrets"] = {_secret_name(item): {"file": _secret_path(plan, item.path)} for item in plan.secrets}
    return body


def literal(text: str) -> str:
    """Return a text as Compose reads it unchanged.

    >>> literal("$HOME is ${A}")
    '$$HOME is $${A}'

    Raises:
        UnprintableError: Compose 5.6 drops this text: without quotes it is YAML's merge key.
    """
    if text == MERGE:
        raise UnprintableError(f"the text {MERGE!r} is one that Compose drops")
    return text.replace("$", "$$")


def _secret_path(plan: Plan, path: str) -> str:
    return f"${{{SECRETS}:-{plan.secrets_folder}}}/{path}"


def _secret_name(item: SecretFile) -> str:
    """Return the name of a secret in the file. Names of Secrets have no `_`, so it is unambiguous."""
    return f"{item.secret}_{item.key}"


def _volume(volume: Volume) -> Body:
    return {} if volume.own else {"name": volume.name, "external": True}


def _service(plan: Plan, container: Container) -> Body:
    body: Body = {
        "image": container.image,
        "command": [literal(word) for word in container.command],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "read_only": container.read_only,
        "restart": "no" if container.once else "unless-stopped",
        "stop_grace_period": f"{container.stop}s",
        "logging": LOG,
        "networks": {name: {"aliases": [container.alias]} for name in container.networks},
        "pids_limit": container.limits.pids,
    }
    body |= _access(container) | _resources(container) | _mounts(container)
    if container.environment:
        body["environment"] = {name: literal(value) for name, value in container.environment}
    if container.variables_file is not None:
        body["env_file"] = [{"path": _secret_path(plan, container.variables_file), "required": True}]
    if container.secrets:
        body["secrets"] = [{"source": _secret_name(item), "target": item.target} for item in container.secrets]
    if container.health is not None:
        body["healthcheck"] = _health(container.health)
    if container.after:
        body["depends_on"] = {name: {"condition": condition} for name, condition in container.after}
    if container.digest:
        body["labels"] = {DIGEST: container.digest}
    return body


def _access(container: Container) -> Body:
    """Return who runs the container, and where it can be reached."""
    body: Body = {}
    if container.user is not None:
        body["user"] = container.user
    if container.ports:
        body["ports"] = [
            {"host_ip": port.bind, "published": str(port.host), "target": port.inner, "protocol": "tcp"}
            for port in container.ports
        ]
        body["ulimits"] = {"nofile": container.limits.files}
    if container.reaches_host:
        body["extra_hosts"] = {HOST_NAME: "host-gateway"}
    return body


def _resources(container: Container) -> Body:
    limits, devices = container.limits, container.devices
    body: Body = {}
    if limits.memory is not None:
        body["mem_limit"] = limits.memory
    if limits.cpus is not None:
        body["cpus"] = limits.cpus
    if limits.shared_memory is not None:
        body["shm_size"] = limits.shared_memory
    if devices.nvidia:
        ids = [str(index) for index in devices.nvidia]
        reserved = {"driver": "nvidia", "device_ids": ids, "capabilities": ["gpu"]}
        body["deploy"] = {"resources": {"reservations": {"devices": [reserved]}}}
    if devices.files:
        body["devices"] = [f"{path}:{path}" for path in devices.files]
        body["group_add"] = list(devices.groups)
    return body


def _mounts(container: Container) -> Body:
    mounts: list[Body] = [
        {
            "type": "bind",
            "source": f"./{folder.name}",
            "target": folder.target,
            "read_only": True,
            "bind": {"create_host_path": False},
        }
        for folder in container.folders
    ]
    for volume in container.volumes:
        body: Body = {"type": "volume", "source": volume.name, "target": volume.target, "read_only": volume.read_only}
        mounts.append(body | ({"volume": {"subpath": volume.folder}} if volume.folder else {}))
    body = {"volumes": mounts} if mounts else {}
    if container.scratch:
        body["tmpfs"] = [f"{path}:size={size // MEBIBYTE}m,mode=1777" for path, size in container.scratch]
    return body


def _health(health: Health) -> Body:
    return {
        "test": ["CMD", *(literal(word) for word in health.command)],
        "interval": f"{health.interval}s",
        "timeout": f"{health.timeout}s",
        "retries": health.retries,
        "start_period": f"{health.start}s",
    }
