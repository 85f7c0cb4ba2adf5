"""Links a policy: resolves references, fills in defaults, reports contradictions."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from typing import assert_never

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.link.ask import link_ask
from vsr_compiler.link.cache_store import link_cache_store
from vsr_compiler.link.candidate import link_candidate
from vsr_compiler.link.categories import link_categories
from vsr_compiler.link.classifiers import link_classifiers
from vsr_compiler.link.clusters import with_clusters
from vsr_compiler.link.encoders import link_encoder
from vsr_compiler.link.endpoints import check_servers, link_endpoints
from vsr_compiler.link.environments import Profiles, check_image, link_environments, link_versions
from vsr_compiler.link.expectations import link_assertions
from vsr_compiler.link.gitops import link_gitops
from vsr_compiler.link.guards import link_guards
from vsr_compiler.link.hosts import split
from vsr_compiler.link.identity import link_identity
from vsr_compiler.link.limits import link_limits
from vsr_compiler.link.listeners import link_listeners
from vsr_compiler.link.models import link_models
from vsr_compiler.link.placement import ROUTER_VARIABLES, link_autoscaling, link_placement, link_resources
from vsr_compiler.link.providers import check_keys
from vsr_compiler.link.residency import link_residency
from vsr_compiler.link.rollout import link_rollout
from vsr_compiler.link.routes import Tables, link_default, link_routes
from vsr_compiler.link.scaling import check_replicas
from vsr_compiler.link.scope import Reference, Scope
from vsr_compiler.link.signals import link_signals
from vsr_compiler.link.stickiness import link_stickiness
from vsr_compiler.link.tests import link_tests
from vsr_compiler.syntax import Document
from vsr_compiler.syntax.secrets import secrets
from vsr_schemas.apis import API_NAMES, ApiName
from vsr_schemas.policy import v1alpha1 as schema

ROUTER_NAME = "semantic-router"
GRPC_PORT = 50051
HTTP = {"vsr-runtime": ("http", 8080), "semantic-router": ("metrics", 9190)}
"""Port name and port of the router's second Service, by `router.engine`; as in the stock router's chart."""


def link(document: Document, policy: schema.PolicySpec, profiles: Profiles) -> ir.Policy:
    """Resolve a policy.

    Args:
        document: The text that the policy was read from.
        policy: The policy as the schema has it.
        profiles: The releases that `gateway.versions` can name: profile, project, release.

    Raises:
        CompileError: VSR2xx, all of them at once. Warnings do not raise; the linked policy carries them.
    """
    return _link(Scope(document), policy, profiles)


def references(document: Document, policy: schema.PolicySpec, profiles: Profiles) -> list[Reference]:
    """Return the names that a policy uses, in the order in which they are looked up; arguments as for `link`."""
    scope = Scope(document)
    with suppress(CompileError):
        _link(scope, policy, profiles)
    return list(scope.references)


def _link(scope: Scope, policy: schema.PolicySpec, profiles: Profiles) -> ir.Policy:
    document = scope.document
    sha256 = fingerprint(policy)
    gitops = link_gitops(scope, policy.gitops)
    check_replicas(scope, policy)
    policy = with_clusters(scope, policy)
    identity = link_identity(scope, policy.identity)
    endpoints = link_endpoints(scope, policy)
    models = link_models(scope, policy, endpoints, identity)
    encoder = link_encoder(scope, policy)
    classifiers = link_classifiers(scope, policy, encoder)
    tables = Tables(models, link_categories(scope, policy), link_signals(scope, policy, classifiers, identity, encoder))
    ask = link_ask(scope, policy.ask)
    guards = link_guards(scope, policy, models, classifiers)
    routes = link_routes(scope, policy, tables)
    default, default_route = link_default(scope, policy, models)
    stickiness = link_stickiness(scope, policy, models, routes, default, identity)
    tests = link_tests(scope, policy, models, tables.categories, guards, identity)
    limits = link_limits(scope, policy, models, routes, identity)
    assertions = link_assertions(scope, policy, tables, guards, identity)
    listeners = link_listeners(scope, policy)
    linked_environments = link_environments(scope, policy, profiles, {} if gitops is None else gitops.clusters)
    environments, hosts = split(linked_environments)
    residency = link_residency(scope, policy)
    versions = link_versions(scope, policy.gateway.versions, ("gateway", "versions"), profiles)
    router = _router(scope, policy.router)
    _auto_names(scope, policy, models)
    check_keys(scope, policy, models)
    if policy.router.image is not None:
        check_image(scope, policy.router.image, ("router", "image"))
    scope.diagnostics |= dict.fromkeys(secrets(document).values())
    if not scope.problems:
        check_servers(scope, policy)
    if scope.problems or default is None:
        raise CompileError(scope.found)
    return ir.Policy(
        name=policy.metadata.name,
        sha256=sha256,
        router=replace(router, encoder=encoder),
        gateway=_gateway(scope, policy.gateway, listeners),
        endpoints=tuple(endpoints.values()),
        models=tuple(models.values()),
        classifier=next((one for one in classifiers.values() if one.task == "category"), None),
        categories=tuple(tables.categories.values()),
        routes=routes,
        default=default,
        tests=tests,
        environments=environments,
        hosts=hosts,
        span=document.root.span,
        classifiers=tuple(classifiers.values()),
        signals=tuple(tables.signals.values()),
        ask=ask,
        guards=tuple(guards.values()),
        assertions=assertions,
        gitops=gitops,
        versions=versions,
        warnings=scope.warnings,
        default_route=default_route,
        stickiness=stickiness,
        apis=_apis(scope, policy),
        identity=identity,
        limits=limits,
        residency=residency,
        attachment=next((one.attachment for one in environments if one.attachment is not None), None),
    )


def fingerprint(policy: schema.PolicySpec) -> str:
    """Return the sha256 of the policy's content, independent of comments and of the order of maps.

    Only what is written counts, so a field that is added to the language changes no policy without it.
    """
    written = policy.model_dump(mode="json", by_alias=True, exclude_unset=True)
    canonical = json.dumps(written, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _apis(scope: Scope, policy: schema.PolicySpec) -> tuple[ApiName, ...]:
    """Return the open APIs in their usual order."""
    names = policy.apis or []
    for index, name in enumerate(names):
        if name in names[:index]:
            scope.report("VSR205", f"duplicate entry `{name}`", ("apis", index), "Remove one.")
    return tuple(name for name in API_NAMES if name in names)


def _gateway(scope: Scope, spec: schema.GatewaySpec, listeners: tuple[ir.Listener, ...]) -> ir.Gateway:
    span = scope.span("gateway", key=True)
    return ir.Gateway(
        spec.name, spec.namespace, spec.timeout, span, listeners, _cors(scope, spec.cors), spec.redis or ""
    )


def _cors(scope: Scope, spec: schema.CorsSpec | None) -> ir.Cors | None:
    if spec is None:
        return None
    return ir.Cors(
        tuple(sorted(set(spec.allow_origins))),
        tuple(spec.allow_headers),
        tuple(spec.expose_headers),
        spec.allow_credentials,
        spec.max_age // 1000,
        scope.span("gateway", "cors", key=True),
    )


def _router(scope: Scope, spec: schema.RouterSpec) -> ir.Router:
    name, port = HTTP[spec.engine]
    return ir.Router(
        image=spec.image or "",
        replicas=spec.replicas,
        auto_models=tuple(spec.auto_models),
        deadline=spec.deadline,
        max_body=spec.max_body,
        grpc=ir.ServiceRef(ROUTER_NAME, spec.namespace, GRPC_PORT),
        http=ir.ServiceRef(f"{ROUTER_NAME}-{name}", spec.namespace, port),
        span=scope.span("router", key=True),
        implementation=_implementation(spec),
        gpus=spec.gpus,
        weights=None if spec.weights is None else spec.weights.pvc,
        token_secret=(spec.weights or schema.WeightsSpec()).token,
        on_failure=spec.on_failure,
        response_headers=spec.response_headers,
        access_log_metadata=spec.access_log_metadata,
        overflow=spec.overflow,
        reload=spec.reload,
        rollout=link_rollout(scope, spec.rollout, ("router", "rollout")),
        resources=link_resources(scope, spec.resources, ("router", "resources")),
        placement=link_placement(scope, spec, ("router",), ROUTER_VARIABLES),
        autoscaling=link_autoscaling(scope, spec.autoscaling, ("router", "autoscaling"), spec.replicas),
        cache=link_cache_store(scope, spec.cache),
        candidate=link_candidate(scope, spec.candidate, ("router", "candidate")),
    )


def _implementation(spec: schema.RouterSpec) -> ir.RouterImplementation:
    match spec.engine:
        case "vsr-runtime":
            return ir.VsrRuntime()
        case "semantic-router":
            return ir.SemanticRouter(unguarded=spec.unguarded is not None)
    assert_never(spec.engine)


def _auto_names(scope: Scope, policy: schema.PolicySpec, models: dict[str, ir.Model]) -> None:
    """Check that auto-model names are unique and no names of models."""
    seen: set[str] = set()
    for index, name in enumerate(policy.router.auto_models):
        path = ("router", "autoModels", index)
        if name in models:
            hint = "Rename the model, or remove the name from `router.autoModels`."
            message = f"model `{name}` has the name of an auto-model"
            scope.report("VSR204", message, ("models", name), hint, key=True)
        if name in seen:
            scope.report("VSR205", f"duplicate entry `{name}`", path, "Remove one.")
        seen.add(name)
