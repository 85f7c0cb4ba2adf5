"""``router/config.yaml`` for the stock router: signals computed by its own models, and guards as decisions.

The stock router has no blocking action, so a guard is a decision with a fixed response, in front of all routes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel

from vsr_compiler import ir
from vsr_compiler.ir.signals import JailbreakSignal, KeywordSignal, PiiSignal
from vsr_compiler.releases.semantic_router import STOCK_ROUTER, StockRouter
from vsr_compiler.routerconfig import signals
from vsr_compiler.routerconfig.contract_0_3_0 import older_config
from vsr_compiler.routerconfig.models import cards, model_ref, provider_model
from vsr_compiler.routerconfig.plugins import plugins
from vsr_compiler.routerconfig.signals import Rule
from vsr_schemas.routerconfig import engine_0_4_0 as stock
from vsr_schemas.routerconfig import v0_4_0 as common

MEBI = 2**20
CONTRACTS: Mapping[str, Callable[[stock.RouterConfig], BaseModel]] = {
    "0.3.0": older_config,
    "0.4.0": lambda config: config,
}
"""The config in the words of a contract."""


def stock_body(policy: ir.Policy) -> dict[str, Any]:
    """Return the content of ``config.yaml`` in the words of the policy's release."""
    release = STOCK_ROUTER[policy.versions["semantic-router"]]
    return CONTRACTS[release.contract](stock_config(policy)).model_dump(mode="json", by_alias=True, exclude_none=True)


