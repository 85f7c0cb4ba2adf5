"""Loads the policy that a runtime executes: ``config.yaml`` and ``runtime.yaml`` from the same folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vsr_runtime.credentials import (
    CACHE,
    FOLDER,
    KEYLESS,
    clients_folder,
    detectors_folder,
    read_client_keys,
    read_credentials,
)
from vsr_runtime.decision.guards.normalise import prepare
from vsr_runtime.decision.identity.rules import digest_of
from vsr_runtime.decision.program.build import ModelBindings, build
from vsr_runtime.decision.program.build_ask import with_ask
from vsr_runtime.decision.program.build_domains import meaningless, with_domains
from vsr_runtime.decision.program.build_facts import fact_signals, with_facts
from vsr_runtime.decision.program.build_fallback import with_fallbacks
from vsr_runtime.decision.program.build_identity import client_signals, role_signals, with_identity
from vsr_runtime.decision.program.build_labels import label_signals
from vsr_runtime.decision.program.build_limits import with_cors, with_limits
from vsr_runtime.decision.program.build_limits_of_use import with_rates
from vsr_runtime.decision.program.build_providers import provider_credentials
from vsr_runtime.decision.program.build_routing import with_routing
from vsr_runtime.decision.program.build_sentences import SHIPPED, scoring_of, with_sentences
from vsr_runtime.decision.program.build_stickiness import with_stickiness
from vsr_runtime.decision.program.build_unknown import check_unknown
from vsr_runtime.decision.program.conditions import CATEGORIES, SIMILARITIES
from vsr_runtime.decision.program.effects import ProviderCredentials
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.program.recipes import profiles, with_recipes
from vsr_runtime.decision.request.request_machine import MachineConfig
from vsr_runtime.decision.signals.heuristic import PiiSignal
from vsr_runtime.decision.signals.model_signals import BEST
from vsr_runtime.errors import UserError
from vsr_runtime.files import read_model
from vsr_schemas.routerconfig.v0_4_0 import RouterConfig
from vsr_schemas.runtime import FRAME_BYTES, CacheSettings, ClassifierSettings, LimitSettings, RuntimeSettings

if TYPE_CHECKING:
    from vsr_runtime.admission.reading import AdmittedConfig

DEFAULT_DEADLINE = 1000
"""Milliseconds; the compiler's default."""
DEFAULT_MAX_BODY = 8 << 20
MARGIN_SHARE = 10
MIN_MARGIN = 20


@dataclass(frozen=True, slots=True)
class SettingsSource:
    """The content of the files of a policy, from which any process builds the same settings. Never logged.

    Attributes:
        folder: the folder of config.yaml.
        router: config.yaml.
        runtime: runtime.yaml.
        credentials: the keys of providers, by model.
        clients: the digests of clients' keys, by file.
    """

    folder: Path
    router: RouterConfig
    runtime: RuntimeSettings
    credentials: Mapping[str, ProviderCredentials] = field(repr=False)
    clients: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """A policy that is ready to be served.

    Attributes:
        folder: the folder of config.yaml and of the classifiers' files.
        program: the decision program.
        limits: limits on one request, in bytes.
        decision_timeout: seconds for a decision: the gateway's deadline less a margin.
        classifier: the category classifier; None if no route uses one.
        engine: the classifiers that the inference engine runs, by name: none if there is only a head of
            categories, and sentences.
        similarity_classifier: the classifier that has the policy's sentences; None if no route uses them.
        default_on_failure: whether requests go to the default model if their category is unavailable.
        debug_headers: which clients get debug headers; None for none.
        access_log_metadata: whether decisions are sent as dynamic metadata, too.
        cache: limits of the response cache; None if there is none.
        cache_folder: the folder of the login and the CA of the store in which replicas share answers.
        classifiers: all classifiers by name, which an engine may share between processes.
        source: what it was built from; None if it was not read from files.
        ignored: what of config.yaml has no effect here, and why.
        detectors: the folder of keys and authorities of the servers of classifiers. Only a server reads it.
    """

    folder: Path
    program: Program
    limits: LimitSettings
    decision_timeout: float
    classifier: ClassifierSettings | None
    engine: Mapping[str, ClassifierSettings] = field(default_factory=dict)
    similarity_classifier: ClassifierSettings | None = None
    default_on_failure: bool = False
    debug_headers: Literal["on-request", "always"] | None = None
    access_log_metadata: bool = False
    cache: CacheSettings | None = None
    cache_folder: Path = Path()
    classifiers: Mapping[str, ClassifierSettings] = field(default_factory=dict)
    source: SettingsSource | None = field(default=None, repr=False)
    ignored: tuple[str, ...] = ()
    detectors: Path | None = None

    @property
    def remote(self) -> Mapping[str, ClassifierSettings]:
        """The classifiers that servers compute, by name."""
        return {name: one for name, one in self.classifiers.items() if one.server is not None}

    @property
    def local(self) -> Settings:
        """The settings without what servers compute, for a process that loads classifiers."""
        if not self.remote:
            return self
        own = {name: one for name, one in self.classifiers.items() if one.server is None}
        by_server = self.classifier is not None and self.classifier.server is not None
        return replace(self, classifiers=own, classifier=None if by_server else self.classifier)

    @property
    def loaded(self) -> Mapping[str, ClassifierSettings]:
        """The classifiers that are asked, by name. Without an engine it is the one that routes use, and servers."""
        own = self.engine or {
            name: classifier for name, classifier in self.classifiers.items() if classifier is self.classifier
        }
        return {**own, **self.remote}

    @property
    def category(self) -> str | None:
        """The name of the category classifier, if the engine runs it."""
        return self._name(self.classifier)

    @property
    def sentences(self) -> str | None:
        """The name of the similarity classifier, if the engine runs it."""
        return self._name(self.similarity_classifier)

    def _name(self, classifier: ClassifierSettings | None) -> str | None:
        return next((name for name, candidate in self.engine.items() if candidate is classifier), None)


