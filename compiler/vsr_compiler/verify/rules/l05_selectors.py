"""L05: what selects pods finds some, on ports that they have."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Manifest, dig, labels, table, text, texts
from vsr_compiler.verify.manifest_index import ISTIO, Pods, World, selector

_MONITORING = "monitoring.coreos.com"
_GATEWAYS_OWN = "gateway.networking.k8s.io/gateway-name"
_CHOOSERS = {"NetworkPolicy": ("podSelector",), "PodDisruptionBudget": ("selector",), "PodMonitor": ("selector",)}


def rule(world: World) -> Iterator[Diagnostic]:
    """A pool's selector matches pods in its namespace that listen on its ports and are in no other pool; a Service, a
    budget, a NetworkPolicy, an EnvoyFilter and a monitor select something, the last on ports that are there; a
    workload's selector matches its own pods.
    """  # noqa: D205 - the whole of it is what users read
    yield from _pools(world)
    for each in world.of("Service", ""):
        yield from _service(world, each)
    for kind, path in _CHOOSERS.items():
        for each in world.of(kind):
            yield from _chooser(world, each, path[0])
    for each in world.of("ServiceMonitor", _MONITORING):
        yield from _service_monitor(world, each)
    for each in world.of("PodMonitor", _MONITORING):
        yield from _pod_monitor(world, each)
    for each in world.of("EnvoyFilter", ISTIO):
        yield from _proxies(world, each)
    for pods in world.pods:
        own = selector(pods.owner.body, "spec", "selector") if pods.owner.kind != "Job" else {}
        if own and not own.items() <= pods.labels.items():
            message = f"the selector of {pods.owner.title} does not match its own pods"
            yield Diagnostic("VSR405", message, pods.owner.span("spec", "selector"), "Give the pods its labels.")


def _pools(world: World) -> Iterator[Diagnostic]:
    taken: dict[int, Manifest] = {}
    for pool in world.pools:
        chosen = selector(pool.body, "spec", "selector")
        place = pool.span("spec", "selector")
        found = world.selected(pool.namespace, chosen)
        if not found and not world.assumed_pods(pool.namespace, chosen):
            yield Diagnostic("VSR405", f"{pool.title} selects no pods", place, _elsewhere(world, pool, chosen))
        for pods in found:
            other = taken.setdefault(id(pods), pool)
            if other is not pool:
                message = f"the pods of {pods.owner.title} are in {other.title} and in {pool.title}"
                yield Diagnostic("VSR405", message, place, "Give each pool labels that only its own pods bear.")
            yield from _pool_ports(pool, pods)


def _elsewhere(world: World, pool: Manifest, chosen: dict[str, str]) -> str:
    spaces = sorted({p.owner.namespace for p in world.pods if chosen and chosen.items() <= p.labels.items()})
    pairs = ",".join(f"{key}={value}" for key, value in chosen.items())
    assume = f"pass --assume Pod/{pool.namespace}/{pairs} if they exist elsewhere"
    if spaces:
        return f"Such pods are in `{spaces[0]}`, and a pool selects in its own namespace only; or {assume}."
    return f"Mend the labels, or {assume}."


def _pool_ports(pool: Manifest, pods: Pods) -> Iterator[Diagnostic]:
    ports = sorted(set(pods.ports().values()))
    asked = [((*path, "number"), body.get("number")) for path, body in pool.each("spec", "targetPorts")]
    if "targetPortNumber" in pool.spec:
        asked.append((("spec", "targetPortNumber"), pool.spec["targetPortNumber"]))
    for path, number in asked:
        if ports and number not in ports:
            message = f"{pool.title} sends to port {number}, and {pods.owner.title} has none of that number"
            hint = f"Its containers listen on {', '.join(map(str, ports))}."
            yield Diagnostic("VSR405", message, pool.span(*path), hint)


def _service(world: World, each: Manifest) -> Iterator[Diagnostic]:
    chosen = labels(each.spec.get("selector"))
    if not chosen or _GATEWAYS_OWN in chosen:
        return
    found = world.selected(each.namespace, chosen)
    if not found and not world.assumed_pods(each.namespace, chosen):
        hint = "Mend the labels or the namespace, or pass --assume Pod/namespace/key=value."
        message = f"{each.title} selects no pods among these objects"
        yield Diagnostic("VSR405", message, each.span("spec", "selector"), hint, Severity.WARNING)
    for pods in found:
        ports = pods.ports()
        for path, port in each.each("spec", "ports"):
            target = port.get("targetPort", port.get("port"))
            if ports and target not in [*ports, *ports.values()]:
                message = f"{each.title} leads to port {target}, and {pods.owner.title} declares none such"
                # A port that is told by its number works undeclared; a name that is not there leads nowhere.
                level = Severity.ERROR if isinstance(target, str) else Severity.WARNING
                hint = f"It declares {', '.join(f'{name} ({number})' for name, number in ports.items())}."
                yield Diagnostic("VSR405", message, each.span(*path), hint, level)


def _chooser(world: World, each: Manifest, key: str) -> Iterator[Diagnostic]:
    spaces = dig(each.spec, "namespaceSelector")
    chosen = selector(each.body, "spec", key)
    name = chosen.get(_GATEWAYS_OWN, "")
    if not chosen or spaces or (name and any(gateway.name == name for gateway in world.of("Gateway"))):
        return
    if not world.selected(each.namespace, chosen) and not world.assumed_pods(each.namespace, chosen):
        message = f"{each.title} selects no pods among these objects"
        hint = "Mend the labels or the namespace, or pass --assume Pod/namespace/key=value."
        yield Diagnostic("VSR405", message, each.span("spec", key), hint, Severity.WARNING)


def _spaces(each: Manifest) -> frozenset[str] | None:
    """The namespaces that a monitor looks into; None for all."""
    chosen = table(each.spec.get("namespaceSelector"))
    return None if chosen.get("any") is True else frozenset(texts(chosen.get("matchNames")) or [each.namespace])


def _service_monitor(world: World, each: Manifest) -> Iterator[Diagnostic]:
    chosen, spaces = selector(each.body, "spec", "selector"), _spaces(each)
    found = [
        service
        for service in world.of("Service", "")
        if chosen
        and (spaces is None or service.namespace in spaces)
        and chosen.items() <= labels(service.at("metadata", "labels")).items()
    ]
    if chosen and not found and not _assumed_service(world, spaces):
        message = f"{each.title} selects no Service among these objects"
        hint = "Mend the labels or the namespaces: it selects Services by their own labels, not by those of pods."
        yield Diagnostic("VSR405", message, each.span("spec", "selector"), hint, Severity.WARNING)
    names = {text(port.get("name")) for service in found for _, port in service.each("spec", "ports")}
    for path, endpoint in each.each("spec", "endpoints") if found else ():
        wanted = text(endpoint.get("port"))
        if wanted and wanted not in names:
            message = f"{each.title} scrapes the port `{wanted}`, which none of its Services names"
            hint = f"They name {', '.join(sorted(names - {''})) or 'none'}; a monitor takes the name, not the number."
            yield Diagnostic("VSR405", message, each.span(*path, "port"), hint, Severity.WARNING)


def _assumed_service(world: World, spaces: frozenset[str] | None) -> bool:
    return any(kind == "Service" and (spaces is None or ns in spaces) for kind, ns, _ in world.assumed.objects)


def _pod_monitor(world: World, each: Manifest) -> Iterator[Diagnostic]:
    chosen, spaces = selector(each.body, "spec", "selector"), _spaces(each)
    found = [pods for space in spaces or () for pods in world.selected(space, chosen)]
    names = {name for pods in found for name in pods.ports()}
    for path, endpoint in each.each("spec", "podMetricsEndpoints") if found else ():
        wanted = text(endpoint.get("port"))
        if wanted and wanted not in names:
            message = f"{each.title} scrapes the port `{wanted}`, which none of its pods names"
            hint = f"They name {', '.join(sorted(names)) or 'none'}."
            yield Diagnostic("VSR405", message, each.span(*path, "port"), hint, Severity.WARNING)


def _proxies(world: World, each: Manifest) -> Iterator[Diagnostic]:
    """Istio labels the pods of a Gateway by its name; `istio: ingressgateway` is the label of another installation."""
    chosen = labels(dig(each.spec, "workloadSelector", "labels"))
    gateways = [gateway for gateway in world.of("Gateway") if gateway.namespace == each.namespace]
    own = {_GATEWAYS_OWN: chosen.get(_GATEWAYS_OWN, "")}
    if not chosen or not gateways or (chosen == own and any(each_.name == own[_GATEWAYS_OWN] for each_ in gateways)):
        return
    if not world.selected(each.namespace, chosen) and not world.assumed_pods(each.namespace, chosen):
        pairs = ", ".join(f"{key}={value}" for key, value in chosen.items())
        message = f"{each.title} is for pods with {pairs}, which no Gateway's pods and no others here bear"
        hint = f"Use targetRefs, or {_GATEWAYS_OWN}={gateways[0].name}."
        yield Diagnostic("VSR405", message, each.span("spec", "workloadSelector"), hint)
