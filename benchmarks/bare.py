"""The least that an ext_proc server in Python can be: what the transport takes by itself, with one `json.loads` in it.

Not to be used for anything else: it checks nothing. `benchmarks/extproc.py --bare` puts it beside the runtime.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import grpc

from runtime.output import log
from runtime.request.events import Continue, Route
from runtime.serve.messages import EXT_PROC_SERVICE, ProcessingRequest
from runtime.serve.server import _loop_factory
from runtime.serve.wire import encoded


def decided(body: bytes) -> bytes:
    """The same answer that the runtime gives."""
    values = json.loads(body)
    values["model"] = "model-b"
    data = json.dumps(values).encode()
    headers = (("x-selected-model", "model-b"), ("content-length", str(len(data))))
    return encoded(Route("model-b", data, headers))


async def process(_: object, context: Any) -> None:  # noqa: ANN401 - grpc ships no types
    """One stream."""
    while (message := await context.read()) is not grpc.aio.EOF:
        if message.WhichOneof("request") == "request_headers":
            await context.write(encoded(Continue()))
        else:
            await context.write(decided(message.request_body.body))
            return


async def main() -> None:
    """Serve until the process is ended."""
    server = grpc.aio.server(options=[("grpc.max_concurrent_streams", 65_535)])
    method = grpc.stream_stream_rpc_method_handler(process, ProcessingRequest.FromString, None)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(EXT_PROC_SERVICE, {"Process": method}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    log("serving", address=f"127.0.0.1:{port}", http="")
    await server.wait_for_termination()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main())
