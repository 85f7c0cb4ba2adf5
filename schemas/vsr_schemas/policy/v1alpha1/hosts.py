"""``environments.<name>.host``: one machine that runs the gateway, the router and model servers in containers."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.scalars import HostPort, Image, Name, Text

MAX_PORT = 65_535


def _address(value: str) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise PydanticCustomError("form", "`{value}` is not an IPv4 address", {"value": value[:80]}) from None


def _port(value: str) -> str:
    if int(value.rpartition(":")[2]) > MAX_PORT:
        raise PydanticCustomError("form", "`{value}` has no port up to 65535", {"value": value[:80]})
    return value


BindAddress = Annotated[Text, AfterValidator(_address), Field(json_schema_extra={"maxLength": 15})]


class HostSpec(PolicyModel):
    """The machine of an environment with ``target: compose``.

    ``bind`` is the address of the machine on which listeners are published. ``endpoints`` are the places of endpoints
    that run elsewhere, by their names: ``localhost`` means the machine itself. ``image`` is that of Envoy.
    """

    bind: BindAddress = "127.0.0.1"
    endpoints: Annotated[dict[Name, Annotated[HostPort, AfterValidator(_port)]], Field(max_length=256)] = {}
    image: Image | None = None
