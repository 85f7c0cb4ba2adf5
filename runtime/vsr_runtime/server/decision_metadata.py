"""Decisions as dynamic metadata of requests, so that access logs of the gateway can contain them."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.struct_pb2 import Struct, Value

from vsr_runtime.decision.request.events import ImmediateResponse, SendToModel
from vsr_runtime.log import Field
from vsr_runtime.server.exchange import describe
from vsr_schemas.runtime import METADATA_NAMESPACE


def decision_metadata(request_id: str, action: SendToModel | ImmediateResponse, policy: str) -> bytes:
    """Return a decision in the namespace of the router, serialised: what is logged of it, and which policy decided.

    Args:
        request_id: the gateway's id for the request, as it is logged.
        action: the decision.
        policy: the digest of the policy's files.
    """
    _, fields = describe(request_id, action)
    data: bytes = Struct(
        fields={METADATA_NAMESPACE: Value(struct_value=_struct(fields | {"policy": policy}))}
    ).SerializeToString()
    return data


def _struct(fields: Mapping[str, Field]) -> Struct:
    """Return the fields that have a value."""
    return Struct(fields={name: _value(value) for name, value in fields.items() if value not in (None, "")})


def _value(field: Field) -> Value:
    if isinstance(field, bool):
        return Value(bool_value=field)
    return Value(number_value=field) if isinstance(field, int | float) else Value(string_value=field)
