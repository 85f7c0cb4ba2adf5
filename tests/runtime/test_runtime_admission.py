"""What of a stock router's config is executed, ignored or refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
import yaml

from vsr_runtime.admission.walk import split
from vsr_runtime.decision.program.build_signals import category_labels
from vsr_runtime.errors import UserError
from vsr_runtime.settings import load
from vsr_schemas.routerconfig.stock import definitions, table
from vsr_schemas.routerconfig.v0_4_0 import RouterConfig

CONFIG = """
version: v0.3
providers:
  defaults: {model: small}
  models: [{name: small, backend_refs: [{name: a, endpoint: "small:80"}], pricing: {currency: EUR, prompt_per_1m: 1, completion_per_1m: 2}}]
routing:
  signals: {keywords: [{name: urgent, operator: OR, keywords: [now]}]}
  decisions:
    - {name: all, rules: {operator: AND, conditions: [{type: keyword, name: urgent}]}, modelRefs: [{model: small}]}
"""  # noqa: E501


def config(**extra):
    """The config with more of its sections, by dotted path."""
    document = yaml.safe_load(CONFIG)
    for path, value in extra.items():
        *parents, last = path.split("__")
        inner = document
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = value
    return document


def with_plugin(**plugin):
    """The config, whose decision has a plugin."""
    document = config()
    document["routing"]["decisions"][0]["plugins"] = [plugin]
    return document


def loaded(folder, document):
    """Load it as a file without runtime.yaml."""
    path = folder / "config.yaml"
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return load(path)


def test_stock_config_with_services_stores_and_prose_loads(tmp_path):
    """What changes neither a decision nor a protection is ignored, and named once."""
    document = config(
        listeners=[{"name": "http", "port": 80}],
        routing__modelCards=[{"name": "small", "modality": "text", "description": "small", "tags": ["x"]}],
        global__router={"strategy": "priority", "streamed_body": {"enabled": True}},
        global__services={"observability": {"metrics": {"enabled": True}}, "management_api": {"port": 1}},
        global__stores={"memory": {"enabled": False}, "response_cache": {"enabled": True, "similarity_threshold": 0.8}},
        global__model_catalog={"modules": {"prompt_guard": {"enabled": True, "threshold": 0.7, "on_error": "allow"}}},
    )
    assert loaded(tmp_path, document).program.routes
    ignored = split(document).ignored
    assert {
        "routing.modelCards.description",
        "global.services.observability",
        "global.model_catalog.modules.prompt_guard",
    } <= set(ignored)
    assert not split(document).refused


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"listeners": [{"name": "a", "api_keys": ["k"]}]}, "listeners[0].api_keys: not supported: the gateway"),
        ({"global__services__authz": {"fail_open": True}}, "global.services.authz.fail_open: not supported"),
        ({"global__services__ratelimit": {"providers": [{"type": "local"}]}}, "global.services.ratelimit"),
        ({"global__router__skip_processing": {"enabled": True}}, "global.router.skip_processing: not supported"),
        ({"global__router__fallback": {"version": 1}}, "global.router.fallback: not supported"),
        ({"routing__data_policy": {"replay": True}}, "routing.data_policy.replay: not supported"),
        ({"global__router__strategie": "x"}, "global.router.strategie: not supported; remove it"),
        ({"providers__defaults__default_model": "x"}, "`vllm-sr config migrate`"),
        ({"global__model_catalog__unknown": 1}, "global.model_catalog.unknown: not supported"),
    ],
)
def test_field_that_protects_or_decides_is_refused_by_name(tmp_path, extra, message):
    """Nothing that keeps somebody out or chooses a model is dropped."""
    with pytest.raises(UserError) as refused:
        loaded(tmp_path, config(**extra))
    assert message in str(refused.value)


def test_tools_are_chosen_by_similarity_only_if_a_decision_does(tmp_path):
    """The database of tools alone changes no request, and neither does a decision that names its tools."""
    tools = {"enabled": True, "tools_db_path": "tools.json"}
    assert loaded(tmp_path, config(global__integrations__tools=tools))
    for off in ({"mode": "none"}, {"mode": "passthrough", "semantic_selection": False}):
        document = with_plugin(type="tools", configuration={"enabled": True, **off})
        document["global"] = {"integrations": {"tools": tools}}
        assert loaded(tmp_path, document)
    document["routing"]["decisions"][0]["plugins"][0]["configuration"]["semantic_selection"] = True
    with pytest.raises(
        UserError, match=r"global.integrations.tools: not supported: tools are not chosen by similarity"
    ):
        loaded(tmp_path, document)


def test_models_of_cards_alone_are_served(tmp_path):
    """A gateway may have all endpoints, and a default is needed only by requests that match no decision."""
    document = config(routing__modelCards=[{"name": "small"}, {"name": "big"}], providers={})
    with pytest.raises(UserError, match=r"providers.defaults.model: is required, because some request"):
        loaded(tmp_path, document)
    decisions = document["routing"]["decisions"]
    decisions.append({"name": "rest", "rules": {"operator": "and", "conditions": []}, "modelRefs": [{"model": "big"}]})
    program = loaded(tmp_path, document).program
    assert set(program.models) == {"small", "big"}
    assert program.default == "big"
    decisions.append({"name": "default", "rules": {"type": "keyword", "name": "urgent"}})
    with pytest.raises(UserError, match=r"providers.defaults.model: is required"):
        loaded(tmp_path, document)


def test_config_without_models_serves_nothing(tmp_path):
    """The reason is named, not the fields that are missing."""
    with pytest.raises(UserError, match=r"providers.models: none is defined, so that nothing could be served"):
        loaded(tmp_path, {"version": "v0.3", "listeners": [], "providers": {}, "routing": {}, "global": {}})


@pytest.mark.parametrize("name", ["skip_processing", "fallback", "learning"])
def test_block_that_is_switched_off_is_ignored(tmp_path, name):
    """A protection or choice that is off needs no execution."""
    assert loaded(tmp_path, config(**{f"global__router__{name}": {"enabled": False}}))


def test_plugin_that_is_not_executed_is_refused_unless_off(tmp_path):
    """A plugin that checks answers blocks the start, and one that is off does not."""
    assert loaded(tmp_path, with_plugin(type="response_jailbreak", configuration={"enabled": False}))
    with pytest.raises(UserError, match=r"plugins\[0\]: response_jailbreak is not executed here"):
        loaded(tmp_path, with_plugin(type="response_jailbreak", configuration={"enabled": True}))


def test_module_of_attacks_matters_once_a_decision_asks_for_them():
    """A detector that lets requests pass when it fails is refused where a signal reads it."""
    document = config(
        routing__signals__jailbreak=[{"name": "attack", "threshold": 0.7}],
        global__model_catalog__modules__prompt_guard={"enabled": True, "on_error": "allow"},
    )
    assert not split(document).refused
    document["routing"]["decisions"][0]["rules"]["conditions"].append({"type": "jailbreak", "name": "attack"})
    (refused,) = split(document).refused
    assert refused.startswith("global.model_catalog.modules.prompt_guard.on_error: not supported: requests would pass")


def test_signals_beside_one_that_is_used_keep_their_labels():
    """A domain that no decision uses may own a label, which then is not that of the domain that is used."""
    domains = [{"name": "math"}, {"name": "stem", "mmlu_categories": ["math"]}]
    document = config(routing__signals__domains=domains)
    assert split(document).document["routing"]["signals"]["domains"] == []
    document["routing"]["decisions"][0]["rules"]["conditions"].append({"type": "domain", "name": "math"})
    signals = RouterConfig.model_validate(split(document).document).routing.signals
    assert category_labels(signals.domains, frozenset({"math", "law"})) == {
        "math": frozenset(),
        "stem": frozenset({"math"}),
    }


def test_embeddings_beside_one_that_is_used_stay():
    """One that reaches its threshold keeps near misses of the others from holding."""
    rules = [{"name": name, "threshold": 0.8, "candidates": [name]} for name in "ab"]
    document = config(routing__signals__embeddings=rules)
    document["routing"]["decisions"][0]["rules"]["conditions"].append({"type": "embedding", "name": "a"})
    assert [rule["name"] for rule in split(document).document["routing"]["signals"]["embeddings"]] == ["a", "b"]


@pytest.mark.parametrize("odd", [1, [1], {"a": 1}, [[{}]], "", True])
@pytest.mark.parametrize(
    "path",
    ["listeners", "providers", "providers__models", "routing", "routing__modelCards", "routing__signals",
     "routing__signals__domains", "routing__strategy", "routing__decisions", "recipes", "global", "global__router",
     "global__router__strategy", "global__router__auto_model_name", "global__stores__response_cache", "version"],
)  # fmt: skip
def test_value_of_another_kind_is_read_or_refused(tmp_path, path, odd):
    """Any value at any place ends in a config that is served or in a reason, never in a traceback."""
    with suppress(UserError):
        loaded(tmp_path, config(**{path: odd}))


@pytest.mark.parametrize("odd", [1, [1], {"a": 1}, [[{}]], "", True, None])
@pytest.mark.parametrize("key", ["type", "configuration"])
def test_plugin_of_another_kind_is_read_or_refused(tmp_path, key, odd):
    """Types of plugins and what they state may be any value."""
    with suppress(UserError):
        loaded(tmp_path, with_plugin(**{"type": "response_cache", "configuration": {}, key: odd}))


def test_all_reasons_are_named(tmp_path):
    """A config with many faults names each of them, so that one look is enough."""
    document = config(**{f"global__router__odd{i}": 1 for i in range(9)}, version="v0.9")
    with pytest.raises(UserError) as refused:
        loaded(tmp_path, document)
    assert all(f"global.router.odd{i}:" in str(refused.value) for i in range(9))
    assert "version: Input should be 'v0.3'" in str(refused.value)


def test_lifetime_in_the_store_of_answers_holds_for_decisions():
    """A decision that caches and says nothing has the lifetime of the store, and not its similarity."""
    document = with_plugin(type="semantic-cache", configuration={"enabled": True})
    document["global"] = {"stores": {"response_cache": {"similarity_threshold": 0.91, "ttl_seconds": 7}}}
    plugin = split(document).document["routing"]["decisions"][0]["plugins"][0]
    assert plugin["configuration"] == {"enabled": True, "ttl_seconds": 7}
    document["global"]["stores"]["response_cache"]["enabled"] = False
    assert "response_cache.enabled: not supported: it is off" in split(document).refused[0]


def test_reference_to_the_environment_is_refused_by_place_and_never_repeated(tmp_path):
    """The stock router would replace it. Two dollar signs are one, as there."""
    document = config()
    document["routing"]["signals"]["keywords"][0]["keywords"] = ["${SECRET:-abc}"]
    with pytest.raises(UserError, match=r"keywords\[0\].keywords\[0\]: references to the environment") as refused:
        loaded(tmp_path, document)
    assert "abc" not in str(refused.value)
    document["routing"]["signals"]["keywords"][0]["keywords"] = ["a$$b", "a$"]
    assert split(document).document["routing"]["signals"]["keywords"][0]["keywords"] == ["a$b", "a$"]


@pytest.mark.parametrize("word", ["yes", "off", "NO", "010", "1_000"])
def test_plain_text_that_older_readers_take_for_another_value_is_refused(tmp_path, word):
    """``[yes]`` is true for the stock router; in quotes it is a word for both."""
    with pytest.raises(UserError, match=rf"config.yaml:\d+:\d+: the stock router reads {word} otherwise"):
        loaded(tmp_path, CONFIG.replace("[now]", f"[{word}]"))
    assert loaded(tmp_path, CONFIG.replace("[now]", f"['{word}']"))


def test_rows_name_fields_of_the_contract():
    """A row of the table is of a field, a value or a plugin that release 0.4.0 or 0.3.0 has."""
    known = {
        f"{name}.{field}"
        for release in ("0.4.0", "0.3.0")
        for name, fields in definitions(release).items()
        for field in fields
    }
    known |= {f"{name}.*" for name in definitions()}
    rows = {row.partition("=")[0] for row in table().rows} | set(table().needs)
    assert rows - known <= set()


POSITIONED = """\
version: v0.3
x: &plugins
  - {type: memory, configuration: {enabled: true}}
