"""``classifiers`` and ``categories``: how requests are classified."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.classifier_servers import ClassifierServerSpec
from vsr_schemas.scalars import Commit, Number, Repository, Text, not_blank

Probability = Annotated[Number, Field(ge=0, le=1)]
Phrase = Annotated[Text, not_blank, Field(min_length=1, max_length=4000)]


class CheckpointSpec(PolicyModel):
    """A Hugging Face repository at a pinned commit."""

    repo: Repository
    revision: Commit


class ClassifierSpec(PolicyModel):
    """A model that classifies requests.

    It is a sentence encoder with a head trained at compile time (``encoder`` and ``head``, for categories), a
    ``checkpoint``, or a ``server`` that others run. ``of`` is what it reads to find the category: the person's ``ask``,
    or all texts of the ``request``. Below ``threshold`` (a probability) it returns no result. ``precision`` is that of
    serving.
    """

    task: Literal["category", "jailbreak", "pii"]
    encoder: Literal["sentence-transformers/all-MiniLM-L6-v2"] | None = None
    head: Literal["compiled"] | None = None
    checkpoint: CheckpointSpec | None = None
    server: ClassifierServerSpec | None = None
    device: Literal["cpu", "cuda"] = "cpu"
    precision: Literal["int8", "fp32", "bf16"] | None = None
    threshold: Annotated[Number, Field(ge=0, lt=1)] | None = None
    of: Literal["ask", "request"] = "ask"

    @model_validator(mode="after")
    def _one_kind(self) -> ClassifierSpec:
        compiled = self.encoder is not None or self.head is not None
        if compiled and self.checkpoint is not None:
            raise PydanticCustomError(
                "one_of", "a classifier has a `checkpoint`, or an `encoder` and a `head`, not both"
            )
        if self.server is not None:
            if compiled or self.checkpoint is not None:
                raise PydanticCustomError("one_of", "a classifier has a `server`, a `checkpoint`, or an `encoder`")
            if self.model_fields_set & {"device", "precision"}:
                raise PydanticCustomError(
                    "one_of", "`device` and `precision` are not for a `server`, which has its own"
                )
        if self.task != "category" and self.of != "ask":
            raise PydanticCustomError("one_of", "`of` is only for `task: category`; detectors read everything")
        if self.task != "category" and self.checkpoint is None and self.server is None:
            raise PydanticCustomError(
                "one_of", "a classifier with `task: {task}` needs a `checkpoint` or a `server`", {"task": self.task}
            )
        return self


class CategorySpec(PolicyModel):
    """One of the mutually exclusive kinds of request, defined by a description and examples."""

    description: Annotated[Text, Field(min_length=1)]
    examples: Annotated[list[Phrase], Field(min_length=1)]
