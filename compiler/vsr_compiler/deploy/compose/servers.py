"""Containers of model servers: vLLM or its simulator, as the pods of a cluster are."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.deploy.compose import devices
from vsr_compiler.deploy.compose.bodies import bounds, settings
from vsr_compiler.deploy.compose.envoy import server_alias
from vsr_compiler.deploy.compose.facts import FRONT, ROOT, USER
from vsr_compiler.deploy.compose.model import Container, Health, Limits, Variable, Volume
from vsr_compiler.manifests.expansion import without_escapes
from vsr_compiler.targets.common import vllm
from vsr_compiler.targets.common.model_servers import served
from vsr_compiler.targets.common.simulator import simulator_container

PIDS = 8192
STOP = 120
START = 3600
"""Seconds for the first start, which downloads the weights."""
_CHECK = "import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/health', timeout=4)"


def container(policy: ir.Policy, endpoint: ir.Endpoint, server: ir.VllmServer, gpus: tuple[int, ...]) -> Container:
    """Return the container of an endpoint's server."""
    models = served(policy, endpoint)
    name = f"server-{endpoint.object_name}"
    if server.simulate:
        body = simulator_container(policy, endpoint, models.names, models.context)
        return Container(
            name=name,
            alias=server_alias(endpoint),
            image=body["image"],
            command=tuple(without_escapes(word) for word in (*body.get("command", ()), *body["args"])),
            user=USER,
            networks=(FRONT,),
            stop=30,
            origin=endpoint.span,
            limits=bounds(body["resources"]),
        )
    body = vllm.vllm_container(policy, endpoint, server, models.names)
    found, chosen = devices.of_server(server, gpus)
    environment, variables = settings(body["env"], server.placement)
    limits = bounds(body["resources"])
    volume = server.claim or f"weights-{endpoint.object_name}"
    adapters = vllm.adapter_folders(server)
    optional = tuple(Variable(item.name, item.secret, item.key, item.name == "HF_TOKEN") for item in variables)
    return Container(
        name=name,
        alias=server_alias(endpoint),
        image=body["image"],
        command=tuple(without_escapes(word) for word in (*body.get("command", ()), *body["args"])),
        user=ROOT,
        networks=(FRONT,),
        stop=STOP,
        origin=endpoint.span,
        environment=(*environment, *chosen),
        variables=optional,
        volumes=(
            Volume(volume, vllm.WEIGHTS_PATH, own=server.claim is None),
            *(Volume(volume, f"/{top}", own=server.claim is None, folder=top) for top in adapters),
        ),
        health=Health(("python3", "-c", _CHECK.format(port=vllm.PORT)), 10, 3, START),
        limits=Limits(limits.memory, limits.cpus, PIDS, 2 * server.gpus << 30),
        devices=found,
        read_only=False,
    )
