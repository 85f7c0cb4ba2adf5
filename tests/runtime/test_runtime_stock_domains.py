"""Domains of stock configs need no runtime.yaml: a head ships with the runtime."""

from __future__ import annotations

import pytest
import yaml

from vsr_compiler.heads import shipped
from vsr_runtime.decision.program.build_sentences import SHIPPED
from vsr_runtime.decision.program.conditions import SignalValues
from vsr_runtime.errors import UserError
from vsr_runtime.inference.head import Head
from vsr_runtime.server.load import load_classifier
from vsr_runtime.settings import build_settings, load
from vsr_runtime.shipped_heads import FOLDER, INDEX, shipped_heads
from vsr_schemas.routerconfig.v0_4_0 import MMLU_CATEGORIES

HEAD = shipped_heads()["mmlu-pro@1"]


def stock(folder, *domains, asks=None, module=None, signals=None):
    """A stock config with a decision for the first domain, or the named one."""
    path = folder / "config.yaml"
    document = {
        "version": "v0.3",
        "providers": {
            "defaults": {"model": "small"},
            "models": [{"name": "small", "backend_refs": [{"name": "one", "endpoint": "127.0.0.1:8000"}]}],
        },
        "routing": {
            "signals": {"domains": list(domains), **(signals or {})},
            "decisions": [
                {
                    "name": "asked",
                    "priority": 1,
                    "rules": {"type": "domain", "name": asks or domains[0]["name"]},
                    "modelRefs": [{"model": "small"}],
                }
            ],
        },
        **({"global": {"model_catalog": {"modules": {"classifier": {"domain": module}}}}} if module else {}),
    }
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def holds(settings, category, probability=0.9):
    """Whether the decision's condition holds for a category."""
    program = settings.program
    return program.routes[0].condition.truth(program.with_category(SignalValues(), category, probability))


def test_domains_of_a_stock_config_are_recognised_without_runtime_yaml(tmp_path, files) -> None:  # noqa: ARG001 - there is one
    """Of the labels of MMLU-Pro, `other` is one with a probability: all add up to 1."""
    settings = load(stock(tmp_path, {"name": "science", "mmlu_categories": ["physics", "biology"]}))
    assert settings.classifier.encoder == SHIPPED
    assert settings.classifier.threshold == 0.5
    assert set(settings.classifier.labels) == set(MMLU_CATEGORIES)
    classifier = load_classifier(settings)
    found = classifier.classify("How do plants convert sunlight into energy by photosynthesis?")
    assert found.label == "biology"
    assert holds(settings, found.label)
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert classifier.classify("Which film should I watch tonight?").label == "other"
    assert build_settings(settings.source).classifier == settings.classifier


def test_no_domain_holds_below_the_threshold_not_even_other(tmp_path) -> None:
    """The stock router says nothing about a request of which its classifier is not sure."""
    settings = load(stock(tmp_path, {"name": "other"}, module={"threshold": 0.9}))
    assert settings.classifier.threshold == 0.9
    assert settings.classifier.fallback is None
    assert holds(settings, None, 0.4) is False


def test_threshold_under_which_several_domains_hold_at_once_is_refused(tmp_path) -> None:
    """From 0.5 on it is one."""
    with pytest.raises(UserError, match=r"domain\.threshold: .*several domains at once"):
        load(stock(tmp_path, {"name": "math"}, module={"threshold": 0.3}))


@pytest.mark.parametrize("name", ["Math", "MATH"])
def test_labels_are_compared_without_case(tmp_path, name) -> None:
    """As in the stock router, a domain means the label of its name in any case."""
    assert holds(load(stock(tmp_path, {"name": name})), "math")
    listed = load(stock(tmp_path, {"name": "numbers", "mmlu_categories": [name]}))
    assert holds(listed, "math")
    assert not holds(listed, "law")


def test_domain_of_another_name_never_holds_and_is_named(tmp_path) -> None:
    """The stock router's own models do not give this label either."""
    settings = load(stock(tmp_path, {"name": "coding"}, module={"model_id": "models/mom-domain-classifier"}))
    assert not any(holds(settings, label) for label in HEAD.labels)
    assert "routing.signals.domains[0]: no text has the label 'coding'" in settings.ignored


def test_label_of_a_model_of_the_configs_own_is_refused(tmp_path) -> None:
    """That model may give it."""
    with pytest.raises(UserError, match=r"'coding' is known to the model 'models/ours'.* use the labels biology"):
        load(stock(tmp_path, {"name": "coding"}, module={"model_id": "models/ours"}))
    assert load(stock(tmp_path, {"name": "math"}, module={"model_id": "models/ours"}))


def test_sentences_and_domains_share_an_encoder(tmp_path) -> None:
    """One pass serves both."""
    embeddings = [{"name": "refund", "threshold": 0.6, "candidates": ["I want my money back."]}]
    settings = load(stock(tmp_path, {"name": "law"}, signals={"embeddings": embeddings}))
    assert settings.classifier.encoder == settings.classifiers["domains"].encoder == SHIPPED


def test_shipped_heads_are_those_of_the_example_sets(tmp_path, monkeypatch) -> None:
    """Whoever changes examples or training runs `python -m vsr_compiler.heads.shipped`, which changes nothing now."""
    assert set(shipped_heads()) == {*shipped.SETS, *shipped.DETECTORS}
    before = INDEX.read_bytes()
    for name, head in shipped_heads().items():
        data = (FOLDER / head.file).read_bytes()
        assert head.inputs == (shipped.detector_inputs if name in shipped.DETECTORS else shipped.inputs)(name)
        assert Head.from_bytes(data).labels == head.labels
        assert Head.from_bytes(data).to_bytes() == data
        (tmp_path / head.file).write_bytes(data)
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    monkeypatch.setattr(shipped, "INDEX", tmp_path / "index.json")
    shipped.write()
    assert (tmp_path / "index.json").read_bytes() == before
