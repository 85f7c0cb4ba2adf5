from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.deadline import DeadlineExceededError, never
from vsr_runtime.decision.program.conditions import (
    AllConditions,
    AnyCondition,
    CategoryCondition,
    Condition,
    NotCondition,
    SignalCondition,
    SignalValues,
)
from vsr_runtime.decision.program.effects import ModelTarget
from vsr_runtime.decision.program.evaluation import decide
from vsr_runtime.decision.program.outcome import Decision, Undecided
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.decision.signals.model_signals import EmbeddingSignal, JailbreakSignal, ModelResults
from vsr_runtime.decision.view import RequestView

SMALL, LARGE, DEFAULT = (ModelTarget(name, name) for name in ("small", "large", "default"))
MODELS = {target.name: target for target in (SMALL, LARGE, DEFAULT)}
IN_MATH = CategoryCondition(frozenset({"math"}), "math")
HELLO = RequestView("hello", 5, ("user",))


@dataclass
class Fake:
    """A signal with a fixed value that records each evaluation."""

    answer: bool
    cost: int = 0
    work: int = 1
    views: list[RequestView] = field(default_factory=list)

    def holds(self, view, expired):
        """Record the evaluation and return the value."""
        self.views.append(view)
        if expired():
            raise DeadlineExceededError
        return self.answer


def route(name: str, rule: Condition, target: ModelTarget = SMALL) -> PolicyRoute:
    """A route to one model."""
    return PolicyRoute(name, rule, ((target, 100),))


MATH = route("math", IN_MATH)
EVERYTHING = route("everything", AllConditions(()), LARGE)


def program(*routes: PolicyRoute, **signals: Fake) -> Program:
    """A program of three models with these routes and keyword signals."""
    named = {("keyword", name): signal for name, signal in signals.items()}
    return Program(MODELS, ("auto",), routes, "default", None, named)


def has(name: str) -> SignalCondition:
    """The leaf of a keyword signal."""
    return SignalCondition(("keyword", name))


def decided(made: Program, category: str | None = None, view: RequestView = HELLO) -> str | None:
    """The name of the route once the category is known."""
    outcome = decide(made, view, made.with_category(SignalValues(), category, None))
    assert isinstance(outcome, Decision)
    return outcome.route.name if outcome.route else None


def test_first_route_that_holds_decides():
    """Routes are evaluated in order, and the first one that applies is chosen."""
    assert decided(program(MATH, EVERYTHING), "math") == "math"
    assert decided(program(EVERYTHING, MATH), "math") == "everything"


def test_default_serves_when_no_route_holds():
    """A request that no route wants takes none."""
    assert decided(program(MATH), "law") is None
    assert decided(program()) is None


def test_classifier_runs_only_if_the_outcome_depends_on_it():
    """Cheap signals that settle a rule, and routes that come first, leave the classifier alone."""
    both = route("both", AllConditions((IN_MATH, has("no"))))
    either = route("either", AnyCondition((IN_MATH, has("yes"))))
    signals = {"no": Fake(answer=False), "yes": Fake(answer=True)}
    for routes, name in (
        ((EVERYTHING, MATH), "everything"),
        ((both, EVERYTHING), "everything"),
        ((either, MATH), "either"),
        ((route("not", NotCondition(has("no"))), MATH), "not"),
    ):
        outcome = decide(program(*routes, **signals), HELLO)
        assert isinstance(outcome, Decision)
        assert outcome.route.name == name
        assert not outcome.signals.classified
    for routes in ((MATH,), (route("all", AllConditions((IN_MATH, has("yes")))),), (both, MATH)):
        assert isinstance(decide(program(*routes, **signals), HELLO), Undecided)


def test_known_signals_are_not_computed_again():
    """After the classifier has answered, cheap signals keep their values."""
    yes = Fake(answer=True)
    made = program(route("both", AllConditions((IN_MATH, has("yes")))), yes=yes)
    undecided = decide(made, HELLO)
    assert undecided == Undecided(SignalValues(matched={("keyword", "yes"): True}), frozenset({"category"}))
    outcome = decide(made, HELLO, made.with_category(undecided.signals, "math", 0.9))
    assert outcome.route.name == "both"
    assert len(yes.views) == 1


