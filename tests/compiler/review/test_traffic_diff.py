"""What changes for traffic, in words, and which of it is breaking."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from vsr_compiler.manifests.yaml import dump
from vsr_compiler.review.baseline import Baseline
from vsr_compiler.review.breaking import RULES
from vsr_compiler.review.diff_report import report
from vsr_compiler.review.traffic import condition_words, read_traffic
from vsr_schemas.reports_diff import DiffReport

Router = dict[str, Any]
HOST = "svc.cluster.local:80"


def router() -> Router:
    """A router folder: two models, two routes, two guards."""
    config = {
        "global": {"router": {"auto_model_names": ["auto", "MoM"]}},
        "providers": {
            "defaults": {"model": "llama3-8b"},
            "models": [
                {"name": "llama3-8b", "backend_refs": [{"name": "one", "endpoint": f"one.x.{HOST}", "weight": 1}]},
                {
                    "name": "phi4-mini",
                    "backend_refs": [
                        {"name": "old", "endpoint": f"old.x.{HOST}", "weight": 90},
                        {"name": "new", "endpoint": f"new.x.{HOST}", "weight": 10},
                    ],
                },
            ],
        },
        "routing": {
            "modelCards": [{"name": "llama3-8b", "context_window_size": 8192}, {"name": "phi4-mini"}],
            "signals": {"domains": [{"name": "math", "description": "Numbers"}]},
            "decisions": [
                {
                    "name": "math",
                    "priority": 2,
                    "rules": {"operator": "AND", "conditions": [{"type": "domain", "name": "math"}]},
                    "modelRefs": [{"model": "phi4-mini", "use_reasoning": False}],
                },
                {
                    "name": "canary",
                    "priority": 1,
                    "rules": {"type": "keyword", "name": "urgent"},
                    "modelRefs": [{"model": "llama3-8b"}, {"model": "phi4-mini"}],
                },
            ],
        },
    }
    runtime = {
        "apiVersion": "vsr.dev/v1alpha1",
        "deadline": 1000,
        "splits": {"canary": {"llama3-8b": 90, "phi4-mini": 10}},
        "classifiers": {"domain": {"task": "category", "threshold": 0.3, "head": {"inputs": "a" * 64}}},
        "guards": {
            "pii": {
                "types": ["EMAIL_ADDRESS", "US_SSN"],
                "action": "mask",
                "exempt": ["llama3-8b"],
                "onError": "block",
            },
            "jailbreak": {"detector": "jailbreak-detector", "threshold": 0.7, "action": "block"},
        },
    }
    return {"config": config, "runtime": runtime}


def files(given: Router) -> dict[str, bytes]:
    """The folder as files."""
    return {f"router/{name}.yaml": dump(body).encode() for name, body in given.items()}


def against(change: Callable[[Router], None]) -> DiffReport:
    """The report of a change to the router above."""
    new = copy.deepcopy(router())
    change(new)
    return report("small", Baseline("before", files(router())), files(new))


def texts(change: Callable[[Router], None]) -> list[str]:
    """Its sentences."""
    return [each.text for each in against(change).traffic]


def decision(given: Router, name: str) -> dict[str, Any]:
    """A decision by name."""
    return next(each for each in given["config"]["routing"]["decisions"] if each["name"] == name)


def test_a_route_to_another_model() -> None:
    """The issue's own example."""
    assert texts(
        lambda new: decision(new, "math").update(modelRefs=[{"model": "llama3-8b", "use_reasoning": False}])
    ) == ["math: phi4-mini → llama3-8b"]


def test_a_canary_reads_as_per_cent() -> None:
    """Splits between models, and weights between the endpoints of one."""
    assert texts(lambda new: new["runtime"]["splits"].update(canary={"llama3-8b": 50, "phi4-mini": 50})) == [
        "canary: llama3-8b 90 % → 50 %, phi4-mini 10 % → 50 %"
    ]
    refs = lambda new: new["config"]["providers"]["models"][1]["backend_refs"]  # noqa: E731 - a place, once
    assert texts(lambda new: (refs(new)[0].update(weight=1), refs(new)[1].update(weight=1))) == [
        "model phi4-mini: old 90 % → 50 %, new 10 % → 50 %"
    ]


