"""``signals``: facts about requests, besides categories, that routes can test."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.modalities import MODALITIES, Modality
from vsr_schemas.policy.v1alpha1.classification import Phrase, Probability
from vsr_schemas.policy.v1alpha1.clients import AttributeName, AttributeValues
from vsr_schemas.policy.v1alpha1.labels import LabelSignalSpec
from vsr_schemas.runtime import MAX_COUNT
from vsr_schemas.scalars import Bool, Int, Name, Number, Text
from vsr_schemas.shapes import LIST, MAPPING, TEXT, AsList, AsMapping, AsText, by_shape

Phrases = Annotated[list[Phrase], Field(min_length=1)]
Words = Annotated[Annotated[Text, AsText] | Annotated[list[Text], Field(min_length=1), AsList], by_shape(TEXT, LIST)]
Tokens = Annotated[Int, Field(ge=0)]


class EmbeddingSpec(PolicyModel):
    """The request is similar to these sentences, by the maximum or mean cosine similarity of embeddings."""

    to: Phrases
    threshold: Annotated[Number, Field(ge=-1, le=1)] | None = None
    aggregate: Literal["max", "mean"] = "max"


class RangeSpec(PolicyModel):
    """A number between ``min`` and ``max``, bounds included. One of them is enough."""

    min: Tokens | None = None
    max: Tokens | None = None

    @model_validator(mode="after")
    def _some_bound(self) -> RangeSpec:
        if self.min is None and self.max is None:
            raise PydanticCustomError("one_of", "a range needs `min` or `max`")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise PydanticCustomError("one_of", "`min` is greater than `max`")
        return self


class ComplexitySpec(PolicyModel):
    """The difficulty of the request, by its similarity to hard sentences compared with easy ones."""

    hard: Phrases
    easy: Phrases
    level: Literal["hard", "medium", "easy"] = "hard"
    threshold: Annotated[Number, Field(ge=0, le=2)] = 0.1


class StructureSpec(RangeSpec):
    """The number of occurrences of a pattern, or of some keywords, in the text."""

    min: Annotated[Tokens, Field(le=MAX_COUNT)] | None = None
    max: Annotated[Tokens, Field(le=MAX_COUNT)] | None = None
    pattern: Text | None = None
    keywords: Phrases | None = None

    @model_validator(mode="after")
    def _one_source(self) -> StructureSpec:
        if (self.pattern is None) == (self.keywords is None):
            raise PydanticCustomError("one_of", "`structure` counts exactly one of `pattern` and `keywords`")
        return self


def _explain_media(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """Explain how media are tested, if the value is a word for them."""
    word = str(value).lower().rstrip("s") if isinstance(value, str) else ""
    if word in MODALITIES or word in {"picture", "photo", "attachment", "sound", "document"}:
        raise PydanticCustomError(
            "form",
            "`{value}` is not counted here; test it with a signal of its own, `modality: [{kinds}]`, "
            "or count images with `of: image_content`",
            {"value": str(value)[:40], "kinds": word if word in MODALITIES else ", ".join(MODALITIES)},
        )
    return value


class ConversationSpec(RangeSpec):
    """The number of parts of a kind in the conversation."""

    of: Annotated[
        Literal["message", "tool_definition", "assistant_tool_call", "image_content"], BeforeValidator(_explain_media)
    ] = "message"
    role: Literal["user", "assistant", "system", "developer", "tool"] | None = None


class RoleSpec(PolicyModel):
    """The client is one of these users, or has one of these roles (`groups`)."""

    users: list[Name] = []
    groups: list[Name] = []

    @model_validator(mode="after")
    def _somebody(self) -> RoleSpec:
        if not self.users and not self.groups:
            raise PydanticCustomError("one_of", "`role` needs `users` or `groups`")
        return self


class PiiSignalSpec(PolicyModel):
    """The request contains personal data of these types."""

    types: Annotated[list[Text], Field(min_length=1)]
    detector: Text | None = None
    threshold: Probability = 0.9


class JailbreakSignalSpec(PolicyModel):
    """A detector classifies the request as an attack."""

    detector: Text
    threshold: Probability | None = None


class SignalSpec(PolicyModel):
    """A signal of exactly one kind.

    ``keywords`` are literal words unless ``regex`` is true. ``match`` is whether any, all or none must occur. ``of`` is
    what the signal reads: the person's ``ask``, or all texts of the ``request``.
    """

    keywords: Phrases | None = None
    match: Literal["any", "all", "none"] = "any"
    regex: Bool = False
    case_sensitive: Bool = False
    embedding: EmbeddingSpec | None = None
    context: RangeSpec | None = None
    language: Words | None = None
    complexity: ComplexitySpec | None = None
    structure: StructureSpec | None = None
    conversation: ConversationSpec | None = None
    modality: (
        Annotated[
            Annotated[Modality, AsText] | Annotated[list[Modality], Field(min_length=1), AsList],
            by_shape(TEXT, LIST),
        ]
        | None
    ) = None
    user: AttributeValues | None = None
    team: AttributeValues | None = None
    role: (
        Annotated[
            Annotated[Name, AsText]
            | Annotated[list[Name], Field(min_length=1, max_length=256), AsList]
            | Annotated[RoleSpec, AsMapping],
            by_shape(TEXT, LIST, MAPPING),
        ]
        | None
    ) = None
    tenant: AttributeValues | None = None
    claims: Annotated[dict[AttributeName, AttributeValues], Field(min_length=1, max_length=1)] | None = None
    pii: PiiSignalSpec | None = None
    jailbreak: JailbreakSignalSpec | None = None
    label: LabelSignalSpec | None = None
    of: Literal["ask", "request"] = "ask"

    @property
    def kind(self) -> str:
        """The name of the field that is set."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @model_validator(mode="after")
    def _one_kind(self) -> SignalSpec:
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise PydanticCustomError(
                "one_of", "a signal is exactly one of " + ", ".join(f"`{kind}`" for kind in KINDS)
            )
        stray = self.model_fields_set & {"match", "regex", "case_sensitive"}
        if self.keywords is None and stray:
            raise PydanticCustomError("one_of", "`match`, `regex` and `caseSensitive` are only for `keywords`")
        if self.kind not in READERS and "of" in self.model_fields_set:
            names = ", ".join(f"`{kind}`" for kind in READERS)
            raise PydanticCustomError("one_of", "`of` is only for " + names)
        return self


READERS = ("keywords", "embedding", "language", "complexity", "label")
"""The kinds of signal that read the ask unless ``of`` says otherwise."""
KINDS = (
    "keywords",
    "embedding",
    "context",
    "language",
    "complexity",
    "structure",
    "conversation",
    "modality",
    "user",
    "team",
    "role",
    "tenant",
    "claims",
    "pii",
    "jailbreak",
    "label",
)
"""The kinds of signal, in the spelling of the policy."""
