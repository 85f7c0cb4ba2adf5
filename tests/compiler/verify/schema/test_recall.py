"""How much of what an API server refuses is reported: objects of all bundled kinds, each with one change."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from ruamel.yaml import YAML

import support.schema_support as s
from support.schema_mutations import GONE, Mutation, applied, made, mutations
from vsr_compiler.verify.schema import bundled

SHARE = 0.98
WORDS = {"type", "required", "unknown field", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength"}
WORDS |= {"minItems", "maxItems", "duplicate"}
CEL: tuple[tuple[str, str, Any], ...] = (
    ("Gateway", "spec/listeners/0/hostname", "*"),
    ("Gateway", "spec/listeners/0/tls", {"mode": "Terminate", "certificateRefs": [{"name": "a"}]}),
    ("Gateway", "spec/listeners/1/tls/certificateRefs", []),
    ("Gateway", "spec/listeners/1/name", "http"),
    ("HTTPRoute", "spec/rules/0/matches/0/path/value", "no-slash"),
    ("HTTPRoute", "spec/rules/0/matches/0/path/value", "/a//b"),
    ("HTTPRoute", "spec/rules/0/matches/0/path/type", "Exact"),
    ("HTTPRoute", "spec/rules/0/filters/0/type", "RequestMirror"),
    ("HTTPRoute", "spec/rules/0/timeouts/request", "1s"),
    ("HTTPRoute", "spec/parentRefs", [{"name": "edge"}, {"name": "edge", "sectionName": "http"}]),
    ("BackendTLSPolicy", "spec/validation/caCertificateRefs", [{"group": "", "kind": "ConfigMap", "name": "ca"}]),
    ("BackendSecurityPolicy", "spec/type", "AWSCredentials"),
    ("ClientTrafficPolicy", "spec/targetRefs", GONE),
    ("ClientTrafficPolicy", "spec/tls/maxVersion", "1.1"),
    ("EnvoyExtensionPolicy", "spec/targetRefs/0/kind", "Service"),
)


def of_kind(group: str, kind: str, random: Random) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """A valid object of a kind with its schema; None if none is found by chance."""
    definition = s.BUNDLE.find(group, kind, s.CURRENT)
    served = [item for item in definition.versions(group, kind).values() if item.served and item.raw.get("storage")]
    if not served:
        return None
    schema = served[0].raw["schema"]["openAPIV3Schema"]
    head = {"apiVersion": f"{group}/{served[0].name}", "kind": kind, "metadata": {"name": "a"}}
    parts = {name: node for name, node in schema["properties"].items() if name not in {*head, "status"}}
    for _ in range(15):
        body = head | {name: made(node, random, 1) for name, node in parts.items()}
        if not s.refused(body):
            return body, schema
    return None


def some(found: list[Mutation], random: Random, count: int) -> list[Mutation]:
    """A sample of changes below `spec` and the like."""
    fitting = [item for item in found if item[0] and item[0][0] not in {"apiVersion", "kind", "metadata"}]
    return random.sample(fitting, min(count, len(fitting)))


def test_nearly_every_change_that_breaks_a_definition_is_reported() -> None:
    """At least 98 % of each word of schemas, over the kinds of all bundled projects."""
    random, kinds = Random(21), 0  # noqa: S311 - test data
    tried, reported = Counter[str](), Counter[str]()
    for group, kind in sorted({document.keys for document in bundled.documents()}):
        valid = of_kind(group, kind, random)
        if valid is None:
            continue
        kinds += 1
        body, schema = valid
        for path, value, word in some(list(mutations(schema, body)), random, 20):
            tried[word] += 1
            reported[word] += s.refused(applied(body, path, value))
    assert kinds > 60
    assert set(tried) == WORDS
    assert {word: reported[word] for word in tried if reported[word] < SHARE * tried[word]} == {}


@pytest.mark.parametrize(("kind", "path", "value"), CEL)
def test_object_that_breaks_a_rule_in_cel_is_reported(kind: str, path: str, value: Any) -> None:
    """Of Gateway API and the projects on it."""
    assert s.refused(YAML(typ="safe").load(s.changed(s.GOOD[kind], path, value)))
