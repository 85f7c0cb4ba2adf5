"""L04: model names that router, routes and servers do not share."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.foreign_routes import foreign_routes, may_match_others
from vsr_compiler.verify.header_matches import header_matches
from vsr_compiler.verify.manifest import Manifest, Path, as_mapping, as_string, value_at
from vsr_compiler.verify.manifest_index import AI, ENVOY, POOL_GROUPS, ManifestIndex, Workload, label_selector
from vsr_compiler.verify.pickers import served_names
from vsr_compiler.verify.router_config import router_configs
from vsr_compiler.verify.rules.rule import LinkRule
from vsr_compiler.verify.stack_router import servers_behind
from vsr_schemas.headers import AI_MODEL, SELECTED_MODEL

RoutesByModel = dict[str, list[tuple[Manifest, Path, Path]]]
"""Routes by the model that they match, each with the path of the value and of the rule."""


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    routes: RoutesByModel = {}
    matches = header_matches(index)
    # AI Gateway matches the model of the request body, which is the name that the server receives.
    sent = {(id(match.route), match.rule): match.value for match in matches if match.name == AI_MODEL}
    selecting = {(id(match.route), match.rule) for match in matches if match.name == SELECTED_MODEL}
    for match in matches:
        by_body = match.route.kind == "AIGatewayRoute" and (id(match.route), match.rule) not in selecting
        if match.name == (AI_MODEL if by_body else SELECTED_MODEL):
            routes.setdefault(match.value, []).append((match.route, match.path, match.rule))
    yield from _with_routes_of_others(index)
    if not routes:
        return
    yield from _selectable(index, routes)
    for model, matching in routes.items():
        for route, path, rule in matching:
            yield from _served(index, route, rule, sent.get((id(route), rule), model), path)
    yield from _unreachable_servers(index)


def _selectable(index: ManifestIndex, routes: RoutesByModel) -> Iterator[Diagnostic]:
    configs = [config for config in router_configs(index) if config.routing is None]
    selectable = {model for config in configs for model in config.routable_models}
    for config in configs:
        for model in sorted(config.models - set(routes)):
            message = f"the router can select `{model}`, but no route matches it: such requests get 404"
            hint = f"Add a route for it, or remove it. Routes exist for {', '.join(sorted(routes))}."
            yield Diagnostic("VSR404", message, config.source.span(*config.path), hint)
    for model, matching in routes.items():
        if configs and model not in selectable:
            for route, path, _ in matching:
                message = f"{route.title} matches the model `{model}`, which the router never selects"
                hint = f"Use a model that the router selects: {', '.join(sorted(selectable))}."
                yield Diagnostic("VSR404", message, route.span(*path), hint, Severity.WARNING)


def _with_routes_of_others(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Check that each name that a router writes for routes of others has one, and note routes that none leads to."""
    for config in router_configs(index):
        routing = config.routing
        if routing is None:
            continue
        known = foreign_routes(index, routing.header)
        span = config.source.span(*config.path)
        if not known:
            message = f"no route among these objects matches `{routing.header}`, by which the router selects models"
            hint = "Check the manifests of those who own the routes together with these."
            yield Diagnostic("VSR404", message, span, hint, Severity.NOTE)
            continue
        reached = {route.value for route in known if not route.elsewhere}
        level = Severity.WARNING if may_match_others(index, routing.header) else Severity.ERROR
        for model, value in sorted(routing.values.items()):
            if value not in reached:
                message = f"the router can select `{model}`, but no route matches `{routing.header}: {value}`"
                other = next((route.source.title for route in known if route.value == value), None)
                cause = f": {other} attaches to another Gateway" if other else ""
                yield Diagnostic("VSR404", message + cause, span, _hint_of_others(reached), level)
        for route in known:
            if route.value not in routing.values.values():
                message = f"{route.source.title} serves `{route.value}`, which the router never selects"
                yield Diagnostic("VSR404", message, route.source.span(*route.path), "", Severity.NOTE)


def _hint_of_others(values: set[str]) -> str:
    listed = f"Routes exist for {', '.join(sorted(values))}. " if values else ""
    return f"{listed}Fix the endpoint's `route` in the policy, or add the route."


