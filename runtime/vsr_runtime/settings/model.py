"""The settings of a policy that is ready to be served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from vsr_runtime.decision.program.effects import ProviderCredentials
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.states import MachineConfig
from vsr_schemas.routerconfig.v0_4_0 import RouterConfig
from vsr_schemas.runtime import CacheSettings, ClassifierSettings, LimitSettings, RuntimeSettings


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


def machine_config(settings: Settings) -> MachineConfig:
    """Return what the state machine needs for all requests."""
    return MachineConfig(settings.program, settings.limits.maxBody, settings.default_on_failure, settings.debug_headers)
