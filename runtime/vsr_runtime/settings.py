"""Loads what a runtime executes: ``config.yaml`` and, from the same folder, ``runtime.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from vsr_runtime.credentials import FOLDER, read_credentials
from vsr_runtime.decision.program.build import ModelBindings, build
from vsr_runtime.decision.program.program import Program
from vsr_runtime.errors import UserError
from vsr_runtime.files import read_model
from vsr_schemas.routerconfig.v0_4_0 import RouterConfig
from vsr_schemas.runtime import CacheSettings, ClassifierSettings, LimitSettings, RuntimeSettings

DEFAULT_DEADLINE = 1000
"""Milliseconds; what the compiler writes when a policy says nothing."""
DEFAULT_MAX_BODY = 8 << 20
MESSAGE_ROOM = 64 << 10
"""Bytes that a gRPC message may need beyond the body that it carries."""
MARGIN_SHARE = 10
MARGIN_LEAST = 20


@dataclass(frozen=True, slots=True)
class Settings:
    """A policy ready to be served.

    Attributes:
        folder: where config.yaml lies, and the classifier's files.
        program: what decides.
        limits: bounds on one request, in bytes.
        budget: seconds that a classification may take, which is the gateway's deadline less a margin.
        classifier: what answers the category, or None where no route asks for one.
        likeness: what knows the policy's sentences, or None where no route asks for them.
        engine: by name, all that the engine runs: every classifier that is or stands beside a checkpoint.
        falls_back: whether requests whose category cannot be had go to the default model.
        tells: which clients are told what was chosen for them; None for none.
        cache: bounds on kept answers; None where none are kept.
        classifiers: all of them by name: what an engine runs that several processes share.
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
    cache: CacheSettings | None = None
    classifiers: Mapping[str, ClassifierSettings] = field(default_factory=dict)

    @property
    def loaded(self) -> Mapping[str, ClassifierSettings]:
        """By name, the classifiers that are loaded: without an engine, the one that a route asks."""
        return self.engine or {name: one for name, one in self.classifiers.items() if one is self.classifier}

    @property
    def category(self) -> str | None:
        """The name of the classifier that answers the category, where the engine runs it."""
        return self._name(self.classifier)

    @property
    def sentences(self) -> str | None:
        """The name of the classifier that knows the policy's sentences, where the engine runs it."""
        return self._name(self.similarity_classifier)

    def _name(self, classifier: ClassifierSettings | None) -> str | None:
        return next((name for name, one in self.engine.items() if one is classifier), None)


def load(config: Path, credentials: Path | None = None) -> Settings:
    """Read and check both files, and the keys of the providers that they name.

    Args:
        config: config.yaml.
        credentials: the folder with the keys; None for ``credentials`` beside it.

    Without ``runtime.yaml`` the defaults hold: a deadline of 1 s, bodies up to 8 MiB, and no classifier, so that a
    config whose decisions ask for a category is refused.

    Raises:
        UserError: a file cannot be read, breaks its contract, or the two do not fit together.
    """
    router = read_model(config, RouterConfig)
    path = config.parent / "runtime.yaml"
    runtime = read_model(path, RuntimeSettings) if path.exists() else _defaults()
    classifier, similarity = (_only(runtime.classifiers, task) for task in ("category", "likeness"))
    labels = frozenset(classifier.labels) if classifier else frozenset[str]()
    outside = read_credentials(credentials or config.parent / FOLDER, runtime.credentials or {})
    fallback = classifier.fallback if classifier else None
    program = build(
        router,
        labels,
        fallback,
        runtime.splits,
        outside,
        runtime.guards,
        _detectors(runtime),
        ModelBindings(
            frozenset(similarity.labels if similarity else ()),
            (runtime.detectors and runtime.detectors.jailbreak) or {},
            (runtime.detectors and runtime.detectors.pii) or {},
        ),
    )
    if runtime.limits.maxMessage <= runtime.limits.maxBody:
        raise UserError("runtime.yaml: limits.maxMessage: must exceed limits.maxBody, since a message carries the body")
    return Settings(
        folder=config.parent,
        program=program,
        limits=runtime.limits,
        decision_timeout=decision_timeout(runtime.deadline),
        classifier=classifier if "category" in program.needs else None,
        engine=_for_the_engine(runtime.classifiers),
        classifiers=runtime.classifiers,
        default_on_failure=runtime.onFailure is not None,
        debug_headers=runtime.responseHeaders,
        cache=_cache(program, runtime),
        similarity_classifier=similarity if "similarity" in program.needs else None,
    )


def decision_timeout(deadline: int) -> float:
    """Seconds left of a gateway's deadline (milliseconds) after a margin of a tenth, at least 20 ms.

    Raises:
        UserError: nothing would be left.
    """
    left = deadline - max(deadline // MARGIN_SHARE, MARGIN_LEAST)
    if left <= 0:
        raise UserError(f"runtime.yaml: deadline: {deadline} ms leaves no time to decide; give more than 20")
    return left / 1000


def _defaults() -> RuntimeSettings:
    return RuntimeSettings(
        apiVersion="vsr.dev/v1alpha1",
        kind="RuntimeSettings",
        policy="unnamed",
        deadline=DEFAULT_DEADLINE,
        limits=LimitSettings(maxBody=DEFAULT_MAX_BODY, maxMessage=DEFAULT_MAX_BODY + MESSAGE_ROOM),
    )


def _only(classifiers: dict[str, ClassifierSettings], task: str) -> ClassifierSettings | None:
    """The one classifier of a task. Two would have to be told apart, and nothing says how."""
    for name, classifier in classifiers.items():
        if len(set(classifier.labels)) != len(classifier.labels) or not classifier.labels:
            raise UserError(f"runtime.yaml: classifiers.{name}.labels: must be given, each once")
        if classifier.fallback in classifier.labels:
            raise UserError(f"runtime.yaml: classifiers.{name}.fallback: is one of the labels; give another name")
    found = [classifier for classifier in classifiers.values() if classifier.task == task]
    if len(found) > 1:
        raise UserError(
            f"runtime.yaml: classifiers: one is executed, {len(found)} are given of the task {task}; keep one"
        )
    return found[0] if found else None


def _cache(program: Program, runtime: RuntimeSettings) -> CacheSettings | None:
    """The bounds, where some decision's answers are kept."""
    if not program.caches_responses:
        return None
    given = runtime.cache or CacheSettings()
    compares = any(route.effects.cache and route.effects.cache.similarity for route in program.routes)
    if compares and given.encoder is None:
        raise UserError("runtime.yaml: cache.encoder: must be given, since a decision's cache has a similarity")
    return given if compares else given.model_copy(update={"encoder": None})


def _detectors(runtime: RuntimeSettings) -> set[str]:
    """The classifiers that guards may ask."""
    return {name for name, one in runtime.classifiers.items() if one.task != "category" and one.checkpoint is not None}


def _for_the_engine(classifiers: dict[str, ClassifierSettings]) -> dict[str, ClassifierSettings]:
    """What the engine runs: everything where there is a checkpoint, else nothing."""
    return dict(classifiers) if any(one.checkpoint for one in classifiers.values()) else {}
