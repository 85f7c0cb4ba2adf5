"""The request and response models, with the stock router's names where it has the same thing.

The OpenAPI document is generated from them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_TEXTS = 100
"""Texts of a batch."""
Text = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1, max_length=253)]
Names = dict[str, list[str]]


def _no_default(schema: dict[str, Any]) -> None:
    """Hide a default that clients must not send."""
    schema.pop("default", None)


class RequestModel(BaseModel):
    """Base of requests: unknown keys are errors, no type is coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ResponseModel(BaseModel):
    """Base of responses: absent values are omitted."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ClassifyParameters(RequestModel):
    """The classifier to use."""

    classifier: Name | None = Field(default=None, description="By its name in runtime.yaml.")


class ClassifyRequest(RequestModel):
    """A text for one classifier: by default that of `--classify`, or the only one."""

    inputs: Text
    parameters: ClassifyParameters | None = None


class LabelScore(ResponseModel):
    """A label and its probability."""

    label: str
    score: Share


class TokenSpan(ResponseModel):
    """A match. Positions are code points of the text as it was sent; `text` is the text between them."""

    start: int = Field(ge=0)
    end: int = Field(ge=1)
    label: str
    score: Share
    text: str


class TokenSpans(ResponseModel):
    """All matches. With `truncated_at`, the text after that code point was not read."""

    spans: list[TokenSpan]
    truncated_at: int | None = Field(default=None, ge=0)


class Chat(BaseModel):
    """The body of a chat request, as a client would send it; `text` replaces a single user message.

    Absent values are empty.
    """

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        strict=True,
        json_schema_extra={"oneOf": [{"required": ["text"]}, {"required": ["messages"]}]},
    )

    text: Text = Field(default="", json_schema_extra=_no_default)
    messages: list[object] = Field(default=[], min_length=1, json_schema_extra=_no_default)
    model: Text = Field(default="", description="By default an auto name.", json_schema_extra=_no_default)


class IntentOptions(RequestModel):
    """Contents of the answer."""

    return_probabilities: bool = False


class EvalOptions(RequestModel):
    """Contents of the answer."""

    trace: bool = Field(default=False, description="Like the query's `trace`.")


class IntentRequest(Chat):
    """A request to categorise."""

    options: IntentOptions = IntentOptions()


class EvalRequest(Chat):
    """A request to decide."""

    options: EvalOptions = EvalOptions()


class PIIOptions(RequestModel):
    """What to look for, and the contents of the answer."""

    entity_types: list[Name] | None = Field(default=None, min_length=1, max_length=100, description="By default all.")
    confidence_threshold: Share | None = Field(default=None, description="By default what the policy says of a model.")
    return_positions: bool = False
    mask_entities: bool = False
    reveal_entity_text: bool = False


class PIIRequest(RequestModel):
    """A text to scan for personal data."""

    text: Text
    options: PIIOptions = PIIOptions()


class SecurityRequest(RequestModel):
    """A text to scan for attacks."""

    text: Text


class BatchRequest(RequestModel):
    """Several texts with the same task."""

    texts: list[Text] = Field(min_length=1, max_length=MAX_TEXTS)
    task_type: Literal["intent", "pii", "security"] = "intent"
    options: IntentOptions = IntentOptions()


class Classification(ResponseModel):
    """A category; empty if no label reached its threshold. `confidence` is that of the most probable label."""

    category: str
    confidence: Share
    processing_time_ms: int


class IntentResponse(ResponseModel):
    """The category, and the route of such a request."""

    classification: Classification
    probabilities: dict[str, float] | None = None
    recommended_model: str | None = None
    routing_decision: str | None = None
    matched_signals: Names


class PIIEntity(ResponseModel):
    """Personal data. Positions are in code points."""

    type: str
    value: str = Field(description="`[DETECTED]` unless `reveal_entity_text` is asked for.")
    confidence: Share
    start_position: int | None = None
    end_position: int | None = None
    masked_value: str | None = None


class PIIResponse(ResponseModel):
    """Personal data by position. With `scan_incomplete`, a model did not read the whole text."""

    has_pii: bool
    entities: list[PIIEntity]
    masked_text: str | None = None
    scan_incomplete: bool | None = None
    security_recommendation: Literal["allow", "block"]
    processing_time_ms: int


class SecurityResponse(ResponseModel):
    """Whether the text is an attack. `detection_types` are kinds of structure and labels of models."""

    is_jailbreak: bool
    risk_score: Share
    detection_types: list[str]
    confidence: Share
    recommendation: Literal["allow", "block"]
    patterns_detected: list[str]
    processing_time_ms: int


class BatchResult(ResponseModel):
    """The result of one text: a category; `no_pii` or a type; `safe` or the first detection."""

    category: str
    confidence: Share
    probabilities: dict[str, float] | None = None


class BatchResponse(ResponseModel):
    """Results in the order of the texts."""

    results: list[BatchResult]
    total_count: int
    processing_time_ms: int


class TraceNode(ResponseModel):
    """A part of a rule. Without `matched` it was not evaluated, because the outcome does not depend on it."""

    node_type: Literal["leaf", "AND", "OR", "NOT"]
    signal_type: str | None = None
    signal_name: str | None = None
    matched: bool | None = None
    children: list[TraceNode] | None = None


class DecisionTrace(ResponseModel):
    """The rule of a decision. Decisions are tried in this order; the first that matches is taken."""

    decision_name: str
    matched: bool | None = None
    root_trace: TraceNode


class EvalDecision(ResponseModel):
    """The decision, and the signals that were evaluated, by kind."""

    decision_name: str
    used_signals: Names
    matched_signals: Names
    unmatched_signals: Names


class GuardFinding(ResponseModel):
    """A guard that matched or failed."""

    guard: str
    action: str
    failed: str | None = None


class EvalAnswer(ResponseModel):
    """The answer that the client would get at once, without a model."""

    status: int
    code: str


class AskSpan(ResponseModel):
    """Where a piece of the ask is in the request, in code points. ``part`` is absent if the content is one text."""

    message: int
    part: int | None = None
    start: int
    end: int


class AskFinding(ResponseModel):
    """The words of the person by which the request was classified, and how they were found."""

    text: str
    form: str
    spans: list[AskSpan]


class EvalResponse(ResponseModel):
    """The outcome of the request.

    `decision_result` is absent if no decision's rule matched, the client named the model, or the request was answered
    earlier.
    """

    original_text: str = Field(description="The last user turn.")
    ask: AskFinding | None = None
    requested_model: str
    decision_result: EvalDecision | None = None
    eval_trace: list[DecisionTrace] | None = None
    routing_decision: str | None = None
    recommended_models: list[str]
    selected_model: str | None = None
    selection_status: Literal["selected", "fallback", "unavailable"]
    category: str | None = None
    matched_signals: Names
    signal_confidences: dict[str, float]
    guards: list[GuardFinding]
    answer: EvalAnswer | None = None
    processing_time_ms: int


class Model(ResponseModel):
    """A name that a client may give."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(ResponseModel):
    """All names: auto names, models, adapters."""

    object: Literal["list"]
    data: list[Model]


class ErrorDetail(ResponseModel):
    """`code` is for programs, `param` names the invalid field."""

    message: str
    type: Literal["invalid_request_error", "server_error"]
    param: str | None
    code: str


class ErrorResponse(ResponseModel):
    """An error in the format of OpenAI's API."""

    error: ErrorDetail
