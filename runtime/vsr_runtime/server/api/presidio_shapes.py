"""The request and response models of Presidio's analyzer and anonymizer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from vsr_runtime.server.api.shapes import MAX_TEXTS, Name, RequestModel, ResponseModel, Share, Text

MAX_RESULTS = 100_000
"""Findings of an anonymizer's request."""

Words = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=100)]


def _whole(value: object) -> object:
    """Return a number without a fraction as an integer, which JSON does not distinguish."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Place = Annotated[int, BeforeValidator(_whole)]


class AnalyzeRequest(RequestModel):
    """One text or several. The language does not matter; recognizers of a request are refused."""

    text: Text | Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS)]
    language: Annotated[str, Field(min_length=2, max_length=16)] = "en"
    entities: Annotated[list[Name], Field(max_length=200)] | None = Field(
        default=None, description="By default those of the policy."
    )
    score_threshold: Share | None = None
    correlation_id: Annotated[str, Field(max_length=256)] | None = None
    return_decision_process: bool | None = None
    ad_hoc_recognizers: Annotated[list[object], Field(max_length=0)] | None = Field(
        default=None, description="Not supported."
    )
    context: Words | None = None
    allow_list: Words | None = None
    allow_list_match: Literal["exact"] | None = None


class AnalyzeFinding(ResponseModel):
    """Personal data. Positions are in code points."""

    entity_type: str
    start: int = Field(ge=0)
    end: int = Field(ge=1)
    score: Share
    analysis_explanation: None = None


class AnalyzedResult(RequestModel):
    """A finding of an analyzer."""

    entity_type: Name
    start: Place = Field(ge=0)
    end: Place = Field(ge=1)
    score: Share
    analysis_explanation: object | None = None
    recognition_metadata: object | None = None


class Anonymizer(RequestModel):
    """What replaces a finding. Only a replacement is supported."""

    type: Literal["replace"]
    new_value: Annotated[str, Field(max_length=1000)] | None = None


class AnonymizeRequest(RequestModel):
    """A text with its findings, and what replaces each type; `DEFAULT` is any other type."""

    text: Text
    analyzer_results: list[AnalyzedResult] = Field(max_length=MAX_RESULTS)
    anonymizers: dict[Name, Anonymizer] = Field(default={}, max_length=200)


class AnonymizedItem(ResponseModel):
    """A replacement, at its place in the new text."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)
    entity_type: str
    text: str
    operator: Literal["replace"] = "replace"


class AnonymizeResponse(ResponseModel):
    """The new text, and what was replaced, the last first."""

    text: str
    items: list[AnonymizedItem]
