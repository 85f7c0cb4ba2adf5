"""A conversation that escalates never moves down, however long it is, and models read a bounded number of its asks."""

from __future__ import annotations

import random
from functools import lru_cache

import pytest

from support.compiled_program import machine
from support.properties import FACTOR, FUZZING
from support.spoken import asked, decide
from vsr_runtime.decision.conversation.candidates import MAX_ASKS
from vsr_runtime.decision.request.states import MachineConfig

BOUND = 12 * (FACTOR if FUZZING else 1)
RANKS = {"small": 0, "middle": 1, "large": 2}
UP = "{mode: escalate, order: [small, middle, large]}"
MATH, LAW, OTHER = (
    asked("Go.", **shares) for shares in ({"math": 90, "law": 5}, {"law": 90, "math": 5}, {"math": 10, "law": 10})
)


@lru_cache(maxsize=8)
def talks(stickiness: str = UP, law: str = "", routes: str = "") -> MachineConfig:
    """Return the machine of a policy whose models have an order."""
    return machine(f"""\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {{name: talks}}
router: {{image: "registry.example/vsr-runtime:0.1.0"}}
gitops: {{repo: "https://git.example.com/team/routing.git"}}
endpoints: {{a: {{service: "a:8000"}}, b: {{service: "b:8000"}}, c: {{service: "c:8000"}}}}
models: {{small: {{endpoints: a}}, middle: {{endpoints: b}}, large: {{endpoints: c}}}}
categories:
  math: {{description: Numbers, examples: ["one", "two", "three", "four", "five"]}}
  law: {{description: Courts, examples: ["six", "seven", "eight", "nine", "ten"]}}
signals:
  torts: {{keywords: [torts]}}
  tides: {{keywords: [tides]}}
  talk: {{conversation: {{role: user, min: 5, max: 7}}}}
routes:
  - {{name: torts, when: {{signal: torts}}, model: large}}
  - {{name: tides, when: {{signal: tides}}, model: middle}}
{routes}  - {{name: math, when: {{category: math}}, model: middle}}
  - {{name: law, when: {{category: law}}, model: large{law}}}
default: small
stickiness: {stickiness}
""")


def path(config: MachineConfig, turns: list[str]) -> list[str]:
    """Return the models of a conversation's requests. Models never read more than the bound."""
    found = [decide(config, turns[: number + 1]) for number in range(len(turns))]
    assert max(read for _, read in found) <= MAX_ASKS
    return [model for model, _ in found]


def different(number: int, shares: str) -> str:
    """Return an ask that no other one equals."""
    return f"{number}. {shares}"


def never_down(models: list[str]) -> bool:
    """Return whether no request has a lower model than the one before."""
    ranks = [RANKS[model] for model in models]
    return ranks == sorted(ranks)


@pytest.mark.property
def test_a_conversation_of_forty_turns_never_moves_down() -> None:
    """With asks that models read, asks that rules decide, and replies; up to 90 turns."""
    for seed in range(BOUND):
        chance = random.Random(seed)  # noqa: S311 - examples
        kinds = [OTHER, OTHER, OTHER, MATH, LAW, asked("On tides?"), asked("On torts?"), "continue"]
        odds = chance.choice(([9, 9, 9, 1, 1, 1, 0, 9], [9, 9, 9, 0, 1, 0, 1, 0], [30, 30, 30, 1, 1, 0, 0, 3]))
        length = 90 if seed % 6 == 0 else 40
        turns = [different(number, kind) for number, kind in enumerate(chance.choices(kinds, odds, k=length))]
        turns = [turn if "```" in turn else "continue" for turn in turns]
        assert never_down(path(talks(), turns)), (seed, turns)


@pytest.mark.parametrize("place", [0, 7, 13, 14, 15, 16, 17, 25, 39, 60, 62, 64, 80])
@pytest.mark.parametrize("kind", [LAW, asked("On torts?")])
def test_a_conversation_stays_up_wherever_its_hard_ask_is(place: int, kind: str) -> None:
    """An ask that counts moves it up at once; one beyond the limits moves nothing."""
    asks = [OTHER] * 85
    asks[place] = kind
    turns = [different(number, ask) for number, ask in enumerate(asks)]
    models = [decide(talks(), turns[: number + 1])[0] for number in range(max(place - 1, 0), min(place + 4, 85))]
    assert never_down(models)
    counts = place < (MAX_ASKS - 1 if kind is LAW else 62)
    assert set(models[2 if place else 1 :]) == {"large" if counts else "small"}


def test_an_ask_that_rules_decide_counts_beyond_those_that_models_read() -> None:
    """Twenty asks that models read, then one by a keyword; and the same ask again costs nothing."""
    turns = [different(number, OTHER) for number in range(20)]
    assert path(talks(), [*turns, asked("On tides?"), *turns])[19:] == ["small", *["middle"] * 21]
    assert decide(talks(), [OTHER] * 40 + [LAW] + [OTHER] * 10) == ("large", 2)


def test_an_ask_beyond_the_limit_is_still_answered_by_a_fixed_answer() -> None:
    """It is read, though it cannot move the conversation."""
    fixed = talks(routes="  - {name: no, when: {category: law}, respond: No advice.}\n")
    turns = [different(number, OTHER) for number in range(30)]
    assert decide(fixed, [*turns, LAW]) == ("fast_response", MAX_ASKS)
    assert decide(fixed, [*turns, LAW, different(31, OTHER)])[0] == "small"


def test_other_modes_follow_asks_beyond_the_limit_but_escalations_hold() -> None:
    """Of single routes: law escalates, the others do not."""
    config = talks("{mode: conversation, order: [small, middle, large]}", law=", stickiness: {mode: escalate}")
    turns = [different(number, OTHER) for number in range(30)]
    assert path(config, [*turns, different(30, MATH), different(31, OTHER)])[-2:] == ["middle", "small"]
    assert path(config, [*turns, different(30, LAW), different(31, OTHER)])[-2:] == ["small", "small"]
    assert path(config, [turns[0], LAW, *turns, MATH])[1:] == ["large"] * 32


def test_a_route_for_some_lengths_of_the_conversation_is_not_left_by_its_end() -> None:
    """From the fifth to the seventh message, also if they are replies."""
    config = talks(routes="  - {name: talk, when: {signal: talk}, model: large}\n")
    assert path(config, [OTHER, *["continue"] * 11]) == [*["small"] * 4, *["large"] * 8]
    assert path(config, [OTHER, *["continue"] * 8, different(9, OTHER)])[-2:] == ["large", "large"]
