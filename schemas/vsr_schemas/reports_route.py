"""The report of ``vsr-compile route --format json``: why one request goes where it goes."""

from __future__ import annotations

from pydantic import Field

from vsr_schemas.base import ReportModel


class AskReport(ReportModel):
    """The person's own words, which signals and the classifier read.

    Attributes:
        text: the ask; "" if no message has one.
        place: where it is in the body and how it was found, as ``x-vsr-ask`` says it.
    """

    text: str
    place: str


class ScoreReport(ReportModel):
    """A score of a model.

    Attributes:
        name: the category as ``category:math``, or the signal as ``embedding:billing``.
        score: its probability or similarity.
        threshold: what it is compared with.
        margin: the score less the threshold.
    """

    name: str
    score: float
    threshold: float
    margin: float


class TermReport(ReportModel):
    """A part of a condition, such as ``keyword:urgent``, and whether it holds; null if that was not needed."""

    name: str
    holds: bool | None = None


class RuleReport(ReportModel):
    """A route that was tried, and whether its condition holds; null if too little is known."""

    route: str
    holds: bool | None
    terms: list[TermReport] = Field(default_factory=list)


class MatchReport(ReportModel):
    """What a guard found in a request.

    Attributes:
        guard: the guard.
        action: what it does: block, mask, route or flag; ``failed`` if it could not read the text.
        type: a type of personal data, or the kind of a credential or attack.
        start: where the finding begins in the body, in code points.
        end: where it ends.
        text: what was found.
    """

    guard: str
    action: str
    type: str = ""
    start: int | None = None
    end: int | None = None
    text: str = ""


class ConversationReport(ReportModel):
    """The turns of a person that were compared.

    Attributes:
        asks: the asks that could decide the request.
        turn: what the last turn is: ``new``, ``follow-up``, or ``unsure`` if words alone do not tell.
        stick: how a conversation leaves the route; null if each request is decided by itself.
    """

    asks: int
    turn: str
    stick: str | None = None


class EffectsReport(ReportModel):
    """What the router changes in a request.

    Attributes:
        set: headers that it sets. Keys of providers are not shown.
        remove: headers that it removes.
        body: fields of the body that it changes.
    """

    set: dict[str, str] = Field(default_factory=dict)
    remove: list[str] = Field(default_factory=list)
    body: list[str] = Field(default_factory=list)


class EstimateReport(ReportModel):
    """What a request may cost, in the currency of the prices.

    Attributes:
        prompt_tokens: estimated, with four characters of the body for a token.
        prompt: the cost of the prompt if nothing of it is in a prefix cache.
        answer_at_most: the cost of the longest answer that the request allows; null if it sets no limit.
    """

    prompt_tokens: int
    prompt: float
    answer_at_most: float | None = None


class CarrierReport(ReportModel):
    """An object of a target that carries the request: its kind, its name, and what it does with the request."""

    kind: str
    name: str
    words: str


class RouteReport(ReportModel):
    """The decision of one request.

    Attributes:
        ask: the ask; null if the policy has signals read the whole last user turn, or the client named the model.
        category: its category; null if it has none or none was needed.
        probability: the probability of the category.
        signals: the other evaluated signals and whether they hold, such as ``keyword:urgent``.
        scores: the scores of categories and signals that a model computed, the best first.
        conversation: the turns that were compared; null if the client named the model.
        rules: the routes that were tried, in order; the last one matched, if any did.
        runner_up: the route that would have this request without the one that matched.
        guards: the guards that matched.
        matches: what they found.
        route: the matched route; null for the default and for a model that the client named.
        model: the model; null if the router answers the request itself.
        fallback: the models that are asked if it fails, in their order, as far as they can have this request.
        limits: the limits that count it, each with its name and in words.
        effects: what the router changes in it; null if it answers itself.
        estimate: what it may cost; null without a price.
        carriers: the objects of a target that carry it, from the listener to the endpoints.
        status: the HTTP status of that answer.
        code: the code of that answer.
    """

    ask: AskReport | None = None
    category: str | None = None
    probability: float | None = None
    signals: dict[str, bool] = Field(default_factory=dict)
    scores: list[ScoreReport] = Field(default_factory=list)
    conversation: ConversationReport | None = None
    rules: list[RuleReport] = Field(default_factory=list)
    runner_up: str | None = None
    guards: list[str] = Field(default_factory=list)
    matches: list[MatchReport] = Field(default_factory=list)
    route: str | None = None
    model: str | None = None
    fallback: list[str] = Field(default_factory=list)
    limits: list[str] = Field(default_factory=list)
    effects: EffectsReport | None = None
    estimate: EstimateReport | None = None
    carriers: list[CarrierReport] = Field(default_factory=list)
    status: int | None = None
    code: str | None = None


class ConversationRoutes(ReportModel):
    """The decisions of a conversation, a report for each turn of the person."""

    turns: list[RouteReport]
