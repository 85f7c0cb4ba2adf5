"""Stand-ins for the tests of the runtime: a classifier whose answer is in the prompt, and a server that uses it.

Run as a program it takes the options of ``vsr-runtime serve``.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vsr_runtime import log as runtime_log
from vsr_runtime.log import log
from vsr_runtime.server.address import parse_address
from vsr_runtime.server.reload import POLL
from vsr_runtime.server.server import Listen, run
from vsr_runtime.server.supervisor.child import STUCK_AFTER
from vsr_runtime.server.supervisor.link import is_child
from vsr_runtime.server.supervisor.supervisor import run_supervisor
from vsr_runtime.server.tls import Tls
from vsr_runtime.server.transport.stream import TRANSPORTS

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Classification:
    """What the real classifier returns, too."""

    label: str | None
    probability: float
    probabilities: Mapping[str, float] = field(default_factory=dict)
    likeness: Mapping[str, float] = field(default_factory=dict)


class FakeClassifier:
    """Finds mathematics by digits, computers by a name; raises, sleeps and dies when the prompt says so."""

    def classify(self, text: str) -> Classification:
        """Read one text."""
        if "RAISE" in text:
            raise RuntimeError(text)
        if "ABORT" in text:
            return Classification([], 0.5)  # type: ignore[arg-type] # no label at all: a fault beyond the classifier
        if "DIE" in text:
            os._exit(9)
        if "SLEEP" in text:
            log("classifying")
            time.sleep(3)
        if "Linux" in text:
            return Classification("computer science", 0.8)
        return Classification("math", 0.9) if any(mark.isdigit() for mark in text) else Classification(None, 0.1)


def main() -> None:
    """Serve with the fake."""
    parser = argparse.ArgumentParser()
    for option in ("--config", "--address", "--http-address"):
        parser.add_argument(option, required=True)
    parser.add_argument("--credentials", type=Path)
    parser.add_argument("--shadow", type=Path)
    parser.add_argument("--share", type=float, default=0)
    for option in ("--tls-cert", "--tls-key", "--tls-client-ca"):
        parser.add_argument(option, type=Path)
    parser.add_argument("--api", action="store_true")
    parser.add_argument("--transport", choices=TRANSPORTS)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--stuck-after", type=float, default=STUCK_AFTER)
    parser.add_argument("--shutdown-delay", type=float, default=0)
    parser.add_argument("--log-queue", type=int)
    parser.add_argument("--poll", type=float, default=POLL)
    given = parser.parse_args()
    if given.log_queue:
        runtime_log._WRITER = runtime_log.Writer(2, given.log_queue)
    if given.workers > 1 and not is_child():
        run_supervisor(
            given.workers, parse_address(given.address), parse_address(given.http_address), given.stuck_after
        )
        return
    tls = Tls(given.tls_cert, given.tls_key, given.tls_client_ca) if given.tls_cert else None
    addresses = parse_address(given.address), parse_address(given.http_address)
    listen = Listen(*addresses, tls, given.api, transport=given.transport, shadow=given.shadow, share=given.share)
    run(
        Path(given.config),
        listen,
        lambda _: FakeClassifier(),
        given.poll,
        credentials=given.credentials,
        shutdown_delay=given.shutdown_delay,
    )


if __name__ == "__main__":
    main()
