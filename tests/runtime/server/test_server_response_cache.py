"""Between a decision and its route: what a cache that is slow, broken or full does to a request, which is nothing."""

from __future__ import annotations

import asyncio
import gc

import numpy as np
import pytest

from support.runtime_fakes import DATA
from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.program.effects import CachePolicy
from vsr_runtime.decision.request.cache_recording import CachedResponse
from vsr_runtime.decision.request.events import CacheKey, ImmediateResponse, SendToModel
from vsr_runtime.errors import UserError
from vsr_runtime.server import response_cache as module
from vsr_runtime.server.generation import warm_generation
from vsr_runtime.server.memory_cache import MemoryCache
from vsr_runtime.server.response_cache import ResponseCache
from vsr_runtime.settings import load

KEPT = CachedResponse("application/json", b"{}")


class Encoder:
    """Embeds, as a test says."""

    max_tokens = 4

    def token_ids(self, text: str) -> list[int]:
        """A token a character."""
        return list(range(min(self.max_tokens, len(text))))

    def embed_ids(self, sequences) -> np.ndarray:
        """All texts are alike."""
        del sequences
        return np.array([[1.0, 0.0]], dtype=np.float32)


class Broken(Encoder):
    """Cannot."""

    def embed_ids(self, sequences) -> np.ndarray:
        """Fails."""
        raise RuntimeError(str(sequences))


def route(key: bytes = b"1", text: str = "abc") -> SendToModel:
    """A decision whose answers are kept."""
    place = CacheKey(Api.CHAT, key, CachePolicy(60.0, 0.9), b"group", text)
    return SendToModel("big", None, (), route="own", cache_key=place)


def recalled(response_cache: ResponseCache, action: SendToModel, seconds: float = 5.0):
    """What becomes of a route."""

    async def run():
        return await response_cache.recall(action, asyncio.get_running_loop().time() + seconds)

    return asyncio.run(run())


def cache_with(encoder=None) -> ResponseCache:
    """A cache with capacity."""
    return ResponseCache(MemoryCache(10, 1 << 20), encoder)


def test_a_miss_is_taken_down_and_then_a_hit():
    """The answer bears its decision, and its own code."""
    kept = cache_with()
    missed = recalled(kept, route())
    assert isinstance(missed, SendToModel)
    kept.keep(missed.response.record, KEPT)
    hit = recalled(kept, route())
    assert isinstance(hit, ImmediateResponse)
    assert (hit.status, hit.body, hit.code, hit.route) == (200, b"{}", "cache_hit", "own")
    assert isinstance(recalled(kept, route(b"2")), SendToModel)


def test_an_encoder_that_fails_or_is_late_finds_nothing_and_stops_nothing(capfd):
    """The request goes to its model, and its message is in no log."""
    kept = cache_with(Broken())
    assert isinstance(recalled(kept, route(text="secret"[:3])), SendToModel)
    assert isinstance(recalled(cache_with(Encoder()), route(), seconds=-1.0), SendToModel)
    kept.close()
    assert "sec" not in capfd.readouterr().err


def test_a_text_that_is_not_read_to_its_end_has_no_vector():
    """Another one may begin alike."""
    kept = cache_with(Encoder())
    kept.keep(recalled(kept, route(b"1", "abc")).response.record, KEPT)
    assert isinstance(recalled(kept, route(b"2", "xyz")), ImmediateResponse)
    assert recalled(kept, route(b"3", "abcd")).response.record.vector is None
    kept.close()


def test_only_so_many_answers_are_taken_down_at_a_time(monkeypatch):
    """What is under way takes memory too; what has ended, well or not, does no longer."""
    monkeypatch.setattr(module, "MAX_RECORDS", 2)
    kept = cache_with()
    under_way = [recalled(kept, route(b"%d" % number)) for number in range(3)]
    assert [each.response is not None for each in under_way] == [True, True, False]
    del under_way
    gc.collect()
    assert recalled(kept, route()).response is not None


def caching(policy, given: str):
    """The sample policy's config with a cache."""
    path, refs = policy / "router" / "config.yaml", "modelRefs: [{model: phi4-mini}]"
    plugin = f"plugins: [{{type: response_cache, configuration: {given}}}]"
    path.write_text(path.read_text().replace(refs, f"{refs}\n      {plugin}"))
    return path


def test_a_new_policy_has_forgotten_all(policy):
    """What another policy's guards let pass is no answer of this one."""
    path = policy / "router" / "config.yaml"
    plugin = "plugins: [{type: response_cache, configuration: {mode: exact, scope: global, ttl_seconds: 9}}]"
    path.write_text(
        path.read_text().replace(
            "modelRefs: [{model: phi4-mini}]", f"modelRefs: [{{model: phi4-mini}}]\n      {plugin}"
        )
    )
    first, second = (asyncio.run(warm_generation(load(path), None)) for _ in range(2))
    first.keep(recalled(first.response_cache, route()).response, KEPT)
    assert isinstance(recalled(first.response_cache, route()), ImmediateResponse)
    assert isinstance(recalled(second.response_cache, route()), SendToModel)
    assert asyncio.run(warm_generation(load(DATA / "router" / "config.yaml"), None)).response_cache is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{mode: exact, scope: project, ttl_seconds: 9}", "scope"),
        ("{mode: exact, scope: user, ttl_seconds: -1}", "ttl_seconds"),
        ("{mode: fuzzy, scope: user, ttl_seconds: 9}", "mode"),
        (
            "{mode: exact, scope: user, ttl_seconds: 9, semantic: {similarity_threshold: 0.9}}",
            "does not go with the mode exact",
        ),
        (
            "{scope: user, similarity_threshold: 0.8, semantic: {similarity_threshold: 0.9}}",
            "the older place of semantic",
        ),
    ],
)
def test_a_cache_that_is_not_executed_is_refused_by_name(policy, given, message):
    """Never a cache that does otherwise than its config says."""
    path = policy / "router" / "config.yaml"
    plugin = f"plugins: [{{type: response_cache, configuration: {given}}}]"
    path.write_text(
        path.read_text().replace(
            "modelRefs: [{model: phi4-mini}]", f"modelRefs: [{{model: phi4-mini}}]\n      {plugin}"
        )
    )
    with pytest.raises(UserError, match=message.replace(".", r"\.")):
        load(path)
