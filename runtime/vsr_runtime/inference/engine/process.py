"""The engine process: loads and warms up a policy's models, and answers on a Unix socket."""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vsr_runtime.errors import UserError
from vsr_runtime.files import read_model
from vsr_runtime.inference.engine.batch_queues import BatchQueues, LoadedModel
from vsr_runtime.inference.engine.load import load_models
from vsr_runtime.inference.engine.server import listen
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.log import log
from vsr_schemas.runtime import ClassifierSettings, RuntimeSettings


def digest_of(classifiers: Mapping[str, ClassifierSettings]) -> str:
    """A hash of the classifiers of an engine; servers and engines with different ones do not talk to each other."""
    plain = {name: classifier.model_dump(mode="json") for name, classifier in classifiers.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def run(config: Path, path: Path, *, parent: bool = False) -> None:
    """Serve until SIGTERM or SIGINT, or until the parent is gone.

    Args:
        config: the policy's config.yaml; ``runtime.yaml`` and compiled heads are next to it.
        path: the socket.
        parent: whether standard input is a pipe from the parent process, whose end ends this process, too.

    Raises:
        UserError: a file cannot be read, a model cannot be loaded, or the socket cannot be bound.
    """
    runtime = read_model(config.parent / "runtime.yaml", RuntimeSettings)
    classifiers = {name: one for name, one in runtime.classifiers.items() if one.server is None}
    if not classifiers:
        raise UserError("runtime.yaml: there is no classifier, so there is nothing for an engine to run")
    try:
        models = load_models(classifiers, config.parent)
    except ModelError as error:
        raise UserError(str(error)) from None
    asyncio.run(_serve(models, digest_of(classifiers), path, parent=parent))


async def _serve(models: Sequence[LoadedModel], digest: str, path: Path, *, parent: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    queues = BatchQueues(models)
    try:
        await queues.warm()
        server = await listen(queues, digest, path)
    except OSError as error:
        raise UserError(f"cannot listen on {path} ({error.strerror or error})") from None
    log("engine_ready", socket=str(path), classifiers=digest)
    watch = asyncio.ensure_future(_until_parent_ends(stop)) if parent else None
    await stop.wait()
    if watch:
        watch.cancel()
    server.close()
    queues.close()
    path.unlink(missing_ok=True)  # noqa: ASYNC240 - a local socket, and nothing is served any more
    log("engine_stopped")


async def _until_parent_ends(stop: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    stop.set()