providers:
  defaults: &d {model: small, nothing: 1}
  models: [{name: small, backend_refs: []}]
routing:
  decisions:
    - name: one
      plugins: *plugins
    - <<: {priority: 1, emits: [{kind: retention}]}
      name: two
      modelRefs: [{model: small,
                   lora_name: missing}]
"""


def test_reasons_have_line_and_column(tmp_path):
    """What an alias or a merge key brings has the position where it is written."""
    with pytest.raises(UserError) as refused:
        loaded(tmp_path, POSITIONED)
    message = str(refused.value)
    assert message.startswith("config.yaml:3:5: routing.decisions[0].plugins[0]: memory is not executed here")
    for reason in ("2:4: x: not supported", "5:40: providers.defaults.nothing: ", "11:32: routing.decisions[1].emits"):
        assert reason in message


def test_reason_that_needs_the_whole_config_has_a_position_too(tmp_path):
    """Names are compared once all fields are known to be executed. What is missing has the position of its owner."""
    text = POSITIONED.replace("x: &plugins\n  - {type: memory, configuration: {enabled: true}}\n", "")
    for part in ("      plugins: *plugins\n", ", nothing: 1", ", emits: [{kind: retention}]"):
        text = text.replace(part, "")
    with pytest.raises(UserError, match=r"config.yaml:11:31: routing.decisions\[1\].modelRefs\[0\].lora_name: "):
        loaded(tmp_path, text)
    with pytest.raises(UserError, match=r"config.yaml:4:12: providers.models\[0\].name: Field required"):
        loaded(tmp_path, text.replace("{name: small, backend_refs: []}", "{backend_refs: []}"))
