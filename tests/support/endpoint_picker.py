"""An endpoint picker as Envoy sees it: a gRPC server with a limit, and the paths of the inference extension 1.5.0.

Its filter is behind the router's, as Istio writes it: without effect but on routes to a pool, where it streams bodies.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc

from vsr_runtime.server.messages import EXT_PROC_SERVICE, ProcessingRequest, ProcessingResponse

CLUSTER, FILTER = "picker", "envoy.filters.http.ext_proc"
TYPES = "type.googleapis.com/envoy.extensions"
SUFFIXES = ("/conversations", "/responses", "/chat/completions", "/completions", "/embeddings")
"""The ends of the paths that it reads, query included. It takes any other for a completion."""
REFUSAL = b"inference error: BadRequest - invalid completions request: must have prompt field"
PIECE = 62_000
"""Bytes of the body in one message of the answer."""


@contextmanager
def picker(max_message: int | None = None, *, every_path: bool = False) -> Iterator[int]:
    """Serve, and yield the port.

    Args:
        max_message: The largest message in bytes; by default that of a gRPC server, 4 MiB.
        every_path: Whether it serves every path, as llm-d-router does.
    """

    def process(messages: Iterator[Any], _: grpc.ServicerContext) -> Iterator[Any]:
        path, body = "", b""
        for message in messages:
            if message.WhichOneof("request") == "request_headers":
                lines = message.request_headers.headers.headers
                path = next(line.raw_value.decode() or line.value for line in lines if line.key == ":path")
            elif message.WhichOneof("request") == "request_body":
                body += message.request_body.body
                if message.request_body.end_of_stream:
                    break
        if every_path or path.endswith(SUFFIXES):
            yield from _passed_on(body)
        else:
            yield _refusal()

    options = [] if max_message is None else [("grpc.max_receive_message_length", max_message)]
    server = grpc.server(futures.ThreadPoolExecutor(8), options=options)
    method = grpc.stream_stream_rpc_method_handler(
        process, ProcessingRequest.FromString, ProcessingResponse.SerializeToString
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(EXT_PROC_SERVICE, {"Process": method}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


def behind_the_router(bootstrap: dict[str, Any], port: int, models: set[str]) -> None:
    """Add the picker and its filter to a compiled Envoy configuration, for the routes of these models."""
    resources = bootstrap["static_resources"]
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    resources["clusters"].append(
        next(cluster for cluster in resources["clusters"] if cluster["name"] == "router")
        | {
            "name": CLUSTER,
            "load_assignment": {
                "cluster_name": CLUSTER,
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
            },
        }
    )
    manager = resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    service = {"envoy_grpc": {"cluster_name": CLUSTER}, "timeout": "10s"}
    unused = {"request_header_mode": "SKIP", "response_header_mode": "SKIP"}
    manager["http_filters"].insert(
        1,
        {
            "name": FILTER,
            "typed_config": {
                "@type": f"{TYPES}.filters.http.ext_proc.v3.ExternalProcessor",
                "grpc_service": service,
                "processing_mode": unused,
                "failure_mode_allow": True,
                "message_timeout": "1000s",
            },
        },
    )
    mode = {
        "request_header_mode": "SEND",
        "request_body_mode": "FULL_DUPLEX_STREAMED",
        "request_trailer_mode": "SEND",
        "response_header_mode": "SKIP",
    }
    for route in manager["route_config"]["virtual_hosts"][0]["routes"]:
        if route["name"] in models:
            route["typed_per_filter_config"] = {
                FILTER: {
                    "@type": f"{TYPES}.filters.http.ext_proc.v3.ExtProcPerRoute",
                    "overrides": {"grpc_service": service, "processing_mode": mode, "failure_mode_allow": False},
                }
            }


def _passed_on(body: bytes) -> Iterator[Any]:
    """Answer to the headers, then to the body in pieces."""
    headers = ProcessingResponse()
    headers.request_headers.SetInParent()
    yield headers
    for start in range(0, len(body), PIECE):
        piece = ProcessingResponse()
        streamed = piece.request_body.response.body_mutation.streamed_response
        streamed.body, streamed.end_of_stream = body[start : start + PIECE], start + PIECE >= len(body)
        yield piece


def _refusal() -> Any:
    message = ProcessingResponse()
    message.immediate_response.status.code = 400
    message.immediate_response.body = REFUSAL
    return message
