"""``router/``: the stock router's config and our runtime's settings, one per policy, whatever the target."""

from __future__ import annotations

from compiler.link import ir
from schemas import runtime as settings
from schemas.routerconfig import v0_4_0 as stock

CONFIG, SETTINGS = "config.yaml", "runtime.yaml"
"""File names in ``router/``. Heads are called ``<classifier>.safetensors``."""


def router_config(policy: ir.Policy) -> stock.RouterConfig:
    """The policy in the stock router's contract."""
    decisions = [_decision(route, len(policy.routes) - rank) for rank, route in enumerate(policy.routes)]
    return stock.RouterConfig.model_validate(
        {
            "providers": stock.Providers(
                defaults=stock.ProviderDefaults(model=policy.default.name),
                models=[_provider_model(model) for model in policy.models],
            ),
            "routing": stock.Routing(
                modelCards=[
                    stock.ModelCard(name=model.name, context_window_size=model.context) for model in policy.models
                ],
                signals=stock.Signals(domains=[_domain(category) for category in policy.categories]),
                decisions=decisions,
            ),
            "global": stock.Global(router=stock.RouterGlobal(auto_model_names=list(policy.router.auto_models))),
        }
    )


def runtime_settings(policy: ir.Policy, heads: dict[str, settings.Classifier]) -> settings.Runtime:
    """What the stock contract has no word for."""
    router = policy.router
    return settings.Runtime(
        apiVersion="vsr.dev/v1alpha1",
        kind="RuntimeSettings",
        policy=policy.name,
        deadline=router.deadline,
        limits=settings.Limits(maxBody=router.max_body, maxMessage=router.max_message),
        classifiers=heads,
    )


def _provider_model(model: ir.Model) -> stock.ProviderModel:
    refs = [
        stock.BackendRef(
            name=endpoint.service.name, endpoint=endpoint.service.authority, weight=weight, provider="vllm"
        )
        for endpoint, weight in model.endpoints
    ]
    return stock.ProviderModel(name=model.name, backend_refs=refs)


def _domain(category: ir.Category) -> stock.Domain:
    mmlu = [category.name] if category.name in stock.MMLU_CATEGORIES else None
    return stock.Domain(name=category.name, description=category.description, mmlu_categories=mmlu)


def _decision(route: ir.Route, priority: int) -> stock.Decision:
    rules = _rules(route.when)
    if isinstance(rules, stock.Leaf):
        rules = stock.Node(operator="AND", conditions=[rules])
    return stock.Decision(
        name=route.name,
        description=f"Route {route.name} to {route.model.name}",
        priority=priority,
        rules=rules,
        modelRefs=[stock.ModelRef(model=route.model.name)],
    )


def _rules(condition: ir.Condition) -> stock.Node | stock.Leaf:
    match condition:
        case ir.InCategory(category):
            return stock.Leaf(type="domain", name=category.name)
        case ir.Not(part):
            return stock.Node(operator="NOT", conditions=[_rules(part)])
        case ir.All(parts):
            return stock.Node(operator="AND", conditions=[_rules(part) for part in parts])
        case ir.Any(parts):
            return stock.Node(operator="OR", conditions=[_rules(part) for part in parts])