CHANGES: list[tuple[Callable[[Router], Any], str, str | None]] = [
    (
        lambda new: new["config"]["providers"]["defaults"].update(model="phi4-mini"),
        "default: llama3-8b → phi4-mini",
        None,
    ),
    (
        lambda new: new["config"]["routing"]["decisions"].pop(0),
        "route math is gone; category math goes to the next route that holds, or to llama3-8b",
        "route removed",
    ),
    (
        lambda new: new["config"]["providers"]["models"].pop(1),
        "model phi4-mini is gone: whoever names it is refused",
        "model dropped",
    ),
    (
        lambda new: new["config"]["global"]["router"]["auto_model_names"].remove("MoM"),
        "the name MoM no longer lets the router choose",
        "model dropped",
    ),
    (
        lambda new: new["runtime"]["guards"]["pii"]["exempt"].append("openai"),
        "guard pii no longer covers openai",
        "guard weakened",
    ),
    (lambda new: new["runtime"]["guards"]["pii"].update(exempt=[]), "guard pii covers llama3-8b again", None),
    (
        lambda new: new["runtime"]["guards"]["pii"]["types"].remove("US_SSN"),
        "guard pii no longer looks for US_SSN",
        "guard weakened",
    ),
    (lambda new: new["runtime"]["guards"]["pii"]["types"].append("IBAN"), "guard pii also looks for IBAN", None),
    (lambda new: new["runtime"]["guards"].pop("jailbreak"), "guard jailbreak is gone", "guard weakened"),
    (
        lambda new: new["runtime"]["guards"]["jailbreak"].update(threshold=0.9),
        "guard jailbreak: threshold 0.7 → 0.9",
        "guard weakened",
    ),
    (
        lambda new: new["runtime"]["guards"]["jailbreak"].update(threshold=0.5),
        "guard jailbreak: threshold 0.7 → 0.5",
        None,
    ),
    (
        lambda new: new["runtime"]["guards"]["jailbreak"].update(action="log"),
        "guard jailbreak: action block → log",
        "guard weakened",
    ),
    (lambda new: new["runtime"]["guards"]["pii"].update(action="block"), "guard pii: action mask → block", None),
    (
        lambda new: new["runtime"]["guards"]["pii"].update(onError="pass"),
        "guard pii: onError block → pass",
        "fail-open introduced",
    ),
    (
        lambda new: new["runtime"].update(onFailure="default-model"),
        "router: onFailure not set → default-model",
        "fail-open introduced",
    ),
    (
        lambda new: new["config"]["providers"]["models"][0]["backend_refs"][0].update(endpoint="api.example.com:443"),
        "model llama3-8b is answered outside the cluster, by api.example.com:443",
        "exposure widened",
    ),
    (lambda new: new["runtime"].update(deadline=500), "router: deadline 1000 → 500", None),
    (
        lambda new: new["runtime"]["classifiers"]["domain"]["head"].update(inputs="b" * 64),
        "classifier domain is trained from other examples or settings",
        None,
    ),
    (
        lambda new: new["runtime"]["classifiers"]["domain"].update(threshold=0.5),
        "classifiers: domain.threshold 0.3 → 0.5",
        None,
    ),
    (
        lambda new: decision(new, "math").update(rules={"type": "keyword", "name": "sum"}),
        "math: asked for category math → keyword sum",
        None,
    ),
    (
        lambda new: decision(new, "math")["modelRefs"][0].update(use_reasoning=True),
        "math: reasoning false → true",
        None,
    ),
    (lambda new: decision(new, "math").update(priority=0), "routes are tried in another order: canary, math", None),
    (
        lambda new: new["config"]["routing"]["modelCards"][0].update(context_window_size=4096),
        "model llama3-8b: context_window_size 8192 → 4096",
        None,
    ),
    (
        lambda new: new["config"]["routing"]["signals"]["domains"][0].update(description="Sums"),
        "category math is described in other words",
        None,
    ),
]


@pytest.mark.parametrize(("change", "text", "rule"), CHANGES, ids=[text for _, text, _ in CHANGES])
def test_a_change_is_one_sentence_and_breaking_by_the_right_rule(
    change: Callable[[Router], Any], text: str, rule: str | None
) -> None:
    """What a person reads, and what a pipeline stops at."""
    found = against(change)
    assert (text, rule) in [(each.text, each.breaking) for each in found.traffic]
    assert found.breaking is (rule is not None)
    assert found.different


def test_equal_policies_have_no_changes() -> None:
    """No sentence, no file, not different."""
    found = against(lambda _: None)
    assert (found.traffic, found.files, found.different, found.breaking) == ([], [], False, False)


def test_a_change_of_many_things_says_the_breaking_ones_first() -> None:
    """A reviewer reads the first line."""
    found = against(
        lambda new: (
            new["config"]["providers"]["defaults"].update(model="phi4-mini"),
            new["runtime"]["guards"].pop("jailbreak"),
        )
    )
    assert [each.breaking for each in found.traffic] == ["guard weakened", None]


def test_conditions_read_as_sentences() -> None:
    """Operators in words, brackets where they are needed."""
    leaf = lambda name: {"type": "domain", "name": name}  # noqa: E731 - a word for a dict
    either = {"operator": "OR", "conditions": [leaf("a"), leaf("b")]}
    assert condition_words(either) == "category a or b"
    tree = {
        "operator": "AND",
        "conditions": [leaf("c"), {"operator": "NOT", "conditions": [{"type": "keyword", "name": "k"}]}],
    }
    assert condition_words(tree) == "category c and not keyword k"
    mixed = {"operator": "AND", "conditions": [leaf("c"), {"operator": "OR", "conditions": [leaf("a"), tree]}]}
    assert condition_words(mixed) == "category c and (category a or (category c and not keyword k))"


