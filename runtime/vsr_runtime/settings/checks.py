"""Checks that the files of a policy can be served together, and builds its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from vsr_runtime.decision.identity.rules import digest_of
from vsr_runtime.decision.program.build import ModelBindings, build
from vsr_runtime.decision.program.build_ask import with_ask
from vsr_runtime.decision.program.build_domains import meaningless
from vsr_runtime.decision.program.build_facts import fact_signals
from vsr_runtime.decision.program.build_fallback import with_fallbacks
from vsr_runtime.decision.program.build_identity import client_signals, role_signals, with_identity
from vsr_runtime.decision.program.build_labels import label_signals
from vsr_runtime.decision.program.build_limits import with_cors, with_limits
from vsr_runtime.decision.program.build_limits_of_use import with_rates
from vsr_runtime.decision.program.build_routing import with_routing
from vsr_runtime.decision.program.build_sentences import SHIPPED, scoring_of
from vsr_runtime.decision.program.build_stickiness import with_stickiness
from vsr_runtime.decision.program.build_unknown import check_unknown
from vsr_runtime.decision.program.conditions import CATEGORIES, SIMILARITIES
from vsr_runtime.decision.program.effects import ProviderCredentials
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.program.recipes import profiles, with_recipes
from vsr_runtime.decision.signals.model_signals import BEST
from vsr_runtime.errors import UserError
from vsr_runtime.settings.model import Settings, SettingsSource
from vsr_schemas.routerconfig.v0_4_0 import RouterConfig
from vsr_schemas.runtime import CacheSettings, ClassifierSettings, RuntimeSettings

MARGIN_SHARE = 10
MIN_MARGIN = 20


def check_settings(
    router: RouterConfig,
    runtime: RuntimeSettings,
    folder: Path,
    credentials: Mapping[str, ProviderCredentials],
    clients: Mapping[str, bytes] | None = None,
    workers: int = 1,
) -> Settings:
    """Check that both files can be served together. The compiler calls this, too, so that it writes nothing else.

    Args:
        router: the content of config.yaml.
        runtime: the content of runtime.yaml.
        folder: their folder.
        credentials: the credentials of providers, by model.
        clients: the digests of clients' keys, by file; None for placeholders.
        workers: the number of processes that share what this replica allows of limits.

    Raises:
        UserError: the files are inconsistent, or a value in them cannot be used.
    """
    classifier, similarity = (classifier_of(runtime.classifiers, task) for task in ("category", "likeness"))
    labels = frozenset(classifier.labels) if classifier else frozenset[str]()
    labels |= meaningless(classifier, router).keys()
    fallback = classifier.fallback if classifier else None
    if clients is None:
        clients = {key.file: digest_of(key.file) for key in (runtime.identity and runtime.identity.keys) or ()}
    if runtime.limits.maxMessage <= runtime.limits.maxBody:
        raise UserError(
            "runtime.yaml: limits.maxMessage: must exceed limits.maxBody, because a message carries the body"
        )
    bindings = _bindings(runtime, similarity, router)

    def program_of(config: RouterConfig) -> Program:
        own = _own_bindings(bindings, config) if router.recipes else bindings
        if roles := role_signals(config, runtime.identity):
            own = replace(own, clients={**own.clients, **roles})
        built = build(config, labels, fallback, runtime.splits, credentials, runtime.guards, _detectors(runtime), own)
        check_unknown(config, built, default_on_failure=runtime.onFailure is not None)
        limited = with_limits(built, runtime.limits, runtime.apis)
        limited = replace(limited, overflow=runtime.overflow or "route")
        limited = with_fallbacks(limited, runtime.fallbacks, config)
        limited = with_routing(limited, runtime.routing)
        limited = with_identity(limited, runtime.identity, clients)
        limited = with_rates(limited, runtime.rates, workers)
        return with_stickiness(with_ask(with_cors(limited, runtime.cors), runtime.ask), runtime.stickiness)

    if router.recipes or router.entrypoints:
        _check_recipes(runtime)
        main, recipes = profiles(router)
        program = with_recipes(program_of(main), {name: program_of(config) for name, config in recipes.items()})
    else:
        program = program_of(router)
    return Settings(
        folder=folder,
        program=program,
        limits=runtime.limits,
        decision_timeout=decision_timeout(runtime.deadline),
        classifier=classifier if CATEGORIES & program.needs else None,
        engine=_for_the_engine(runtime.classifiers),
        classifiers=runtime.classifiers,
        default_on_failure=runtime.onFailure is not None,
        debug_headers=runtime.responseHeaders,
        access_log_metadata=runtime.accessLogMetadata is not None,
        cache=_cache(program, runtime),
        similarity_classifier=similarity if SIMILARITIES & program.needs else None,
        source=SettingsSource(folder, router, runtime, credentials, clients),
    )


def _bindings(runtime: RuntimeSettings, similarity: ClassifierSettings | None, router: RouterConfig) -> ModelBindings:
    """Return the models that signals use."""
    return ModelBindings(
        frozenset(similarity.labels if similarity else ()),
        (runtime.detectors and runtime.detectors.jailbreak) or {},
        (runtime.detectors and runtime.detectors.pii) or {},
        {**label_signals(runtime), **fact_signals(runtime, router)},
        client_signals(runtime.identity),
        scoring_of(router) if similarity and similarity.head is None else BEST,
    )


def _own_bindings(bindings: ModelBindings, config: RouterConfig) -> ModelBindings:
    """Return the bindings of the signals that a recipe has."""
    attacks = {rule.name for rule in config.routing.signals.jailbreak or ()}
    personal = {rule.name for rule in config.routing.signals.pii or ()}
    return replace(
        bindings,
        jailbreak={name: detector for name, detector in bindings.jailbreak.items() if name in attacks},
        pii={name: detector for name, detector in bindings.pii.items() if name in personal},
    )


def _check_recipes(runtime: RuntimeSettings) -> None:
    """Check that the settings name no decisions, because those of recipes are several.

    Raises:
        UserError: they do.
    """
    for name in ("splits", "fallbacks", "stickiness", "routing"):
        if getattr(runtime, name):
            raise UserError(f"runtime.yaml: {name}: cannot be combined with recipes in config.yaml; remove one of them")


def decision_timeout(deadline: int) -> float:
    """Return the seconds for a decision: the gateway's deadline (milliseconds) less 10 %, at least 20 ms.

    Raises:
        UserError: no time would be left.
    """
    left = deadline - max(deadline // MARGIN_SHARE, MIN_MARGIN)
    if left <= 0:
        raise UserError(f"runtime.yaml: deadline: {deadline} ms leaves no time for a decision; use more than 20")
    return left / 1000


def classifier_of(classifiers: dict[str, ClassifierSettings], task: str) -> ClassifierSettings | None:
    """Return the classifier of a task. Only one per task is supported."""
    for name, classifier in classifiers.items():
        if len(set(classifier.labels)) != len(classifier.labels) or not classifier.labels:
            raise UserError(f"runtime.yaml: classifiers.{name}.labels: must not be empty or have duplicates")
        if classifier.fallback in classifier.labels:
            raise UserError(
                f"runtime.yaml: classifiers.{name}.fallback: must not be one of the labels; use another name"
            )
    matching = [classifier for classifier in classifiers.values() if classifier.task == task]
    if len(matching) > 1:
        raise UserError(
            f"runtime.yaml: classifiers: only one classifier of the task {task} is supported; remove the others"
        )
    return matching[0] if matching else None


def _cache(program: Program, runtime: RuntimeSettings) -> CacheSettings | None:
    """Return the limits of the response cache; None if no decision caches responses."""
    if not program.caches_responses:
        return None
    settings = runtime.cache or CacheSettings(encoder=SHIPPED)
    routes = (route for profile in program.profiles for route in profile.routes)
    compares = any(route.effects.cache and route.effects.cache.similarity for route in routes)
    if compares and settings.encoder is None and runtime.cache is not None:
        raise UserError("runtime.yaml: cache.encoder: is required, because a decision's cache has a similarity")
    return settings if compares else settings.model_copy(update={"encoder": None})


def _detectors(runtime: RuntimeSettings) -> set[str]:
    """Return the classifiers that guards may use."""
    return {name for name, one in runtime.classifiers.items() if one.task in {"jailbreak", "pii"}}


def _for_the_engine(classifiers: dict[str, ClassifierSettings]) -> dict[str, ClassifierSettings]:
    """Return the classifiers that the engine runs: all but those of servers.

    Without checkpoints and heads of other tasks than the category there is no engine.
    """
    own = {name: one for name, one in classifiers.items() if one.server is None}
    compiled = {"category", "likeness"}
    return own if any(one.checkpoint or one.task not in compiled for one in own.values()) else {}
