"""Domains of stock configs: the head for the 14 subjects of MMLU-Pro that ships with the runtime recognises them."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_runtime.decision.program.build_sentences import SHIPPED, unused_name
from vsr_runtime.errors import config_error
from vsr_runtime.shipped_heads import shipped_heads
from vsr_schemas.routerconfig.v0_4_0 import Domain, DomainModule, ModelCatalog, RouterConfig
from vsr_schemas.runtime import ClassifierSettings, HeadSettings, RuntimeSettings

SET = "mmlu-pro@1"
DEFAULT_THRESHOLD = 0.5
"""The stock router's default: the probability from which a request has a domain."""
_STOCK_MODELS = ("intent-classifier", "intent_classifier", "category_classifier", "domain-classifier", "m-domain")
"""Parts of the names of the stock router's own models of domains, all of which have the same 14 labels."""
_THRESHOLD = "global.model_catalog.modules.classifier.domain.threshold"
_NAME = "domains"


def with_domains(runtime: RuntimeSettings, config: RouterConfig) -> RuntimeSettings:
    """Return settings with the shipped head for domains, if there are domains and no classifier that knows them.

    Raises:
        UserError: the config states a threshold, but runtime.yaml has the classifier.
    """
    threshold = _module(config).threshold
    if any(classifier.task == "category" for classifier in runtime.classifiers.values()):
        if threshold is not None:
            raise config_error(_THRESHOLD, "the classifier of runtime.yaml has its own threshold; remove it")
        return runtime
    if not any(domains for _, domains in _domains(config)):
        return runtime
    head = shipped_heads()[SET]
    classifier = ClassifierSettings(
        task="category",
        encoder=SHIPPED,
        head=HeadSettings(file=head.file, inputs=head.inputs),
        labels=list(head.labels),
        threshold=DEFAULT_THRESHOLD if threshold is None else threshold,
    )
    name = unused_name(_NAME, runtime)
    return runtime.model_copy(update={"classifiers": {**runtime.classifiers, name: classifier}})


def meaningless(classifier: ClassifierSettings | None, config: RouterConfig) -> dict[str, str]:
    """Return the labels of domains that the shipped head never gives, each with the place of its domain.

    The stock router's models never give them either, so these domains do not hold because of them.

    Raises:
        UserError: the config names a model of its own, which may know them.
    """
    if classifier is None or classifier.head is None or classifier.head.inputs != shipped_heads()[SET].inputs:
        return {}
    known = {label.lower() for label in classifier.labels}
    labels = {
        label: f"{place}[{i}]"
        for place, domains in _domains(config)
        for i, domain in enumerate(domains)
        for label in domain.mmlu_categories or [domain.name]
        if label.lower() not in known
    }
    module = _module(config)
    own = [model for model in (module.model_id, module.category_mapping_path) if model and not _is_stock(model)]
    if labels and own:
        label, place = next(iter(labels.items()))
        raise config_error(
            place,
            f"the label {label!r} is known to the model {own[0]!r:.100} at most, which is not executed; bind a "
            f"checkpoint in runtime.yaml, or use the labels {', '.join(sorted(classifier.labels))}",
        )
    return labels


def _is_stock(model: str) -> bool:
    return any(part in model.lower() for part in _STOCK_MODELS)


def _module(config: RouterConfig) -> DomainModule:
    return (config.global_.model_catalog or ModelCatalog()).modules.classifier.domain


def _domains(config: RouterConfig) -> Iterator[tuple[str, list[Domain]]]:
    yield "routing.signals.domains", config.routing.signals.domains
    for i, recipe in enumerate(config.recipes or ()):
        yield f"recipes[{i}].routing.signals.domains", recipe.routing.signals.domains
