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


class RouteReport(ReportModel):
    """The decision of one request.

    Attributes:
        ask: the ask; null if the policy has signals read the whole last user turn, or the client named the model.
        category: its category; null if it has none or none was needed.
        probability: the probability of the category.
        signals: the other evaluated signals and whether they hold, such as ``keyword:urgent``.
        guards: the guards that matched.
        route: the matched route; null for the default and for a model that the client named.
        model: the model; null if the router answers the request itself.
        fallback: the models that are asked if it fails, in their order, as far as they can have this request.
        limits: the limits that count it, each with its name and in words.
        status: the HTTP status of that answer.
        code: the code of that answer.
    """

    ask: AskReport | None = None
    category: str | None = None
    probability: float | None = None
    signals: dict[str, bool] = Field(default_factory=dict)
    guards: list[str] = Field(default_factory=list)
    route: str | None = None
    model: str | None = None
    fallback: list[str] = Field(default_factory=list)
    limits: list[str] = Field(default_factory=list)
    status: int | None = None
    code: str | None = None
