"""The least that an ext_proc server in Python can be: what a transport takes by itself, with one `json.loads` in it.

Not to be used for anything else: it checks nothing. `benchmarks/extproc.py --bare` puts it beside the runtime.
"""

from __future__ import annotations

import argparse
import asyncio
import json

from vsr_runtime.decision.request.events import Continue, SendToModel
from vsr_runtime.log import log
from vsr_runtime.server.address import Address
from vsr_runtime.server.messages import EXT_PROC_SERVICE, ProcessingRequest
from vsr_runtime.server.server import _loop_factory
from vsr_runtime.server.transport.choose import choose_transport
from vsr_runtime.server.transport.stream import MAX_STREAMS, Method, Outcome, Status, Stream
from vsr_runtime.server.wire import encoded


def decided(body: bytes) -> bytes:
    """The same answer that the runtime gives."""
    values = json.loads(body)
    values["model"] = "model-b"
    data = json.dumps(values).encode()
    headers = (("x-selected-model", "model-b"), ("content-length", str(len(data))))
    return encoded(SendToModel("model-b", data, headers))


async def process(stream: Stream) -> Outcome:
    """One stream."""
    while message := await stream.read():
        if message.WhichOneof("request") != "request_headers":
            return decided(message.request_body.body)
        await stream.write(encoded(Continue()))
    return Status.INTERNAL, "no body came"


async def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--transport")
    given, _ = parser.parse_known_args()
    methods = {(EXT_PROC_SERVICE, "Process"): Method(ProcessingRequest.FromString, process)}
    address = Address("127.0.0.1", 0)
    server = await choose_transport(given.transport)(address, None, methods, max_message=1 << 20, streams=MAX_STREAMS)
    log("serving", address=f"127.0.0.1:{server.port}", http="", transport=server.name)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main())
