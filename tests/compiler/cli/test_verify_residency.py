"""`verify` finds hosts of other regions that somebody has added to the output, at their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.common import call
from support.gitops_support import compiled, written
from vsr_compiler.pipeline import read_policy

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: shop}
router:
  image: "registry.example/vsr-runtime:0.1.0"
  cache: {address: "cache.eu.example.com:6379", region: eu, tls: true, login: {secret: valkey}}
  autoscaling: {max: 6, prometheus: "https://prometheus.example.com"}
identity:
  jwt: {issuer: "https://login.example.com", audiences: [llm], jwksUri: "https://login.example.com/keys"}
gateway: {listeners: [{name: http, port: 80, hostnames: [chat.example.com]}]}
endpoints:
  small: {service: "small:8000"}
  large: {external: {url: "https://large.eu.example.com/v1"}, region: eu}
models: {small: {endpoints: small}, large: {endpoints: large}}
classifiers:
  attacks:
    task: jailbreak
    server: {protocol: openai-moderation, url: "https://moderation.eu.example.com", region: eu, model: m}
signals: {hard: {keywords: [prove]}}
guards: {attack: {detector: attacks, action: block}}
routes: [{name: hard, when: {signal: hard}, model: large, cache: {scope: user, ttl: 1h}}]
default: small
gitops:
  repo: https://git.example.com/team/routing.git
  flux: {}
  clusters:
    paris: {server: "https://paris.example.com", kubeconfig: paris}
    ohio: {server: "https://ohio.example.com", kubeconfig: ohio}
environments:
  prod:
    target: TARGET
    clusters:
      paris: {region: eu, gateway: {hostnames: {http: [chat.eu.example.com]}}}
      ohio: {region: us, replicas: {router: 6}, gateway: {hostnames: {http: [chat.us.example.com]}}}
residency: {eu: eu, us: [us, eu]}
"""
ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: us, namespace: default}
spec:
  hosts:
  - api.us.example.com
  location: MESH_EXTERNAL
  ports: [{name: https, number: 443, protocol: HTTPS}]
  resolution: DNS