def load(config: Path, credentials: Path | None = None, workers: int = 1, beside: Path | None = None) -> Settings:
    """Read and check both files, and the keys of the providers that they name.

    Args:
        config: config.yaml.
        credentials: the folder of the keys; None for ``credentials`` next to config.yaml.
        workers: the number of processes that share what this replica allows of limits.
        beside: the folder with the folders of the keys of clients and of servers; None for that of ``credentials``.

    Without ``runtime.yaml`` the defaults apply: a deadline of 1 s, and bodies up to 8 MiB. Domains of others' configs
    are those of the shipped head, unless runtime.yaml has a classifier of categories. Sentences of signals without
    vectors are read by the encoder.

    Raises:
        UserError: a file cannot be read or violates its contract, or the files are inconsistent.
    """
    from vsr_runtime.admission.positions import with_position  # noqa: PLC0415 - the compiler needs none of it
    from vsr_runtime.admission.reading import read_router  # noqa: PLC0415 - likewise

    admitted = read_router(config)
    try:
        return _loaded(admitted, config, credentials, workers, beside)
    except UserError as error:
        raise with_position(config, error) from None


def _loaded(
    admitted: AdmittedConfig, config: Path, credentials: Path | None, workers: int, beside: Path | None
) -> Settings:
    router = admitted.config
    path = config.parent / "runtime.yaml"
    runtime = read_model(path, RuntimeSettings) if path.exists() else _defaults()
    runtime = with_sentences(runtime if admitted.ours else with_facts(with_domains(runtime, router), router), router)
    folder = credentials or config.parent / FOLDER
    keys = provider_credentials(router, os.environ, keyless=folder == KEYLESS)
    keys |= read_credentials(folder, runtime.credentials or {})
    digests = read_client_keys(clients_folder(config, credentials, beside), runtime.identity)
    settings = check_settings(router, runtime, config.parent, keys, digests, workers)
    labels = meaningless(_only(runtime.classifiers, "category"), router)
    never = (f"{place}: no text has the label {label!r}" for label, place in labels.items())
    detectors = detectors_folder(config, credentials, beside)
    store = clients_folder(config, credentials).parent / CACHE
    ignored = (*admitted.ignored, *never)
    return _prepared(replace(settings, ignored=ignored, detectors=detectors, cache_folder=store))


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
    classifier, similarity = (_only(runtime.classifiers, task) for task in ("category", "likeness"))
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


def machine_config(settings: Settings) -> MachineConfig:
    """Return what the state machine needs for all requests."""
    return MachineConfig(settings.program, settings.limits.maxBody, settings.default_on_failure, settings.debug_headers)


def build_settings(source: SettingsSource) -> Settings:
    """Build the same settings in another process."""
    return _prepared(check_settings(source.router, source.runtime, source.folder, source.credentials, source.clients))


def _prepared(settings: Settings) -> Settings:
    """Return settings with all tables that requests need. The compiler, which serves none, does without."""
    program = settings.program
    personal = any(isinstance(signal, PiiSignal) for signal in program.signals.values())
    if program.guards or personal or any(signal.detector for signal in program.model_signals.values()):
        prepare()
    return settings


def decision_timeout(deadline: int) -> float:
    """Return the seconds for a decision: the gateway's deadline (milliseconds) less 10 %, at least 20 ms.

    Raises:
        UserError: no time would be left.
    """
    left = deadline - max(deadline // MARGIN_SHARE, MIN_MARGIN)
    if left <= 0:
        raise UserError(f"runtime.yaml: deadline: {deadline} ms leaves no time for a decision; use more than 20")
    return left / 1000


def _defaults() -> RuntimeSettings:
    return RuntimeSettings(
        apiVersion="vsr.dev/v1alpha1",
        kind="RuntimeSettings",
        policy="unnamed",
        deadline=DEFAULT_DEADLINE,
        limits=LimitSettings(maxBody=DEFAULT_MAX_BODY, maxMessage=DEFAULT_MAX_BODY + FRAME_BYTES),
    )


def _only(classifiers: dict[str, ClassifierSettings], task: str) -> ClassifierSettings | None:
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
