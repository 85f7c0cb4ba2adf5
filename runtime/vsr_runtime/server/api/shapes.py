"""What requests and responses look like: by the stock router's names where it has the same thing.

The OpenAPI document is made from these.
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
    """What stands for "not there" is nothing that a client could send."""
    schema.pop("default", None)


class Asked(BaseModel):
    """Base of requests: unknown keys are errors, no type is coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Told(BaseModel):
    """Base of responses: what is not there is left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ClassifyParameters(Asked):
    """Which classifier reads the text."""

    classifier: Name | None = Field(default=None, description="By its name in runtime.yaml.")


class ClassifyRequest(Asked):
    """A text for one classifier. Without a name that is the one of `--classify`, or the only one."""

    inputs: Text
    parameters: ClassifyParameters | None = None


class LabelScore(Told):
    """A label and its probability."""

    label: str
    score: Share


class TokenSpan(Told):
    """Something that was found. Places are code points of the text as it was sent; `text` is what lies between."""

    start: int = Field(ge=0)
    end: int = Field(ge=1)
    label: str
    score: Share
    text: str


class TokenSpans(Told):
    """All that was found. With `truncated_at`, what follows that code point was not read."""

    spans: list[TokenSpan]
    truncated_at: int | None = Field(default=None, ge=0)


class Chat(BaseModel):
    """The body of a chat request, as a client would send it; `text` stands for one user's message.

    What is not there is empty.
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


class IntentOptions(Asked):
    """What the answer holds."""

    return_probabilities: bool = False


class EvalOptions(Asked):
    """What the answer holds."""

    trace: bool = Field(default=False, description="Like the query's `trace`.")


class IntentRequest(Chat):
    """A request whose category is asked for."""

    options: IntentOptions = IntentOptions()


class EvalRequest(Chat):
    """A request whose decision is asked for."""

    options: EvalOptions = EvalOptions()


class PIIOptions(Asked):
    """What is looked for, and what the answer holds."""

    entity_types: list[Name] | None = Field(default=None, min_length=1, max_length=100, description="By default all.")
    confidence_threshold: Share | None = Field(default=None, description="By default what the policy says of a model.")
    return_positions: bool = False
    mask_entities: bool = False
    reveal_entity_text: bool = False


class PIIRequest(Asked):
    """A text in which personal data is looked for."""

    text: Text
    options: PIIOptions = PIIOptions()


class SecurityRequest(Asked):
    """A text in which attacks are looked for."""

    text: Text


class BatchRequest(Asked):
    """Some texts with the same question."""

    texts: list[Text] = Field(min_length=1, max_length=MAX_TEXTS)
    task_type: Literal["intent", "pii", "security"] = "intent"
    options: IntentOptions = IntentOptions()


class Classification(Told):
    """A category; empty where no label reached its threshold. `confidence` is that of the likeliest label."""

    category: str
    confidence: Share
    processing_time_ms: int


class IntentResponse(Told):
    """The category, and where a request like it would go."""

    classification: Classification
    probabilities: dict[str, float] | None = None
    recommended_model: str | None = None
    routing_decision: str | None = None
    matched_signals: Names


class PIIEntity(Told):
    """Personal data. Positions are in code points."""

    type: str
    value: str = Field(description="`[DETECTED]` unless `reveal_entity_text` is asked for.")
    confidence: Share
    start_position: int | None = None
    end_position: int | None = None
    masked_value: str | None = None


class PIIResponse(Told):
    """Personal data by place. With `scan_incomplete`, a model did not read all of the text."""

    has_pii: bool
    entities: list[PIIEntity]
    masked_text: str | None = None
    scan_incomplete: bool | None = None
    security_recommendation: Literal["allow", "block"]
    processing_time_ms: int


class SecurityResponse(Told):
    """Whether the text is an attack. `detection_types` are kinds of structure and labels of models."""

    is_jailbreak: bool
    risk_score: Share
    detection_types: list[str]
    confidence: Share
    recommendation: Literal["allow", "block"]
    patterns_detected: list[str]
    processing_time_ms: int


class BatchResult(Told):
    """About one text: a category; `no_pii` or a type; `safe` or what was detected first."""

    category: str
    confidence: Share
    probabilities: dict[str, float] | None = None


class BatchResponse(Told):
    """Results in the order of the texts."""

    results: list[BatchResult]
    total_count: int
    processing_time_ms: int


class TraceNode(Told):
    """A part of a rule. Without `matched` nobody has looked, since the outcome does not depend on it."""

    node_type: Literal["leaf", "AND", "OR", "NOT"]
    signal_type: str | None = None
    signal_name: str | None = None
    matched: bool | None = None
    children: list[TraceNode] | None = None


class DecisionTrace(Told):
    """A decision's rule. They stand in the order in which they are tried; the first that matches is taken."""

    decision_name: str
    matched: bool | None = None
    root_trace: TraceNode


class EvalDecision(Told):
    """The decision that was taken, and the signals that were looked at, by kind."""

    decision_name: str
    used_signals: Names
    matched_signals: Names
    unmatched_signals: Names


class GuardFinding(Told):
    """A guard that found something, or could not look."""

    guard: str
    action: str
    failed: str | None = None


class EvalAnswer(Told):
    """What the client would be told at once, without a model."""

    status: int
    code: str


class EvalResponse(Told):
    """What would become of the request.

    Without `decision_result`, no decision's rule matched, the client named the model, or it never came to that.
    """

    original_text: str = Field(description="The last user turn.")
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


class Model(Told):
    """A name that a client may give."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(Told):
    """All of them: auto names, models, adapters."""

    object: Literal["list"]
    data: list[Model]


class ErrorDetail(Told):
    """`code` is for programs, `param` names the field at fault."""

    message: str
    type: Literal["invalid_request_error", "server_error"]
    param: str | None
    code: str


class ErrorResponse(Told):
    """An error as OpenAI's API has them."""

    error: ErrorDetail
