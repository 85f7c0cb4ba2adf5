"""``identity`` of ``router/runtime.yaml``: how the router learns who sends a request, and what depends on it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from vsr_schemas.base import StrictModel


class ClientTestSettings(StrictModel):
    """True if an attribute of the client has one of these values."""

    attribute: str
    values: list[str] = Field(min_length=1)


class ClientKeySettings(StrictModel):
    """A client's key, in a file below the folder of client keys, and the client's attributes and roles."""

    file: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*$")
    attributes: dict[str, str]
    roles: list[str] | None = None


class IdentitySettings(StrictModel):
    """Who sends a request. A request of nobody known is refused.

    ``headers`` are those of an authenticated client by attribute: the gateway's authentication sets them, or a front
    end in one of the ``networks``, which alone may then send requests, or with a client certificate (``certificates``),
    which the gateway requires. With ``keys`` the router authenticates clients
    itself. ``signals`` and ``allow`` are tests of which one must be true: for the signal of this name, and of the
    clients that may use this model.
    """

    headers: dict[str, str] | None = None
    networks: list[str] | None = Field(default=None, min_length=1)
    certificates: Literal[True] | None = None
    keys: list[ClientKeySettings] | None = Field(default=None, min_length=1)
    signals: dict[str, list[ClientTestSettings]] | None = None
    allow: dict[str, list[ClientTestSettings]] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> IdentitySettings:
        if (self.headers is None) == (self.keys is None):
            raise ValueError("give headers or keys")
        if self.headers is None and (self.networks is not None or self.certificates):
            raise ValueError("networks and certificates are of a front end that sends headers")
        return self
