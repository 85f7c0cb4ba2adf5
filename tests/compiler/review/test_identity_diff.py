"""Who is served after a change and who is not, in words, and which of it is breaking."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from vsr_compiler.review.breaking import RULES
from vsr_compiler.review.identity_diff import OPENED, REFUSED, identity_changes
from vsr_compiler.review.traffic import read_traffic
from vsr_compiler.review.traffic_diff import traffic_changes

Body = dict[str, Any]
TOKENS: Body = {
    "headers": {"user": "x-authz-user-id", "team": "x-authz-team-id"},
    "allow": {"gpt": [{"attribute": "team", "values": ["research", "product"]}]},
    "signals": {"research": [{"attribute": "team", "values": ["research"]}]},
}
KEYS: Body = {
    "keys": [
        {"file": "keys/ada", "attributes": {"user": "ada", "team": "research"}},
        {"file": "keys/bot", "attributes": {"user": "bot"}},
    ]
}
FRONT: Body = {"headers": {"user": "x-front-user"}, "networks": ["10.1.0.0/16"]}


def change(body: Body, edit: Callable[[Body], object]) -> Body:
    """A copy with one change."""
    changed = copy.deepcopy(body)
    edit(changed)
    return changed


CASES = [
    ({}, TOKENS, "clients are authenticated, by tokens: others are refused", REFUSED),
    (TOKENS, {}, "clients are no longer authenticated: everybody is served", OPENED),
    (TOKENS, {}, "model gpt is for all clients", OPENED),
    (TOKENS, KEYS, "clients are authenticated by keys, were by tokens", REFUSED),
    ({}, TOKENS, "model gpt is only for clients of team product, team research", REFUSED),
    (
        TOKENS,
        change(TOKENS, lambda new: new["allow"]["gpt"][0]["values"].append("interns")),
        "model gpt is also for clients of team interns",
        OPENED,
    ),
    (
        TOKENS,
        change(TOKENS, lambda new: new["allow"]["gpt"][0]["values"].remove("product")),
        "model gpt is not for clients of team product",
        REFUSED,
    ),
    (KEYS, change(KEYS, lambda new: new["keys"].pop()), "the key keys/bot of bot is gone", REFUSED),
    (change(KEYS, lambda new: new["keys"].pop()), KEYS, "the key keys/bot of bot is new", ""),
    (
        KEYS,
        change(KEYS, lambda new: new["keys"][1]["attributes"].update(user="root")),
        "the client of the key keys/bot: attributes.user bot → root",
        "",
    ),
    (
        FRONT,
        change(FRONT, lambda new: new["networks"].append("10.2.0.0/16")),
        "requests from 10.2.0.0/16 are believed",
        OPENED,
    ),
    (
        FRONT,
        change(FRONT, lambda new: new.update(networks=["10.3.0.0/16"])),
        "requests from 10.1.0.0/16 are refused",
        REFUSED,
    ),
    (
        TOKENS,
        change(TOKENS, lambda new: new["signals"]["research"][0].update(values=["lab"])),
        "signals: research[0].values[] research → not set",
        "",
    ),
]


@pytest.mark.parametrize(("old", "new", "text", "rule"), CASES, ids=[case[2] for case in CASES])
def test_change_of_who_is_served_is_said_with_its_rule(old: Body, new: Body, text: str, rule: str) -> None:
    """In the diff, and by the rules for breaking changes under the same tag."""
    changes = {item.text: item for item in identity_changes(old, new)}
    assert changes[text].breaking == rule
    sides = [read_traffic({}, {"identity": side}) for side in (old, new)]
    assert changes[text].tag in {item.tag for item in traffic_changes(*sides)}
    assert not rule or rule in {item.name for item in RULES}


@pytest.mark.parametrize("body", [{}, TOKENS, KEYS, FRONT])
def test_what_is_equal_is_no_change(body: Body) -> None:
    """Whatever it is."""
    assert list(identity_changes(body, copy.deepcopy(body))) == []


@pytest.mark.parametrize(
    "broken", [{"keys": 1}, {"allow": [1]}, {"networks": {}}, {"allow": {"gpt": 3}}, {"keys": [1]}]
)
def test_file_that_is_no_settings_is_no_error(broken: Body) -> None:
    """Both sides may be anything."""
    list(identity_changes(broken, TOKENS))
    list(identity_changes(TOKENS, broken))