@pytest.mark.parametrize(
    "config",
    [
        None,
        [],
        "x",
        {"routing": []},
        {"routing": {"decisions": [None, {"name": 1, "modelRefs": "x"}]}},
        {"providers": {"models": {}}},
    ],
)
def test_a_router_folder_of_any_form_is_read_as_far_as_it_goes(config: Any) -> None:
    """An earlier output may be anybody's."""
    read_traffic(config, config)


def test_every_rule_says_why_in_its_docstring() -> None:
    """People read it, so it is a sentence."""
    for rule in RULES:
        assert (type(rule).__doc__ or "").strip().endswith(".")
        assert rule.name


def test_sentences_of_a_signal_are_reported_once_under_its_name() -> None:
    """What stands before it in the file is no change, and its vectors say nothing that it does not say itself."""

    def changed(new: Router, *names: str) -> None:
        rules = [{"name": name, "threshold": 0.5 if name == "b" else 0.6} for name in names]
        new["config"]["routing"]["signals"]["embeddings"] = rules
        head = {"inputs": ("b" if len(names) > 1 else "a") * 64}
        new["runtime"]["classifiers"]["sentences"] = {"task": "likeness", "threshold": 0, "head": head}

    old, new = router(), router()
    changed(old, "b")
    changed(new, "a", "b")
    found = report("small", Baseline("before", files(old)), files(new)).traffic
    assert [each.text for each in found] == [
        'signals: embeddings[name=a] not set → {"name": "a", "threshold": 0.6}',
    ]


def plugin(kind: str, **configuration: Any) -> dict[str, Any]:
    """What a route does besides."""
    return {"type": kind, "configuration": configuration}


def test_an_endpoint_that_moves_inside_the_cluster_is_a_change_for_traffic() -> None:
    """Other pods answer, although every name stays."""
    assert texts(
        lambda new: new["config"]["providers"]["models"][0]["backend_refs"][0].update(endpoint=f"one.y.{HOST}")
    ) == [f"model llama3-8b: one is at one.y.{HOST}, was at one.x.{HOST}"]


def test_each_thing_that_a_route_does_besides_has_a_sentence_of_its_own() -> None:
    """None hides behind the end of a line that was cut."""
    prompt = plugin("system_prompt", enabled=True, system_prompt="Be brief.")
    found = texts(
        lambda new: decision(new, "math").update(
            plugins=[plugin("header_mutation", update=[{"name": "x-a", "value": "b"}]), prompt]
        )
    )
    assert found == [
        'math: header_mutation not set → {"update": [{"name": "x-a", "value": "b"}]}',
        'math: system_prompt not set → {"enabled": true, "system_prompt": "Be brief."}',
    ]


def test_a_repeated_plugin_is_reported() -> None:
    """An earlier output is anybody's."""
    twice = [plugin("system_prompt", system_prompt="a"), plugin("system_prompt", system_prompt="b")]
    (found,) = texts(lambda new: decision(new, "math").update(plugins=twice))
    assert found.startswith("math: plugins not set → ")


def test_a_new_fixed_response_of_a_route_is_reported() -> None:
    """Not that it goes to nothing."""
    found = texts(
        lambda new: decision(new, "math").update(modelRefs=[], plugins=[plugin("fast_response", message="Ask.")])
    )
    assert "math: phi4-mini → a fixed answer" in found
    assert 'math: fast_response not set → {"message": "Ask."}' in found


def test_a_new_classifier_is_reported_with_all_settings() -> None:
    """Its threshold stands behind a long name."""
    encoder = {"repo": "example/a-repository-with-a-long-name", "sha256": "0" * 64}
    found = texts(lambda new: new["runtime"]["classifiers"].update(other={"encoder": encoder, "threshold": 0.7}))
    assert "classifiers: other.threshold not set → 0.7" in found


def test_a_new_policy_says_where_its_requests_go() -> None:
    """All of it is a change for traffic, and none of it breaks anybody."""
    new = router()
    new["config"]["providers"]["models"][0]["backend_refs"][0]["endpoint"] = "api.example.com:443"
    found = report("small", Baseline("before", {}), files(new)).traffic
    assert [each.text for each in found] == [
        "the policy is new: what no route takes goes to llama3-8b",
        "route math is new: category math → phi4-mini",
        "route canary is new: keyword urgent → llama3-8b, phi4-mini",
        "model llama3-8b is new",
        "model phi4-mini is new",
        "the name MoM now lets the router choose",
        "the name auto now lets the router choose",
        "model llama3-8b is answered outside the cluster, by api.example.com:443",
        "guard jailbreak is new: block",
        "guard pii is new: mask",
    ]
    assert not any(each.breaking for each in found)
