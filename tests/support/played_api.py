"""Serves the HTTP API to tests, over a real port, with classifiers whose answers are in the text."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from threading import Event, Thread

import aiohttp
import numpy as np

from vsr_runtime.inference.engine.interface import TokenLabels
from vsr_runtime.server.api.api import HttpApi
from vsr_runtime.server.engine import EnginePool
from vsr_runtime.server.extproc import Processor
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.health import Health
from vsr_runtime.server.http import HttpPort
from vsr_runtime.server.metrics import Metrics
from vsr_schemas.runtime import CheckpointSettings, ClassifierSettings

ANY_TIME = 30.0
HERE = "127.0.0.1"
WORD = re.compile(r"\S+")


def checkpoint(task: str, labels: list[str], threshold: float = 0.5, **more) -> ClassifierSettings:
    """A classifier that is a checkpoint."""
    return ClassifierSettings(
        task=task,
        checkpoint=CheckpointSettings(repo="a/b", revision="0" * 40, **more),
        labels=labels,
        threshold=threshold,
    )


CATEGORY = checkpoint("category", ["math", "computer science"], long="truncate")
JUDGE = checkpoint("jailbreak", ["attack"])
NAMES = checkpoint("pii", ["PERSON"], kind="token")
ALL = {"domain": CATEGORY, "judge": JUDGE, "names": NAMES}


class Engine:
    """Answers from the text; or fails with ``error``, or not until the deadline where that is ``hang``."""

    waiting, healthy = 0, True

    def __init__(self, error: Exception | str | None = None) -> None:
        self.error = error
        self.asked: list[tuple[str, str]] = []

    async def _wait(self, until) -> None:
        if self.error == "hang":
            async with asyncio.timeout_at(until):
                await asyncio.sleep(60)
        if self.error is not None:
            raise self.error

    async def classify(self, task, texts, until):
        """Mathematics by digits; attacks by ``evil``, likely in one window of a text and unlikely in another."""
        self.asked += [(task, text) for text in texts]
        await self._wait(until)
        return [self._one(task, text) for text in texts]

    def _one(self, task, text):
        if task == "judge":
            return {"benign": 0.8 if "long" in text else 0.1, "attack": 0.9} if "evil" in text else _benign()
        likely = any(mark.isdigit() for mark in text)
        return {
            "math": 0.7 if likely else 0.1,
            "computer science": 0.2 if likely else 0.1,
            "law": 0.1 if likely else 0.8,
        }

    async def label_tokens(self, task, texts, until):
        """Words with a capital are names: the first of several begins one, and the next continue it."""
        self.asked += [(task, text) for text in texts]
        await self._wait(until)
        return [_named(text) for text in texts]

    def close(self) -> None:
        """Nothing is held."""


def _named(text):
    words = list(WORD.finditer(text))
    rows, before = [], False
    for word in words:
        name = word[0][0].isupper()
        rows.append([0.1, 0.1, 0.8] if name and before else [0.1, 0.8, 0.1] if name else [0.8, 0.1, 0.1])
        before = name
    labels = ("O", "B-PERSON", "I-PERSON")
    # As tokenizers do that count the blank before a word as its own.
    offsets = [(max(0, word.start() - 1), word.end()) for word in words]
    return TokenLabels(labels, offsets, np.array(rows, np.float32).reshape(-1, 3))


def _benign():
    return {"benign": 0.95, "attack": 0.05}


@asynccontextmanager
async def served(settings, engine=None, classifiers=ALL, budget=ANY_TIME, chosen=None, pool=None, max_held=None):
    """A served API, and a client that is connected to it."""
    category = "domain" if "domain" in classifiers else None
    own = replace(settings, decision_timeout=budget)
    if pool is None:
        own = replace(own, engine=classifiers, classifier=None)
        pool = EnginePool(engine or Engine(), classifiers, category) if classifiers else None
    metrics = Metrics(settings.program)
    processor = Processor(Generation(own, pool), metrics, max_held)
    health = Health(metrics.text)
    health.ready = True
    api = HttpApi(lambda: health.serving, metrics, chosen)
    api.processor = processor
    port = HttpPort(health, api)
    await port.listen(HERE, 0)
    async with aiohttp.ClientSession(f"http://{HERE}:{port.port}") as client:
        client.played = (health, api, processor, metrics, port)
        yield client
    await port.close()
    processor.close()


def ask(settings, path, body, *, method="POST", headers=None, **more):
    """One request to a fresh server: the status, what was answered, and its headers."""

    async def whole():
        async with served(settings, **more) as client:
            return await send(client, path, body, method=method, headers=headers)

    return asyncio.run(whole())


async def send(client, path, body, *, method="POST", headers=None):
    """One request: the status, what was answered, and its headers."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    given = {"content-type": "application/json", **(headers or {})}
    async with client.request(method, path, data=data, headers=given) as answer:
        text = await answer.text()
        assert answer.content_type == "application/json"
        return answer.status, json.loads(text), answer.headers


@contextmanager
def served_aside(settings, **more):
    """The URL of an API that a thread of its own serves."""
    address: list[str] = []
    up, done = Event(), Event()

    async def whole():
        async with served(settings, **more) as client:
            address.append(str(client._base_url))
            up.set()
            await asyncio.to_thread(done.wait)

    thread = Thread(target=lambda: asyncio.run(whole()))
    thread.start()
    try:
        assert up.wait(30)
        yield address[0].rstrip("/")
    finally:
        done.set()
        thread.join()
