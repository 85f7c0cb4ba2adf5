"""A body over the limit that comes in chunks while an authorization is awaited, against the real Envoy."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import ANY_TIME, REAL_ENVOY
from support.hostile_client import address_of
from support.scripted import Scripted

pytestmark = REAL_ENVOY
LIMIT = 1 << 20
POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: authorized}
router: {image: "registry.example/vsr-runtime:0.1.0", maxBody: 1Mi}
endpoints: {one: {service: {name: one, port: 8000}}}
models: {big: {endpoints: [one]}}
default: big
"""
TYPES = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz"


class Authorizes(BaseHTTPRequestHandler):
    """Allows every request."""

    def do_POST(self):
        """Say yes."""
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self):
        """Say yes."""
        self.do_POST()

    def log_message(self, *_):
        """Print nothing."""


def behind_authorization(bootstrap, port: int) -> None:
    """Put an authorization before the router, and let a request take no longer than a second to arrive."""
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    service = {"server_uri": {"uri": "http://127.0.0.1", "cluster": "authz", "timeout": "5s"}}
    listener = bootstrap["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    assert manager["request_timeout"] == "60s"
    manager["request_timeout"] = "1s"
    manager["http_filters"].insert(0, {"name": "authz", "typed_config": {"@type": TYPES, "http_service": service}})
    # Envoy asks for an authorization only where there is a route.
    manager["route_config"]["virtual_hosts"][0]["routes"].append(
        {"match": {"prefix": "/"}, "direct_response": {"status": 404}}
    )
    bootstrap["static_resources"]["clusters"].append(
        {
            "name": "authz",
            "type": "STATIC",
            "connect_timeout": "1s",
            "load_assignment": {"cluster_name": "authz", "endpoints": endpoints},
        }
    )


async def upload(url: str, size: int, part: int) -> int:
    """The status of the answer to a body that comes in chunks; 0 without one."""
    reader, writer = await asyncio.open_connection(*address_of(url))
    head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n"
    writer.write(f"{head}transfer-encoding: chunked\r\n\r\n".encode())

    async def send() -> None:
        with suppress(OSError):
            for start in range(0, size, part):
                data = b"x" * min(part, size - start)
                writer.write(b"%x\r\n%s\r\n" % (len(data), data))
                await writer.drain()

    sending = asyncio.ensure_future(send())
    try:
        async with asyncio.timeout(ANY_TIME):
            line = await reader.readline()
    finally:
        sending.cancel()
        writer.transport.abort()
        await asyncio.gather(sending, return_exceptions=True)
    return int(line.split()[1]) if line else 0


def test_body_over_the_limit_ends_in_an_error_soon(tmp_path):
    """Envoy may stop reading without 413 (docs/explanation/failure-model.md), so the time of a request bounds it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Authorizes)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    Scripted.says("hello")
    try:
        with compiled_sandbox(
            tmp_path, POLICY, edit=lambda bootstrap: behind_authorization(bootstrap, server.server_address[1])
        ) as running:
            sizes = ((LIMIT + 1, 1000), (2 * LIMIT, 1000), (8 * LIMIT, LIMIT))
            statuses = {asyncio.run(upload(running.sandbox.url, *each)) for each in sizes}
    finally:
        server.shutdown()
        server.server_close()
    assert statuses <= {408, 413}