def stock_config(policy: ir.Policy) -> stock.RouterConfig:
    """Return the policy in the newest contract, with extensions that only the stock router executes."""
    release = STOCK_ROUTER[policy.versions["semantic-router"]]
    bases = [model for model in policy.models if model.base is None]
    routes = (*policy.routes, *([policy.default_route] if policy.default_route else []))
    ranked = len(policy.guards) + len(routes)
    decisions = [_guard(policy, guard) for guard in ordered_guards(policy)]
    decisions += [_decision(route) for route in routes]
    for rank, decision in enumerate(decisions):
        decisions[rank] = decision.model_copy(update={"priority": ranked - rank})
    return stock.RouterConfig.model_validate(
        {
            "providers": stock.Providers(
                defaults=common.ProviderDefaults(model=policy.default.name),
                models=[_provider_model(model) for model in bases],
            ),
            "routing": stock.Routing(
                modelCards=cards(policy, bases),
                signals=_signals(policy, release),
                decisions=decisions,
            ),
            "global": stock.Global(
                router=common.RouterGlobal(auto_model_names=list(policy.router.auto_models)),
                integrations=stock.Integrations(
                    looper=stock.Looper(grpc_max_msg_size_mb=-(-policy.router.max_message // MEBI))
                ),
                model_catalog=_catalog(policy, release),
            ),
        }
    )


def ordered_guards(policy: ir.Policy) -> list[ir.Guard]:
    """Return guards in the order of evaluation: those that block come first."""
    return sorted(policy.guards, key=lambda guard: (not isinstance(guard.action, ir.Block), guard.name))


def guard_name(guard: ir.Guard) -> str:
    """Return the name of a guard's decision and signals."""
    return f"guard/{guard.name}"


def key_variable(endpoint: ir.Endpoint) -> str:
    """Return the environment variable with a provider's API key."""
    return f"PROVIDER_{endpoint.object_name.replace('-', '_').upper()}_API_KEY"


def is_domain(category: ir.Category) -> bool:
    """Return whether the stock classifier knows the category. Others are matched by similarity to their examples."""
    return category.name in common.MMLU_CATEGORIES


def _provider_model(model: ir.Model) -> stock.ProviderModel:
    """Return a model as for our runtime, with the variable of the API key, which the stock router adds itself."""
    body = provider_model(model).model_dump()
    for ref, (endpoint, _) in zip(body["backend_refs"], model.endpoints, strict=True):
        if endpoint.api_key is not None:
            ref["api_key_env"] = key_variable(endpoint)
    return stock.ProviderModel.model_validate(body)


def _signals(policy: ir.Policy, release: StockRouter) -> common.Signals:
    rules_by_collection: dict[str, list[Rule]] = {}
    own = signals.collected(policy, lambda name, body: _pii(name, body.types, body.threshold))
    own_rules = ((collection, rule) for collection, rules in own.items() for rule in rules)
    for collection, rule in (*_categories(policy, release), *own_rules, *_guarded(policy)):
        rules_by_collection.setdefault(collection, []).append(rule)
    domains = [signals.domain(category) for category in policy.categories if is_domain(category)]
    return common.Signals.model_validate({"domains": domains, **rules_by_collection})


def _categories(policy: ir.Policy, release: StockRouter) -> Iterator[tuple[str, Rule]]:
    classifier = policy.classifier
    threshold = classifier.threshold if classifier else None
    for category in policy.categories:
        if not is_domain(category):
            yield (
                "embeddings",
                common.EmbeddingRule(
                    name=category.name,
                    threshold=release.similarity if threshold is None else threshold,
                    candidates=list(category.examples),
                    aggregation_method="max",
                ),
            )


def _guarded(policy: ir.Policy) -> Iterator[tuple[str, Rule]]:
    """Yield the signals of guards: the detection, and the maximum length of the input."""
    for guard in ordered_guards(policy):
        name = guard_name(guard)
        if guard.types:
            yield "pii", _pii(name, guard.types, guard.threshold)
        elif guard.patterns:
            words = KeywordSignal(guard.patterns, "any", regex=True, case_sensitive=True)
            yield signals.signal_rule(ir.Signal(name, words, guard.span))
        else:
            yield "jailbreak", common.JailbreakRule(name=name, threshold=guard.threshold, include_history=True)
        yield "context", common.ContextRule(name=name, min_tokens=str(guard.max_tokens + 1))


def _pii(name: str, types: tuple[str, ...], threshold: float) -> common.PiiRule:
    """Return the rule of a PII signal. The format lists allowed types; every other one matches."""
    allowed = [pii_type for pii_type in stock.PII_TYPES if pii_type not in types]
    return common.PiiRule(name=name, threshold=threshold, pii_types_allowed=allowed, include_history=True)


def _guard(policy: ir.Policy, guard: ir.Guard) -> stock.Decision:
    """Return the decision of a guard. Matches, too long inputs and failed detections do not reach the routes."""
    name = guard_name(guard)
    kind = "pii" if guard.types else "keyword" if guard.patterns else "jailbreak"
    leaves = [{"type": kind, "name": name}, {"type": "context", "name": name}]
    unknown = "match" if guard.on_error == "block" else "no_match"
    rules = stock.RuleNode.model_validate({"operator": "OR", "conditions": leaves, "on_unknown": unknown})
    if isinstance(guard.action, ir.RouteTo):
        route = ir.Route(name, ir.ALWAYS, ((guard.action.model, 100),), guard.span)
        what = f"send what it finds to {guard.action.model.name}"
    else:
        route = ir.Route(name, ir.ALWAYS, (), guard.span, respond=f"This request is refused by the guard {guard.name}.")
        what = "refuse what it finds"
    return stock.Decision(
        name=name,
        description=f"Guard {guard.name} of {policy.name}: {what}",
        priority=0,
        rules=rules,
        modelRefs=[model_ref(route, model) for model, _ in route.models],
        plugins=plugins(route) or None,
    )


def _decision(route: ir.Route) -> stock.Decision:
    target = " or ".join(model.name for model, _ in route.models) or "a fixed answer"
    return stock.Decision(
        name=route.name,
        description=f"Route {route.name} to {target}",
        priority=0,
        rules=stock.RuleNode.model_validate(signals.rules(route.when, _kind)),
        modelRefs=[model_ref(route, model) for model, _ in route.models],
        plugins=plugins(route) or None,
    )


def _kind(category: ir.Category) -> str:
    return "domain" if is_domain(category) else "embedding"


def _catalog(policy: ir.Policy, release: StockRouter) -> stock.ModelCatalog | None:
    """Return the detectors in use, each with the lowest threshold that the policy sets; None without any."""
    attacks = [guard for guard in policy.guards if guard.detector and not guard.types]
    data = [guard for guard in policy.guards if guard.types]
    attack_thresholds = [guard.threshold for guard in attacks]
    data_thresholds = [guard.threshold for guard in data]
    for signal in policy.signals:
        if isinstance(signal.kind, JailbreakSignal):
            attack_thresholds.append(signal.kind.threshold)
        elif isinstance(signal.kind, PiiSignal):
            data_thresholds.append(signal.kind.threshold)
    folders = {task: _folder(policy, task, release) for task in ("jailbreak", "pii", "category")}
    threshold = policy.classifier.threshold if policy.classifier else None
    modules = stock.Modules(
        prompt_guard=stock.PromptGuard(
            threshold=min(attack_thresholds),
            jailbreak_mapping_path=_mapping(folders["jailbreak"], "jailbreak_type"),
            on_error=_on_error(attacks),
        )
        if attack_thresholds
        else None,
        classifier=stock.ClassifierModules(
            domain=stock.DomainModule(
                threshold=0.5 if threshold is None else threshold,
                category_mapping_path=_mapping(folders["category"], "category"),
            )
            if threshold is not None or folders["category"]
            else None,
            pii=stock.PiiModule(
                threshold=min(data_thresholds),
                pii_mapping_path=_mapping(folders["pii"], "pii_type"),
                on_error=_on_error(data),
            )
            if data_thresholds
            else None,
        ),
    )
    if not attack_thresholds and not data_thresholds and modules.classifier == stock.ClassifierModules():
        return None
    system = stock.SystemModels(
        prompt_guard=folders["jailbreak"], domain_classifier=folders["category"], pii_classifier=folders["pii"]
    )
    return stock.ModelCatalog(system=system, modules=modules)


def _folder(policy: ir.Policy, task: str, release: StockRouter) -> str | None:
    """Return the folder of the checkpoint for a task; None for the default."""
    named = (item.checkpoint for item in policy.classifiers if item.task == task and item.checkpoint)
    return next((release.registry[repo] for repo, _ in named), None)


def _mapping(folder: str | None, what: str) -> str | None:
    return None if folder is None else f"{folder}/{what}_mapping.json"


def _on_error(guards: list[ir.Guard]) -> Literal["allow", "block"]:
    """Return the error mode of a detector, which fails closed if one guard requires it."""
    return "block" if any(guard.on_error == "block" for guard in guards) else "allow"
