"""The report of ``vsr-compile impact --format json``: what a change of a policy does to recorded traffic."""

from __future__ import annotations

from pydantic import Field

from vsr_schemas.base import ReportModel


class ShareReport(ReportModel):
    """A part of the requests.

    Attributes:
        count: the requests.
        share: their share, from 0 to 1.
        low: lower end of the 95 % interval of the share (Wilson), if the traffic is a sample.
        high: upper end of that interval.
    """

    count: int
    share: float
    low: float
    high: float


class FlowReport(ReportModel):
    """Requests by where they end, or by their route, before and after. A code in brackets is the router's answer."""

    old: str
    new: str
    count: int


class GuardReport(ReportModel):
    """Requests that a guard matches: before and after, only after, and no longer."""

    name: str
    old: int
    new: int
    newly: int
    gone: int


class CostReport(ReportModel):
    """What the requests cost, in the currency of the policy's prices.

    Attributes:
        requests: the requests whose models have prices under both policies.
        unpriced: the others.
        estimated: requests without recorded tokens: four characters of the body count as a token of the prompt, and
            the completion as none.
        old: the cost before.
        new: the cost after; tokens in a prefix cache stay there, as they were recorded.
        new_uncached: the cost after, if nothing of the requests that go to another model is in a prefix cache.
        low: lower end of the 95 % interval of ``new - old``, if the traffic is a sample.
        high: upper end of that interval.
    """

    requests: int
    unpriced: int
    estimated: int
    old: float
    new: float
    new_uncached: float
    low: float
    high: float


class GroupReport(ReportModel):
    """The requests of one team or API; the cost is null if no request of it has one."""

    name: str
    requests: int
    changed: int
    old_cost: float | None = None
    new_cost: float | None = None


class SkippedReport(ReportModel):
    """Records that cannot be decided again: why, how many, and the place of the first."""

    reason: str
    count: int
    first: str


class NearReport(ReportModel):
    """A request that is near another category: the distance of probabilities, of what, and where it ends."""

    id: str
    distance: float
    between: str
    old: str
    new: str
    text: str = ""


class SampleReport(ReportModel):
    """One request that changes. Samples are drawn by the digest of its id, so that a run repeats them."""

    id: str
    old: str
    new: str
    text: str = ""


class ImpactReport(ReportModel):
    """What a change of a policy does to traffic.

    Attributes:
        old: the policy of before.
        new: the policy of after.
        complete: whether all traffic was read; false if the command was interrupted.
        requests: the requests of the traffic that could be read.
        undecided: those whose decision takes a model that is not on this machine; they are in no other number.
        skipped: records that cannot be decided again, by reason.
        changed: requests whose end, route or guards change.
        model: requests that end at another model or answer.
        route: requests of another route.
        guard: requests that other guards match.
        newly_blocked: requests that are refused only after the change.
        unblocked: requests that are refused only before.
        flows: where requests end, before and after, the most frequent first.
        routes: the same for routes.
        guards: the guards that match.
        cost: null if no policy has prices.
        teams: by team, if the traffic names any.
        apis: by API.
        nearest: the requests nearest to a boundary of the categories of the new policy.
        samples: requests that change.
    """

    old: str
    new: str
    complete: bool = True
    requests: int = 0
    undecided: int = 0
    skipped: list[SkippedReport] = Field(default_factory=list)
    changed: ShareReport
    model: ShareReport
    route: ShareReport
    guard: ShareReport
    newly_blocked: ShareReport
    unblocked: ShareReport
    flows: list[FlowReport] = Field(default_factory=list)
    routes: list[FlowReport] = Field(default_factory=list)
    guards: list[GuardReport] = Field(default_factory=list)
    cost: CostReport | None = None
    teams: list[GroupReport] = Field(default_factory=list)
    apis: list[GroupReport] = Field(default_factory=list)
    nearest: list[NearReport] = Field(default_factory=list)
    samples: list[SampleReport] = Field(default_factory=list)
