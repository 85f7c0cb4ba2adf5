"""``classifiers`` and ``categories``: how requests are classified."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.classifier_servers import ClassifierServerSpec
from vsr_schemas.policy.v1alpha1.labels import FalseAlarms, LabelExamples
from vsr_schemas.scalars import Commit, Number, Repository, Text, not_blank

Probability = Annotated[Number, Field(ge=0, le=1)]
Phrase = Annotated[Text, not_blank, Field(min_length=1, max_length=4000)]


class CheckpointSpec(PolicyModel):
    """A Hugging Face repository at a pinned commit."""

    repo: Repository
    revision: Commit


class ClassifierSpec(PolicyModel):
    """A model that classifies requests.

    It is a sentence encoder with a head trained at compile time (``encoder`` and ``head``), a ``checkpoint``, or a
    ``server`` that others run. A head learns from ``categories``, or from ``examples`` of its own by label. ``of`` is
    what it reads to find the category: the person's ``ask``, or all texts of the ``request``. Below ``threshold`` (a
    probability) it returns no result; ``false_alarms`` chooses the threshold. ``precision`` is that of serving.
    """

    task: Literal["category", "jailbreak", "pii", "labels"]
    encoder: Literal["sentence-transformers/all-MiniLM-L6-v2"] | None = None
    head: Literal["compiled"] | None = None
    checkpoint: CheckpointSpec | None = None
    server: ClassifierServerSpec | None = None
    device: Literal["cpu", "cuda"] = "cpu"
    precision: Literal["int8", "fp32", "bf16"] | None = None
    threshold: Annotated[Number, Field(ge=0, lt=1)] | None = None
    of: Literal["ask", "request"] = "ask"
    examples: LabelExamples | None = None
    false_alarms: FalseAlarms | None = None

    @model_validator(mode="after")
    def _own_server(self) -> ClassifierSpec:
        if self.server is not None:
            if any(one is not None for one in (self.encoder, self.head, self.checkpoint, self.examples)):
                raise PydanticCustomError("one_of", "a classifier has a `server`, a `checkpoint`, or an `encoder`")
            if self.model_fields_set & {"device", "precision"}:
                raise PydanticCustomError(
                    "one_of", "`device` and `precision` are not for a `server`, which has its own"
                )
        return self

    @model_validator(mode="after")
    def _one_kind(self) -> ClassifierSpec:
        compiled = self.encoder is not None or self.head is not None or self.examples is not None
        if compiled and self.checkpoint is not None:
            raise PydanticCustomError(
                "one_of", "a classifier has a `checkpoint`, or an `encoder` and a `head`, not both"
            )
        if self.task in {"category", "pii"} and self.examples is not None:
            raise PydanticCustomError(
                "one_of", "`examples` of a classifier are only for `task: labels` and `task: jailbreak`"
            )
        if self.task == "labels" and self.examples is None:
            raise PydanticCustomError("one_of", "a classifier with `task: labels` needs `examples`")
        if self.false_alarms is not None and (self.examples is None or self.threshold is not None):
            raise PydanticCustomError("one_of", "`falseAlarms` chooses the threshold of a head with `examples`")
        if self.task != "category" and self.of != "ask":
            raise PydanticCustomError("one_of", "`of` is only for `task: category`; detectors read everything")
        if self.task == "jailbreak" and self.checkpoint is None and self.examples is None and self.server is None:
            raise PydanticCustomError(
                "one_of", "a classifier with `task: jailbreak` needs a `checkpoint`, a `server` or `examples`"
            )
        if self.task == "pii" and self.checkpoint is None and self.server is None:
            raise PydanticCustomError("one_of", "a classifier with `task: pii` needs a `checkpoint` or a `server`")
        return self


class CategorySpec(PolicyModel):
    """One of the mutually exclusive kinds of request, defined by a description and examples."""

    description: Annotated[Text, Field(min_length=1)]
    examples: Annotated[list[Phrase], Field(min_length=1)]
