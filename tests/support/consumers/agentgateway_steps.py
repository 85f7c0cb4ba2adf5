"""What agentgateway does with a request in each step that Envoy has no filter for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import struct_pb2

from vsr_compiler.verify.schema.cel.program import compiled
from vsr_compiler.verify.schema.cel.values import Budget, CelError
from vsr_runtime.decision.request.events import RequestHeaders
from vsr_runtime.server.agentgateway import MARK, Vouched, read_vouched
from vsr_runtime.server.messages import ProcessingRequest

Body = dict[str, Any]
CLIENT_ADDRESS = "192.0.2.7"
_VARIABLES = ("request", "jwt", "extproc", "source")


def evaluated(
    expression: str, headers: Mapping[str, str], claims: Mapping[str, Any], metadata: Mapping[str, str]
) -> Any:
    """Return the value of an expression; None if it fails, which is false in rules (`src/cel/types.rs`)."""
    source = {"address": CLIENT_ADDRESS}
    values = ({"headers": dict(headers)}, dict(claims), dict(metadata), source)
    try:
        return compiled(expression, _VARIABLES)(values, Budget(100_000))
    except CelError:
        return None


def permitted(rules: list[Body], value: Any) -> bool:
    """Return whether rules of all policies let a request pass (`src/http/authorization.rs`, `validate`)."""
    by_action: dict[str, list[bool]] = {"Deny": [], "Require": [], "Allow": []}
    for rule in rules:
        by_action[rule.get("action", "Allow")] += [value(item) is True for item in rule["policy"]["matchExpressions"]]
    if any(by_action["Deny"]) or not all(by_action["Require"]):
        return False
    return any(by_action["Allow"]) or not by_action["Allow"]


def told(attributes: Mapping[str, Any]) -> Any:
    """Return the first message of a stream, with the attributes as agentgateway sends them (`eval_to_struct`)."""
    fields = struct_pb2.Struct()
    fields.update({name: value for name, value in attributes.items() if value is not None})
    message = ProcessingRequest()
    message.attributes.add(key="envoy.filters.http.ext_proc", value=fields.SerializeToString())
    return message


def vouched(
    headers: Mapping[str, str],
    attributes: Mapping[str, Any],
    identity: Any,
) -> tuple[dict[str, str], Vouched]:
    """Return the headers that the router reads, and what it adds to its decision."""
    event = RequestHeaders(tuple(headers.items()), end_of_stream=False)
    read, known = read_vouched(event, told(attributes), identity)
    return dict(read.headers), known


def mark() -> dict[str, str]:
    """Return the metadata by which the router vouches for a decision."""
    return {name: value.string_value for name, value in struct_pb2.Struct.FromString(MARK).fields.items()}


def applied(headers: Mapping[str, str], settings: Body, value: Any) -> dict[str, str]:
    """Return the headers after a transformation. One whose expression fails is removed."""
    result = dict(headers)
    request = settings.get("request", {})
    for item in request.get("set", []):
        text = value(item["value"])
        name = item["name"].lower()
        if isinstance(text, str):
            result[name] = text
        else:
            result.pop(name, None)
    for name in request.get("remove", []):
        result.pop(name.lower(), None)
    return result