def _served(index: ManifestIndex, route: Manifest, rule: Path, model: str, path: Path) -> Iterator[Diagnostic]:
    for _, ref in route.entries(*rule, "backendRefs"):
        requested = as_string(ref.get("modelNameOverride")) or model
        for workload in _workloads_of_ref(index, route, ref):
            servers = servers_behind(index, workload)
            names = {name for server in servers or [workload] for name in _names(server)}
            if servers is not None and not all(map(_names, servers)):
                continue  # A server without the flag serves the name of its model.
            if names and requested not in names:
                message = f"{route.title} sends `{requested}` to {workload.owner.title}, which does not serve that name"
                hint = f"Add the name to --served-model-name, or fix the route. Served: {', '.join(sorted(names))}."
                yield Diagnostic("VSR404", message, route.span(*path), hint)


def _unreachable_servers(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Report model servers without a route, unless a route refers to a backend that is not among the objects."""
    servers = [
        workload
        for workload in index.workloads
        if any(served_names(container) for _, container in workload.containers())
    ]
    if not servers:
        return
    refs = [(route, ref) for route in index.routes for _, ref in index.backend_refs(route)]
    reached = {id(workload) for route, ref in refs for workload in _workloads_behind(index, route, ref)}
    if not reached:
        return
    for workload in servers:
        names = sorted(name for _, container in workload.containers() for name in served_names(container))
        if id(workload) not in reached:
            message = f"{workload.owner.title} serves {', '.join(names[:3])}, but no route leads to it"
            hint = "Add a route to its Service or pool, or remove the server."
            yield Diagnostic("VSR404", message, workload.owner.span("metadata", "name"), hint, Severity.WARNING)


def _names(workload: Workload) -> set[str]:
    """Return the model names that a workload serves."""
    return {name for _, container in workload.containers() for name in served_names(container)}


def _workloads_behind(index: ManifestIndex, route: Manifest, ref: dict[str, object]) -> Iterator[Workload]:
    """Yield the workloads behind a backendRef, and those behind routers among them."""
    for workload in _workloads_of_ref(index, route, ref):
        yield workload
        yield from servers_behind(index, workload) or ()


def _workloads_of_ref(index: ManifestIndex, route: Manifest, ref: dict[str, object]) -> list[Workload]:
    """Return the workloads behind a backendRef to a Service, pool, Backend or AIServiceBackend."""
    namespace, name = as_string(ref.get("namespace")) or route.namespace, as_string(ref.get("name"))
    kind = as_string(ref.get("kind")) or ("AIServiceBackend" if route.kind == "AIGatewayRoute" else "Service")
    if kind == "AIServiceBackend":
        ai_backend = index.find(AI, kind, namespace, name)
        target = as_mapping(ai_backend.at("spec", "backendRef")) if ai_backend else {}
        kind, name = "Backend", as_string(target.get("name"))
        namespace = as_string(target.get("namespace")) or namespace
    if kind == "Service":
        return _workloads_of_service(index, namespace, name)
    if kind == "Backend":
        backend = index.find(ENVOY, kind, namespace, name)
        endpoints = backend.entries("spec", "endpoints") if backend else ()
        hosts = [as_string(value_at(body, "fqdn", "hostname")) for _, body in endpoints]
        services = [index.service_of_host(host, namespace) for host in hosts if host]
        return [
            workload
            for service in services
            if service
            for workload in _workloads_of_service(index, service[1], service[0])
        ]
    pools = (index.find(group, "InferencePool", namespace, name) for group in POOL_GROUPS)
    pool = next((pool for pool in pools if pool), None) if kind == "InferencePool" else None
    return index.selected_workloads(namespace, label_selector(pool.body, "spec", "selector")) if pool else []


def _workloads_of_service(index: ManifestIndex, namespace: str, name: str) -> list[Workload]:
    service = index.service(namespace, name)
    return index.selected_workloads(namespace, label_selector(service.body, "spec", "selector")) if service else []


RULE = LinkRule(
    name="L04",
    code="VSR404",
    purpose="Every model that the router can select has a route, every route matches a model that the router can "
    "select, the server behind a route serves that name, and every model server has a route. The routes may be those "
    "of others, which match the header in the router's settings; KServe creates them for an LLMInferenceService.",
    check=_check,
)