"""
ENTRY_PLACE = "us.yaml:6:5: error VSR567: ServiceEntry `default/us` refers to api.us.example.com"
FILTER = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: us, namespace: default}
spec:
  configPatches:
  - applyTo: CLUSTER
    patch:
      operation: ADD
      value:
        name: us
        load_assignment:
          cluster_name: us
          endpoints:
          - lb_endpoints:
            - endpoint: {address: {socket_address: {address: 203.0.113.7, port_value: 443}}}
"""
VARIABLE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: other, namespace: default}
spec:
  selector: {matchLabels: {app: other}}
  template:
    metadata: {labels: {app: other}}
    spec:
      containers:
      - {name: one, image: "i:1", env: [{name: SERVER, value: "URL"}]}
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes the output for a target below the current folder, and returns that target's folder."""
    monkeypatch.chdir(tmp_path)

    def write(target: str = "istio", policy: str = POLICY) -> Path:
        path = Path("policies/shop.yaml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(policy.replace("TARGET", target), encoding="utf-8")
        return written(compiled(read_policy(path)), Path("out")) / target

    return write


def verify(path: Path | str, *options: str, stdin: str | None = None) -> tuple[int, list[str]]:
    """The exit code, and the findings of hosts of other regions."""
    result = call("verify", path, "--no-envoy", *options, stdin=stdin)
    return result.exit_code, [line for line in result.output.splitlines() if "VSR567" in line]


def edited(folder: Path, overlay: str, **files: str) -> None:
    """Add files to an overlay: objects, and patches, whose names begin with `patch`."""
    place = folder / "overlays" / overlay
    kustomization = place / "kustomization.yaml"
    text = kustomization.read_text(encoding="utf-8")
    for name, content in files.items():
        (place / f"{name}.yaml").write_text(content, encoding="utf-8")
        if not name.startswith("patch"):
            text = text.replace("resources:\n", f"resources:\n- {name}.yaml\n")
    patches = "".join(f"- path: {name}.yaml\n" for name in files if name.startswith("patch"))
    text = text.replace("patches:\n", f"patches:\n{patches}") if "patches:" in text else f"{text}patches:\n{patches}"
    kustomization.write_text(text if patches else text.removesuffix("patches:\n"), encoding="utf-8")


@pytest.mark.parametrize("target", ["istio", "envoy-gateway", "agentgateway", "ai-gateway", "gie", "llm-d"])
def test_output_as_it_is_has_no_host_of_another_region(tree: Callable[..., Path], target: str) -> None:
    """Keys of tokens, Prometheus, the repository and the API servers of clusters are no finding."""
    assert tree(target).is_dir()
    assert verify(Path("out/shop"))[1] == []


def test_an_object_in_an_overlay_is_found_at_its_host(tree: Callable[..., Path]) -> None:
    """The overlay of another environment is not affected."""
    edited(tree(), "prod-paris", us=ENTRY)
    code, (found,) = verify(Path("out/shop"))
    assert code == 1
    assert f"out/shop/istio/overlays/prod-paris/{ENTRY_PLACE}" in found
    assert "outside the cluster, in a region that nobody knows" in found
    assert found.endswith("`prod-paris` in `eu` may refer only to `eu`")


@pytest.mark.parametrize(("overlay", "count"), [("prod-paris", 1), ("prod-ohio", 0)])
def test_a_host_of_a_region_that_the_policy_states_is_judged_by_it(
    tree: Callable[..., Path], overlay: str, count: int
) -> None:
    """Requests to the Gateway of the other region leave the own one, also by a URL in a container."""
    folder = tree()
    edited(
        folder,
        overlay,
        us=ENTRY.replace("api.us", "chat.us"),
        pod=VARIABLE.replace("URL", "https://chat.us.example.com/v1"),
    )
    code, found = verify(Path("out/shop"))
    assert code == count
    assert len(found) == 2 * count
    assert all("error VSR567" in line and "is in the region `us`" in line for line in found)


NAMED = "metadata: {name: us, namespace: default}"
SERVICE = f"apiVersion: v1\nkind: Service\n{NAMED}\nspec: {{type: ExternalName, externalName: us.example.com}}\n"
BACKEND = f"""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
{NAMED}
spec: {{endpoints: [{{fqdn: {{hostname: us.example.com, port: 443}}}}]}}
"""
AGENTGATEWAY = f"""\
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
{NAMED}
spec: {{static: {{host: us.example.com, port: 443}}}}
"""


def place_of(text: str, host: str) -> str:
    """Line and column of a host in a text."""
    before = text[: text.index(host)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


@pytest.mark.parametrize(
    ("target", "text", "host", "level"),
    [
        ("istio", FILTER, "203.0.113.7", "error"),
        ("istio", VARIABLE.replace("URL", "https://api.us.example.com/v1"), "api.us.example.com", "warning"),
        ("istio", SERVICE, "us.example.com", "error"),
        ("envoy-gateway", BACKEND, "us.example.com", "error"),
        ("agentgateway", AGENTGATEWAY, "us.example.com", "error"),
    ],
    ids=["EnvoyFilter", "Deployment", "Service", "Backend", "AgentgatewayBackend"],
)
def test_each_kind_of_object_with_a_host_is_read(
    tree: Callable[..., Path], target: str, text: str, host: str, level: str
) -> None:
    """Line and column are those of the host."""
    edited(tree(target), "prod-paris", us=text)
    _, (found,) = verify(Path("out/shop"))
    assert f"overlays/prod-paris/us.yaml:{place_of(text, host)}: {level} VSR567" in found
    assert f" refers to {host}, " in found


PATCH = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: large, namespace: default}
spec:
  rules:
  - backendRefs: [{group: networking.istio.io, kind: Hostname, name: large.us.example.com, port: 443}]
"""


def test_a_host_in_a_patch_is_found_in_the_patch(tree: Callable[..., Path]) -> None:
    """Not in the object that it changes."""
    folder = tree()
    (route,) = (folder / "base" / "default").glob("httproute-large.yaml")
    assert "name: large.eu.example.com" in route.read_text(encoding="utf-8")
    edited(folder, "prod-paris", patch_route=PATCH)
    _, (found,) = verify(Path("out/shop"))
    place = place_of(PATCH, "large.us.example.com")
    assert f"overlays/prod-paris/patch_route.yaml:{place}: error VSR567: HTTPRoute `default/large`" in found


def test_a_router_configuration_and_helm_values_are_read(tree: Callable[..., Path]) -> None:
    """In the ConfigMap, in the folder of the router, and in values files."""
    folder = tree()
    (config,) = folder.glob("base/*/configmap-semantic-router-config-*.yaml")
    for path in (config, Path("out/shop/router/runtime.yaml")):
        text = path.read_text(encoding="utf-8")
        assert "https://moderation.eu.example.com" in text
        path.write_text(text.replace("moderation.eu", "moderation.us"), encoding="utf-8")
    values = folder / "helm" / "values-other.yaml"
    values.parent.mkdir(exist_ok=True)
    values.write_text("a:\n  url: https://values.us.example.com/v1\n", encoding="utf-8")
    _, found = verify(Path("out/shop"))
    places = [line.partition(" refers to ")[0].rpartition("/")[2] for line in found]
    assert len(found) == 3, found
    assert any(place.startswith("values-other.yaml:2:16: warning") for place in places)
    assert any(place.startswith("runtime.yaml:") for place in places)
    assert any(line.startswith(f"{config}:") and "ConfigMap" in line for line in found)


def test_an_overlay_of_a_user_is_for_the_environment_that_it_includes(tree: Callable[..., Path]) -> None:
    """With the policy named, also outside of the output, and on standard input."""
    tree()
    own = Path("own")
    own.mkdir()
    (own / "us.yaml").write_text(ENTRY.replace("api.us", "chat.us"), encoding="utf-8")
    for overlay, count in (("prod-paris", 1), ("prod-ohio", 0)):
        resources = f"resources: [../out/shop/istio/overlays/{overlay}, us.yaml]\n"
        (own / "kustomization.yaml").write_text(resources, encoding="utf-8")
        assert len(verify(own, "--policy", "policies/shop.yaml")[1]) == count, overlay
    # Of an object alone the environment is unknown: some environment may refer to this host, none to the other.
    assert verify("-", "--policy", "policies/shop.yaml", stdin=ENTRY.replace("api.us", "chat.us"))[1] == []
    (found,) = verify("-", "--policy", "policies/shop.yaml", stdin=ENTRY)[1]
    assert found.startswith("-:6:5: error VSR567")


@pytest.mark.parametrize(
    "host",
    ["other.default.svc.cluster.local", "localhost", "127.0.0.1", "large.eu.example.com", "LARGE.eu.example.com."],
)
def test_a_host_in_the_cluster_or_of_an_allowed_region_is_no_finding(tree: Callable[..., Path], host: str) -> None:
    """Case and a final dot do not matter."""
    edited(
        tree(),
        "prod-paris",
        pod=VARIABLE.replace("URL", f"https://{host}:8443/v1"),
        us=ENTRY.replace("api.us.example.com", host),
    )
    assert verify(Path("out/shop"))[1] == []


@pytest.mark.parametrize("host", ["${HOST}", "-", "a" * 300, "'[::1'", "{{ .Values.host }}", "7"])
def test_what_is_no_host_does_not_end_the_check(tree: Callable[..., Path], host: str) -> None:
    """Placeholders and values of wrong types."""
    edited(
        tree(),
        "prod-paris",
        us=ENTRY.replace("- api.us.example.com", f"- {host}"),
        other=ENTRY.replace("name: us", "name: other"),
    )
    assert any("`default/other`" in line for line in verify(Path("out/shop"))[1])


def test_without_residency_every_host_is_allowed(tree: Callable[..., Path]) -> None:
    """As before."""
    edited(tree(policy=POLICY.partition("residency:")[0]), "prod-paris", us=ENTRY)
    assert verify(Path("out/shop"))[1] == []


def test_a_comment_accepts_a_host(tree: Callable[..., Path]) -> None:
    """As any finding of `verify`."""
    accepted = ENTRY.replace("- api.us.example.com", "- api.us.example.com  # vsr-verify: ignore VSR567 only tests")
    edited(tree(), "prod-paris", us=accepted)
    assert verify(Path("out/shop"))[1] == []


def test_hostile_input_ends_soon(tree: Callable[..., Path]) -> None:
    """Kustomizations that include each other, and texts on which a search could take long."""
    tree()
    for name, other in (("one", "two"), ("two", "one")):
        folder = Path(name)
        folder.mkdir()
        resources = ", ".join([f"../{other}"] * 50)
        (folder / "kustomization.yaml").write_text(f"resources: [{resources}]\n", encoding="utf-8")
    (Path("one") / "values.yaml").write_text(
        f"a: {'http://' + ':' * 100_000}x\nb: '{':' * 100_000}x'\n", encoding="utf-8"
    )
    (Path("one") / "us.yaml").write_text(ENTRY.replace("api.us.example.com", f"'{':' * 100_000}x'"), encoding="utf-8")
    assert verify(Path("one"), "--policy", "policies/shop.yaml")[1] == []


def test_excluded_files_are_not_read(tree: Callable[..., Path]) -> None:
    """Values as any other file."""
    values = tree() / "helm" / "values-other.yaml"
    values.parent.mkdir(exist_ok=True)
    values.write_text("url: https://chat.us.example.com/v1\n", encoding="utf-8")
    assert len(verify(Path("out/shop"))[1]) == 1
    settings = 'apiVersion: vsr.dev/verify/v1\nexclude: ["**/values-other.yaml"]\n'
    Path(".vsr-verify.yaml").write_text(settings, encoding="utf-8")
    assert verify(Path("out/shop"))[1] == []
