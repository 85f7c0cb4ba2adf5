"""``tests``: requests and conversations with their expected results."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.apis import CHAT, ApiPath
from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.clients import AsSpec
from vsr_schemas.scalars import Header, HeaderName, JsonObject, Name, Text

CONTENTS = ("prompt", "messages", "request", "conversation")
"""What a test sends: exactly one of these."""
TURN_CONTENTS = ("prompt", "messages")
MAX_TURNS = 64
Messages = Annotated[list[JsonObject], Field(min_length=1)]


class ExpectationSpec(PolicyModel):
    """The expected result of a request; at least one field. ``route: default`` means that no route matches.

    ``guards`` are exactly the guards that match; an empty list means none. ``error`` is the code of the response with
    which the router refuses the request.
    """

    category: Name | None = None
    route: Name | None = None
    model: Header | None = None
    guards: list[Name] | None = None
    error: Name | None = None

    @model_validator(mode="after")
    def _something(self) -> ExpectationSpec:
        if not self.model_fields_set:
            raise PydanticCustomError(
                "one_of", "a test expects one of `category`, `route`, `model`, `guards` and `error`"
            )
        return self


class TurnSpec(PolicyModel):
    """One request of a conversation, which repeats the turns before it.

    ``prompt`` is what the person says. ``messages`` are added as they are, such as the call of a tool and its result.
    ``reply`` is what the assistant answers before the next turn.
    """

    prompt: Text | None = None
    messages: Messages | None = None
    reply: Text | None = None
    expect: ExpectationSpec | None = None

    @model_validator(mode="after")
    def _one_content(self) -> TurnSpec:
        if sum(getattr(self, key) is not None for key in TURN_CONTENTS) != 1:
            raise PydanticCustomError("one_of", "a turn is exactly one of `prompt` and `messages`")
        return self


class TestSpec(PolicyModel):
    """A request, or a conversation with an expectation for some of its turns.

    ``model`` is the name that the client sends; the default is the first auto-model name. ``request`` is a whole body,
    which may name a model itself. ``path`` is the API, ``headers`` are those of the request,
    ``as`` is the client.
    """

    prompt: Text | None = None
    messages: Messages | None = None
    request: JsonObject | None = None
    conversation: Annotated[list[TurnSpec], Field(min_length=1, max_length=MAX_TURNS)] | None = None
    path: ApiPath = CHAT
    headers: dict[HeaderName, Text] = {}
    model: Header | None = None
    as_: AsSpec | None = Field(default=None, alias="as")
    expect: ExpectationSpec | None = None

    @model_validator(mode="after")
    def _one_content(self) -> TestSpec:
        if sum(getattr(self, key) is not None for key in CONTENTS) != 1:
            names = "`prompt`, `messages`, `request` and `conversation`"
            raise PydanticCustomError("one_of", f"a test is exactly one of {names}")
        if self.conversation is None and self.expect is None:
            raise PydanticCustomError("one_of", "a test needs `expect`")
        if self.conversation is not None and self.expect is not None:
            raise PydanticCustomError("one_of", "a `conversation` has its `expect` at its turns")
        if self.conversation is not None and all(turn.expect is None for turn in self.conversation):
            raise PydanticCustomError("one_of", "a `conversation` needs `expect` at one of its turns")
        if self.request is not None and self.model is not None and "model" in self.request:
            raise PydanticCustomError("one_of", "`request` names its model already; remove `model`")
        return self
