"""An ext_proc server with a fault that ours must not have: ``rogue.py FAULT`` and the options of ``vsr-runtime serve``.

``headers``: ends the stream in OK instead of an answer to the headers; ``body``: instead of one to the body;
``length``: rewrites the body and says another length; ``keeps``: answers as it should, and keeps the stream.
"""

from __future__ import annotations

import asyncio
import sys

import grpc

from vsr_runtime.decision.request.events import Continue, ImmediateResponse, SendToModel
from vsr_runtime.log import log
from vsr_runtime.server.messages import EXT_PROC_SERVICE, ProcessingRequest, ProcessingResponse
from vsr_runtime.server.wire import from_action

FAULT = sys.argv[1]
LIST = ImmediateResponse(200, b"{}", "models")


def rewritten(body: bytes) -> SendToModel:
    """To the small model; under the fault with a length that is not the body's."""
    length = len(body) + (7 if FAULT == "length" else 0)
    return SendToModel("phi4-mini", body, (("x-selected-model", "phi4-mini"), ("content-length", str(length))))


async def process(_, context) -> None:
    """One stream."""
    while (message := await context.read()) is not grpc.aio.EOF:
        if message.WhichOneof("request") == "request_headers":
            if message.request_headers.end_of_stream:  # the sandbox asks for the models before it counts as started
                await context.write(from_action(LIST))
                return
            if FAULT == "headers":
                return
            await context.write(from_action(Continue()))
        elif FAULT == "body":
            return
        else:
            body = message.request_body.body.replace(b'"auto"', b'"phi4-mini"')
            await context.write(from_action(rewritten(body)))


async def main() -> None:
    """Serve until somebody ends the process."""
    server = grpc.aio.server()
    method = grpc.stream_stream_rpc_method_handler(
        process, ProcessingRequest.FromString, ProcessingResponse.SerializeToString
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(EXT_PROC_SERVICE, {"Process": method}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    log("serving", address=f"127.0.0.1:{port}")
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
