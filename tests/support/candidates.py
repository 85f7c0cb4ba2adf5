"""A served policy with a candidate beside it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from support.played_gateway import request_body, request_headers, samples
from support.runtime_fakes import FakeClassifier
from vsr_runtime.server.candidate import CandidateWatch
from vsr_runtime.server.generation import content_hash, warm_generation
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.reload import Reloader, keys_hash
from vsr_runtime.server.shadow.shadow import Shadow
from vsr_runtime.server.shadow.share import Share
from vsr_runtime.settings import load

MODEL = "modelRefs: [{model: phi4-mini}]"
OTHER = "modelRefs: [{model: llama3-8b}]"
PROMPTS = ("2+2 is", "Linux is", "hello", "12 times 12", "what is RAISE", "name me one")


def edit(path: Path, old: str, new: str) -> None:
    """Replace text that is there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


class Served:
    """A served policy with a candidate."""

    def __init__(self, envoy, watch, shadow: Shadow, metrics: Metrics, reloader: Reloader) -> None:
        self.envoy, self.shadow, self.metrics = envoy, shadow, metrics
        self.look, self.reload = watch.look, reloader.look

    async def ask(self, *bodies: bytes) -> list[list[bytes]]:
        """The serialised answers to some requests."""
        answers = []
        for number, body in enumerate(bodies):
            responses, _ = await self.envoy.send(request_headers(x_request_id=f"r{number}"), request_body(body))
            answers.append([response.SerializeToString() for response in responses])
        await self.shadow.settled()
        return answers

    def shown(self, name: str) -> dict[str, float]:
        """The values of a metric that are not zero, by labels."""
        lines = [line.removeprefix(name).rpartition(" ") for line in samples(self.metrics, name + "{")]
        return {labels: float(value) for labels, _, value in lines if float(value)}


def serve(gateway, folders, scenario, load_classifier=lambda _: FakeClassifier(), budget=None, share=0.0):
    """Run a scenario against a served policy with a candidate that has been looked for, and may decide a share."""
    config, other = (folder / "config.yaml" for folder in folders)

    async def whole():
        policy = load(config)
        metrics = Metrics(policy.program)
        shadow = Shadow(metrics.shadow, budget, Share(metrics.policies, share) if share else None)
        generation = await warm_generation(policy, load_classifier(policy), content_hash(config))
        async with gateway(policy, metrics=metrics, generation=generation, shadow=shadow) as envoy:
            watch = CandidateWatch(other, config, None, envoy.processor, shadow, load_classifier, metrics.shadow)
            keys = keys_hash(config, None)
            reloader = Reloader(config, load_classifier, envoy.processor, metrics, generation, keys)
            await watch.look()
            return await scenario(Served(envoy, watch, shadow, metrics, reloader))

    return asyncio.run(whole())


def lines(capfd, event: str) -> list[dict]:
    """The log lines of an event."""
    found = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    return [line for line in found if line["event"] == event]
