"""How clearly a new ask must win for a conversation to leave its route, and routes with a mode of their own."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.compiled_program import machine
from support.properties import examples
from support.spoken import asked, decide
from vsr_runtime.decision.request.states import MachineConfig

LONG = "A long answer. " * 200
MATH = asked("How long is this?", math=90, law=5, trivia=5)


@lru_cache(maxsize=64)
def talks(stickiness: str = "{}", price: str = "", route: str = "") -> MachineConfig:
    """Return the machine of a policy with two categories, a model with this price, and a route with this mode."""
    return machine(f"""\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {{name: talks}}
router: {{image: "registry.example/vsr-runtime:0.1.0"}}
gitops: {{repo: "https://git.example.com/team/routing.git"}}
endpoints: {{a: {{service: "a:8000"}}, b: {{service: "b:8000"}}, c: {{service: "c:8000"}}}}
models:
  small: {{endpoints: a}}
  middle: {{endpoints: b{price and f", price: {price}"}}}
  large: {{endpoints: c}}
categories:
  math: {{description: Numbers, examples: ["one", "two", "three", "four", "five"]}}
  law: {{description: Courts, examples: ["six", "seven", "eight", "nine", "ten"]}}
  trivia: {{description: Small talk, examples: ["hello", "bye", "night", "day", "noon"]}}
signals:
  hours: {{keywords: [opening hours]}}
routes:
  - {{name: hours, when: {{signal: hours}}, respond: From nine to five.}}
  - {{name: math, when: {{category: math}}, model: middle{route and f", stickiness: {route}"}}}
  - {{name: law, when: {{category: law}}, model: large}}
default: small
stickiness: {stickiness}
""")


def law(lead: int) -> str:
    """Return an ask about law, which leads by so many per cent."""
    return asked("Who is liable?", math=50 - lead // 2, law=50 - lead // 2 + lead)


def after_math(config: MachineConfig, lead: int, answer: str = "Done.") -> str:
    """Return the model of an ask about law that follows one about math."""
    return decide(config, [MATH, law(lead)], answer)[0]


def test_a_margin_holds_the_route_when_the_new_one_wins_by_less() -> None:
    """And lets it go when it wins by as much or more."""
    assert [after_math(talks("{margin: 0.3}"), lead) for lead in (2, 20, 28, 32, 60)] == [
        *["middle"] * 3,
        *["large"] * 2,
    ]
    assert [after_math(talks(), lead) for lead in (2, 60)] == ["large", "large"]


def test_an_ask_below_the_threshold_stays_with_a_margin() -> None:
    """The classifier does not know it; without a margin it goes to the default model."""
    unknown = asked("What is the weather like?", math=20, law=15)
    assert decide(talks("{margin: 0.1}"), [MATH, unknown])[0] == "middle"
    assert decide(talks(), [MATH, unknown])[0] == "small"


def test_a_cheaper_cached_prefix_raises_the_margin_that_is_needed() -> None:
    """With two thirds of the margin a cache that is almost free holds, and one that saves half does not."""
    prices = ["{prompt: 10, completion: 20, cachedPrompt: %s}" % cached for cached in (0, 1, 5, 9, 10)]  # noqa: UP031
    found = [after_math(talks("{margin: 0.6}", price), 40, LONG) for price in prices]
    assert found == ["middle", "middle", "large", "large", "large"]
    assert after_math(talks("{margin: 0.6}"), 40, LONG) == "middle", "no price: the whole margin"


def test_a_short_prefix_needs_less_than_a_long_one() -> None:
    """What precedes the new ask is all that a switch would compute again."""
    config = talks("{margin: 0.6}", "{prompt: 10, completion: 20, cachedPrompt: 0}")
    assert after_math(config, 50, "Yes.") == "large"
    assert after_math(config, 50, LONG) == "middle"


def test_the_margin_is_that_of_the_route_which_is_left() -> None:
    """Not of the one that is entered."""
    config = talks("{}", route="{mode: conversation, margin: 0.5}")
    assert after_math(config, 20) == "middle"
    back = asked("How many then?", math=60, law=40)
    assert decide(config, [law(60), back])[0] == "middle"


def test_a_route_without_stickiness_is_left_by_every_turn() -> None:
    """While other routes keep their conversations."""
    config = talks(route="{mode: none}")
    assert decide(config, [MATH, "shorter please"])[0] == "small"
    assert decide(config, [law(60), "shorter please"])[0] == "large"
    kept = talks("{mode: none}", route="{mode: conversation}")
    assert decide(kept, [MATH, "shorter please"])[0] == "middle"
    assert decide(kept, [law(60), "shorter please"])[0] == "small"


@pytest.mark.parametrize("stickiness", ["{}", "{margin: 0.3}", "{mode: escalate, order: [small, middle, large]}"])
def test_a_fixed_answer_is_given_for_its_ask_and_what_continues_it(stickiness: str) -> None:
    """A new ask leaves it, whatever the mode."""
    config = talks(stickiness)
    hours = asked("What are your opening hours?")
    assert decide(config, [MATH, hours])[0] == "fast_response"
    assert decide(config, [MATH, hours, "shorter please"])[0] == "fast_response"
    assert decide(config, [MATH, hours, law(90)])[0] == "large"
    assert decide(config, [hours, MATH])[0] == "middle"


def test_a_fixed_answer_does_not_release_the_model_before_it() -> None:
    """The next ask is compared with that one."""
    hours = asked("What are your opening hours?")
    assert decide(talks("{margin: 0.5}"), [MATH, hours, law(20)])[0] == "middle"
    up = talks("{mode: escalate, order: [small, middle, large]}")
    assert decide(up, [law(90), hours, MATH])[0] == "large"
    assert decide(up, [hours, asked("And the weather?", math=10)])[0] == "small", "without a model before it"


def switches(config: MachineConfig, turns: list[str]) -> int:
    """Return how often the model of a conversation changes."""
    models = [decide(config, turns[: number + 1])[0] for number in range(len(turns))]
    return sum(old != new for old, new in pairwise(models))


@pytest.mark.property
@examples(40)
@given(start=st.sampled_from(["math", "law"]), leads=st.lists(st.integers(0, 100), min_size=1, max_size=8))
def test_a_larger_margin_never_lets_go_of_what_a_smaller_one_holds(start: str, leads: list[int]) -> None:
    """Of the first new ask that another route wins; and a margin never makes more switches than none."""
    first = MATH if start == "math" else law(90)
    other = {"math": "law", "law": "math"}[start]
    lead = leads[0]
    turn = asked("And next?", **{start: 50 - lead // 2, other: 50 - lead // 2 + lead})
    configs = [talks(f"{{margin: {margin}}}") for margin in ("0", "0.1", "0.3", "0.6", "1")]
    moved = [switches(config, [first, turn]) for config in configs]
    assert moved == sorted(moved, reverse=True)
    turns = [first]
    for number, one in enumerate(leads):
        names = ("math", "law") if number % 2 else ("law", "math")
        turns.append(asked("And next?", **{names[0]: 50 - one // 2 + one, names[1]: 50 - one // 2}))
    counts = [switches(config, turns) for config in configs]
    assert counts == sorted(counts, reverse=True)