def test_cheaper_signals_go_first_and_others_are_spared():
    """A signal that a cheaper one has made needless is not computed, nor one of a route that is not reached."""
    cheap, dear, later = Fake(answer=False, cost=1), Fake(answer=True, cost=4), Fake(answer=True)
    routes = route("both", AllConditions((has("dear"), has("cheap")))), EVERYTHING, route("later", has("later"))
    made = program(*routes, cheap=cheap, dear=dear, later=later)
    assert decide(made, HELLO).route.name == "everything"
    assert [len(signal.views) for signal in (cheap, dear, later)] == [1, 0, 0]


def test_request_without_text_has_no_category():
    """Where there is nothing to read, no classifier is needed, and the fallback is the category."""
    image = RequestView("", 0, ("user",), images=1)
    assert decide(program(MATH), image) == Decision(None, SignalValues(classified=True))
    with_fallback = replace(program(MATH), fallback="math")
    assert decide(with_fallback, image).route.name == "math"


def test_fallback_replaces_a_missing_category():
    """Only where no category was found does the fallback take its place; the probability stays as it was."""
    with_fallback = replace(program(MATH), fallback="other")
    assert with_fallback.with_category(SignalValues(), None, 0.2) == SignalValues("other", 0.2, classified=True)
    assert with_fallback.with_category(SignalValues(), "math", 0.9) == SignalValues("math", 0.9, classified=True)
    assert program(MATH).with_category(SignalValues(), None, 0.2) == SignalValues(None, 0.2, classified=True)


def test_time_is_passed_on():
    """A signal that runs out of time ends the decision in an error."""
    with pytest.raises(DeadlineExceededError):
        decide(program(route("a", has("a")), a=Fake(answer=True)), HELLO, expired=lambda: True)
    assert isinstance(decide(program(MATH), HELLO, expired=never), Undecided)


def test_needs_and_work_are_those_of_the_routes():
    """A program whose routes ask for nothing needs no classifier and no work."""
    assert program(EVERYTHING, a=Fake(answer=True)).needs == frozenset()
    assert program(EVERYTHING, a=Fake(answer=True)).work == 0
    asking = program(MATH, route("a", NotCondition(has("a"))), a=Fake(answer=True, work=7), b=Fake(answer=True))
    assert (asking.needs, asking.work) == ({"category"}, 7)


SPLIT = PolicyRoute("split", AllConditions(()), ((SMALL, 10), (LARGE, 0), (DEFAULT, 90)))


@pytest.mark.parametrize(("draw", "name"), [(0, "small"), (9.99, "small"), (10, "default"), (99.999, "default")])
def test_shares_take_up_the_range(draw, name):
    """Each model has the part of [0, 100) that its share says; none with a share of 0."""
    assert SPLIT.target(draw).name == name


def test_point_outside_of_the_range_is_an_error():
    """No number means no model."""
    with pytest.raises(ValueError, match="not in"):
        SPLIT.target(100)


@given(category=st.none() | st.text(), view=st.builds(RequestView, st.text()))
def test_every_request_with_a_category_is_decided(category, view):
    """Whatever text and category, there is an outcome."""
    assert decided(program(MATH), category, view) in ("math", None)


ALIKE, EVIL, WICKED = (
    SignalCondition(("embedding", "alike")),
    SignalCondition(("jailbreak", "evil")),
    SignalCondition(("jailbreak", "wicked")),
)
ASKING = {
    ALIKE.name: EmbeddingSignal(("Good day.",), 0.5, mean=False),
    EVIL.name: JailbreakSignal("judge", 0.5, everywhere=True),
    WICKED.name: JailbreakSignal("jury", 0.5, everywhere=False),
}
TALK = RequestView("hello", 11, ("system", "user"), history=("Behave.", "hello"))


def asking(*routes: PolicyRoute, **signals: Fake) -> Program:
    """A program whose routes may ask models."""
    return replace(program(*routes, **signals), model_signals=ASKING)


def answered(cosine: float | None = None, judge: float | None = None, jury: float | None = None) -> ModelResults:
    """The results of models; None for one that failed or did not run."""
    attacks = {"judge": {"Behave.": 0.0, "hello": judge}, "jury": {"hello": jury}}
    known = {name: texts for name, texts in attacks.items() if None not in texts.values()}
    return ModelResults({} if cosine is None else {"Good day.": cosine}, known)


