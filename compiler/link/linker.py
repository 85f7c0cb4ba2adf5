"""The schema's policy to the linked one: references resolved, defaults filled in, contradictions refused."""

from __future__ import annotations

import hashlib
import json

from compiler.diagnostics import CompileError
from compiler.link import ir
from compiler.link.models import check_servers, link_endpoints, link_models
from compiler.link.routes import link_routes
from compiler.link.scope import Scope
from compiler.link.tests import link_tests
from compiler.source import Document
from schemas import policy as nouns

ROUTER_NAME = "semantic-router"
OTHER = "other"
"""The category of what is like none of the rest: it is below every other's threshold."""
GRPC_PORT, HTTP_PORT = 50051, 8080


def link(document: Document, policy: nouns.Policy) -> ir.Policy:
    """Resolve a policy.

    Raises:
        CompileError: VSR2xx, all of them at once.
    """
    scope = Scope(document)
    endpoints = link_endpoints(scope, policy)
    models = link_models(scope, policy, endpoints)
    categories = {
        name: ir.Category(
            name, " ".join(noun.description.split()), tuple(noun.examples), scope.span("categories", name, key=True)
        )
        for name, noun in sorted(policy.categories.items())
    }
    routes = link_routes(scope, policy, models, categories)
    classifier = _classifier(scope, policy)
    default = scope.resolve(models, policy.default, "model", ("default",))
    _auto_names(scope, policy)
    tests = link_tests(scope, policy, models, categories)
    if not scope.problems:
        check_servers(scope, policy)
    if scope.problems or default is None:
        raise CompileError(scope.problems)
    return ir.Policy(
        name=policy.metadata.name,
        sha256=fingerprint(policy),
        router=_router(scope, policy.router),
        gateway=ir.Gateway(
            policy.gateway.name, policy.gateway.namespace, policy.gateway.timeout, scope.span("gateway", key=True)
        ),
        endpoints=tuple(endpoints.values()),
        models=tuple(models.values()),
        classifier=classifier,
        categories=tuple(categories.values()),
        routes=routes,
        default=default,
        tests=tests,
        environments=tuple(
            ir.Environment(name, noun.target, scope.span("environments", name, key=True))
            for name, noun in sorted(policy.environments.items())
        ),
        span=document.root.span,
    )


def fingerprint(policy: nouns.Policy) -> str:
    """The sha256 of what the policy says, whatever its comments and the order of its maps."""
    canonical = json.dumps(policy.model_dump(mode="json", by_alias=True), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _router(scope: Scope, noun: nouns.Router) -> ir.Router:
    return ir.Router(
        image=noun.image,
        replicas=noun.replicas,
        auto_models=tuple(noun.auto_models),
        deadline=noun.deadline,
        max_body=noun.max_body,
        grpc=ir.ServiceRef(ROUTER_NAME, noun.namespace, GRPC_PORT),
        http=ir.ServiceRef(f"{ROUTER_NAME}-http", noun.namespace, HTTP_PORT),
        span=scope.span("router", key=True),
    )


def _classifier(scope: Scope, policy: nouns.Policy) -> ir.Classifier | None:
    """The one classifier of categories; a default one where there are categories and none is named."""
    if not policy.categories:
        for name in policy.classifiers:
            hint = "Add categories, or remove the classifier."
            message = f"the classifier `{name}` has no categories to tell apart"
            scope.report("VSR202", message, ("classifiers", name), hint, key=True)
        return None
    if set(policy.categories) == {OTHER}:
        hint = "Add a category that it is none of."
        scope.report("VSR212", f"`{OTHER}` is the only category", ("categories", OTHER), hint, key=True)
        return None
    if not policy.classifiers:
        noun, name = nouns.Classifier(task="category"), "domain"
        return ir.Classifier(name, noun.encoder, noun.precision, noun.threshold, scope.span("categories", key=True))
    name, *others = sorted(policy.classifiers)
    for other in others:
        hint = f"`{name}` does it already; keep one of them."
        scope.report(
            "VSR203", f"`{other}` is a second classifier of categories", ("classifiers", other), hint, key=True
        )
    noun = policy.classifiers[name]
    return ir.Classifier(name, noun.encoder, noun.precision, noun.threshold, scope.span("classifiers", name, key=True))


def _auto_names(scope: Scope, policy: nouns.Policy) -> None:
    """A name that lets the router choose cannot be a model's as well, nor stand there twice."""
    seen: set[str] = set()
    for index, name in enumerate(policy.router.auto_models):
        path = ("router", "autoModels", index)
        if name in policy.models:
            hint = "Rename one of the two: a client could not tell which it asks for."
            message = f"`{name}` is a model and a name by which the router chooses"
            scope.report("VSR204", message, ("models", name), hint, key=True)
        if name in seen:
            scope.report("VSR205", f"`{name}` stands here twice", path, "Keep it once.")
        seen.add(name)