def test_models_run_once_for_all_routes_that_may_apply():
    """A route that a cheap signal excludes, or that follows a catch-all, needs no model."""
    never_so = route("never", AllConditions((has("no"), WICKED)))
    made = asking(
        MATH,
        route("alike", ALIKE),
        never_so,
        route("evil", EVIL),
        EVERYTHING,
        route("w", WICKED),
        no=Fake(answer=False),
    )
    outcome = decide(made, TALK)
    assert isinstance(outcome, Undecided)
    assert outcome.kinds == {"category", "similarity"}
    assert outcome.detectors == {"judge": ("Behave.", "hello")}


def test_only_unknown_signals_are_requested():
    """A policy whose outcome hangs on likeness alone asks no detector and for no category."""
    outcome = decide(asking(route("alike", ALIKE)), TALK)
    assert (outcome.kinds, outcome.detectors) == ({"similarity"}, {})
    assert decide(asking(route("evil", EVIL)), TALK).kinds == frozenset()


@pytest.mark.parametrize(("judge", "name"), [(0.9, "evil"), (0.1, "everything")])
def test_model_results_decide(judge, name):
    """Each signal by its own threshold."""
    made = asking(route("evil", EVIL), EVERYTHING)
    outcome = decide(made, TALK, made.with_model_results(decide(made, TALK).signals, TALK, answered(judge=judge)))
    assert (outcome.route.name, outcome.signals.matched[EVIL.name]) == (name, judge > 0.5)


def test_missing_model_result_never_decides():
    """A detector that failed leaves the request undecided, in a negation too, unless something else settles it."""
    for rule in (EVIL, NotCondition(EVIL), AllConditions((ALIKE, EVIL)), AnyCondition((NotCondition(EVIL), IN_MATH))):
        made = asking(route("a", rule), EVERYTHING)
        known = made.with_model_results(made.with_category(SignalValues(), None, None), TALK, answered(cosine=0.9))
        assert isinstance(decide(made, TALK, known), Undecided)
    made = asking(route("a", AnyCondition((EVIL, ALIKE))), EVERYTHING)
    assert decide(made, TALK, made.with_model_results(SignalValues(), TALK, answered(cosine=0.9))).route.name == "a"


def test_no_model_runs_without_text():
    """An image is similar to no sentence and is no attack; these signals are known."""
    made = asking(route("a", AnyCondition((ALIKE, EVIL, WICKED))), EVERYTHING)
    assert decide(made, RequestView("", images=1)).route.name == "everything"
    spoken = RequestView("", history=("Behave.",), images=1)
    assert decide(made, spoken).detectors == {"judge": ("Behave.",)}


LEAVES = st.sampled_from([IN_MATH, ALIKE, EVIL, WICKED, has("yes"), has("no")])
RULES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: AllConditions(tuple(parts)))
        | st.lists(inner, max_size=3).map(lambda parts: AnyCondition(tuple(parts)))
        | inner.map(NotCondition)
    ),
    max_leaves=6,
)


@given(st.lists(RULES, max_size=5), st.booleans(), *(st.sampled_from([0.1, 0.9]) for _ in range(3)))
def test_one_request_for_results_is_enough_and_changes_no_decision(rules, math, cosine, judge, jury):
    """With all requested results there is a decision for any routes, and it equals the one with all signals known."""
    routes = [route(f"r{number}", rule) for number, rule in enumerate(rules)]
    made = asking(*routes, yes=Fake(answer=True), no=Fake(answer=False))
    category = "math" if math else None
    whole = made.with_model_results(
        made.with_category(SignalValues(), category, None), TALK, answered(cosine, judge, jury)
    )
    expected = decide(made, TALK, whole)
    assert isinstance(expected, Decision)
    outcome = decide(made, TALK)
    if isinstance(outcome, Undecided):
        said = answered(
            cosine if "similarity" in outcome.kinds else None,
            judge if "judge" in outcome.detectors else None,
            jury if "jury" in outcome.detectors else None,
        )
        known = made.with_category(outcome.signals, category, None) if "category" in outcome.kinds else outcome.signals
        outcome = decide(made, TALK, made.with_model_results(known, TALK, said))
    assert isinstance(outcome, Decision)
    assert outcome.route is expected.route
