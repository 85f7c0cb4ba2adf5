from __future__ import annotations

import asyncio
import json
import os
import shutil
import threading
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from support.played_gateway import request_body, request_headers, samples
from support.runtime_fakes import DATA, Classification, FakeClassifier
from vsr_runtime.errors import UserError
from vsr_runtime.server import reload
from vsr_runtime.server.file_reads import FileReads
from vsr_runtime.server.generation import Generation, content_hash, warm_generation
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.reload import Reloader, keys_hash
from vsr_runtime.settings import load

MODEL = "modelRefs: [{model: phi4-mini}]"
OTHER = "modelRefs: [{model: llama3-8b}]"


@pytest.fixture
def folder(tmp_path) -> Path:
    """A copy of the sample policy's folder that a test may change."""
    return Path(shutil.copytree(DATA / "router", tmp_path / "router"))


def edit(path: Path, old: str, new: str) -> None:
    """Replace text that is there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


class Watched:
    """A served folder: a gateway in front of it, and the reloader that a test lets look."""

    def __init__(self, envoy, reloader: Reloader, metrics: Metrics) -> None:
        self.envoy = envoy
        self.metrics = metrics
        self.look = reloader.look

    async def model(self, chat) -> str:
        """The model that a request about mathematics gets."""
        responses, code = await self.envoy.send(request_headers(), request_body(chat()))
        assert code == grpc.StatusCode.OK
        return json.loads(responses[1].request_body.response.body_mutation.body)["model"]

    def shown(self) -> tuple[str, str]:
        """Success of the last reload, and the start of the digest that is served."""
        (well,) = samples(self.metrics, "config_last_reload_success")
        (serving,) = samples(self.metrics, "config_generation_info")
        return well.split()[1], serving.split('"')[1]


@asynccontextmanager
async def watched(gateway, config: Path, load_classifier=lambda _: FakeClassifier()):
    """Serve a folder's policy."""
    keys, policy, digest = keys_hash(config, None), load(config), content_hash(config)
    metrics = Metrics(policy.program)
    metrics.adopt(policy.program, digest)
    generation = await warm_generation(policy, load_classifier(policy), digest)
    async with gateway(policy, metrics=metrics, generation=generation) as envoy:
        yield Watched(envoy, Reloader(config, load_classifier, envoy.processor, metrics, generation, keys), metrics)


def served(gateway, folder: Path, scenario, **more):
    """Run a scenario against a served folder."""

    async def whole():
        async with watched(gateway, folder / "config.yaml", **more) as server:
            return await scenario(server)

    return asyncio.run(whole())


def test_changed_config_is_served_after_a_look(gateway, folder, chat, capfd):
    """The next request is decided by the new content, and the metric names it."""

    async def scenario(server):
        assert await server.model(chat) == "phi4-mini"
        edit(folder / "config.yaml", MODEL, OTHER)
        await server.look()
        assert server.shown() == ("1.0", content_hash(folder / "config.yaml"))
        return await server.model(chat)

    assert served(gateway, folder, scenario) == "llama3-8b"
    assert capfd.readouterr().err.count('"event": "reloaded"') == 1


def test_nothing_is_loaded_while_nothing_changes(gateway, folder, monkeypatch):
    """A look at what is served already costs a hash and nothing more."""

    async def scenario(server):
        monkeypatch.setattr(reload.settings, "load", lambda _: pytest.fail("loaded"))
        os.utime(folder / "config.yaml", (1, 1))
        await server.look()
        return server.shown()

    assert served(gateway, folder, scenario)[0] == "1.0"


def test_swap_under_load_loses_nothing(gateway, folder, chat):
    """Streams that come while generations are swapped are all answered, each by one of the two."""

    async def scenario(server):
        done, models = asyncio.Event(), []

        async def client():
            while not done.is_set():
                models.append(await server.model(chat))

        clients = [asyncio.ensure_future(client()) for _ in range(8)]
        for old, new in ((MODEL, OTHER), (OTHER, MODEL), (MODEL, OTHER)):
            edit(folder / "config.yaml", old, new)
            await server.look()
            goal = len(models) + 2 * len(clients)  # of which some have begun after the swap
            while len(models) < goal and not any(each.done() for each in clients):  # noqa: ASYNC110 - they go on
                await asyncio.sleep(0.001)
        done.set()
        await asyncio.gather(*clients)
        return set(models)

    assert served(gateway, folder, scenario) == {"phi4-mini", "llama3-8b"}


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("config.yaml", "routing:", "routing:\n  foo: 1", "routing.foo: not supported"),
        ("config.yaml", "routing:", "routing: [", "config.yaml:"),
        ("config.yaml", "{model: phi4-mini}", "{model: nobody}", "nobody"),
        ("runtime.yaml", "deadline: 20000", "deadline: 10", "leaves no time"),
        ("runtime.yaml", "maxMessage: 327680", "maxMessage: 327681", "327681 is more than the 327680"),
    ],
)
def test_content_that_cannot_serve_is_refused_in_one_line(gateway, folder, chat, capfd, file, old, new, reason):
    """The old generation goes on, the metric says so, and the same content is not complained of twice."""

    async def scenario(server):
        before = server.shown()
        edit(folder / file, old, new)
        for _ in range(3):
            await server.look()
        assert server.shown() == ("0.0", before[1])
        assert await server.model(chat) == "phi4-mini"
        edit(folder / file, new, old)
        await server.look()
        return server.shown() == before

    assert served(gateway, folder, scenario)
    (line,) = [line for line in capfd.readouterr().err.splitlines() if "reload_refused" in line]
    assert reason in json.loads(line)["reason"]


def test_config_that_is_gone_is_refused(gateway, folder, chat, capfd):
    """A folder that was emptied does not end what serves."""

    async def scenario(server):
        (folder / "config.yaml").unlink()
        await server.look()
        return await server.model(chat)

    assert served(gateway, folder, scenario) == "phi4-mini"
    assert "check the path" in capfd.readouterr().err


class Silly(FakeClassifier):
    """Answers what is no answer."""

    def __init__(self, label: str | None, probability: float) -> None:
        self.found = Classification(label, probability)

    def classify(self, _):
        """The same of every text."""
        return self.found


@pytest.mark.parametrize(
    ("label", "probability"), [("law", 0.5), ("math", float("nan")), (None, 1.5), ("computer science", -0.1)]
)
def test_classifier_that_fails_its_test_never_serves(gateway, folder, chat, capfd, label, probability):
    """A label that nobody knows or a number that is no probability keeps the old generation."""
    given = iter([FakeClassifier(), Silly(label, probability)])

    async def scenario(server):
        (folder / "domain.safetensors").write_bytes(b"another")
        await server.look()
        return await server.model(chat), server.shown()[0]

    assert served(gateway, folder, scenario, load_classifier=lambda _: next(given)) == ("phi4-mini", "0.0")
    assert "none of its categories' answers" in capfd.readouterr().err


def test_loader_that_breaks_keeps_the_old(gateway, folder, chat, capfd):
    """Even a fault that nobody foresaw is a line, not the end."""
    given = [FakeClassifier()]  # popping a second one is an error

    async def scenario(server):
        (folder / "domain.safetensors").write_bytes(b"another")
        await server.look()
        return await server.model(chat)

    assert served(gateway, folder, scenario, load_classifier=lambda _: given.pop()) == "phi4-mini"
    assert "internal error (" in capfd.readouterr().err


def test_new_head_is_a_new_generation(gateway, folder, chat):
    """A head that was trained again is loaded, though no YAML has changed."""
    path = folder / "domain.safetensors"
    path.write_bytes(b"math")

    class Trained(FakeClassifier):
        def __init__(self) -> None:
            self.label = path.read_bytes().decode()

        def classify(self, _):
            return Classification(self.label, 0.9)

    async def scenario(server):
        before = await server.model(chat)
        path.write_bytes(b"computer science")
        await server.look()
        return before, await server.model(chat)

    assert served(gateway, folder, scenario, load_classifier=lambda _: Trained()) == ("phi4-mini", "llama3-8b")


def mount(root: Path, revision: str) -> None:
    """Write a ConfigMap's volume as a kubelet does: files in a folder of their own, then one link is swapped."""
    data = root / f"..{revision}"
    shutil.copytree(DATA / "router", data)
    if revision != "first":
        edit(data / "config.yaml", MODEL, OTHER)
    fresh = root / "..data_tmp"
    fresh.symlink_to(data.name)
    fresh.rename(root / "..data")
    for name in ("config.yaml", "runtime.yaml"):
        if not (root / name).is_symlink():
            (root / name).symlink_to(Path("..data") / name)
    if revision != "first":
        shutil.rmtree(root / "..first")


def test_link_that_a_kubelet_swaps_is_followed(gateway, tmp_path, chat):
    """The files' own links never change in a mounted ConfigMap; what they lead to does."""
    mount(tmp_path, "first")

    async def scenario(server):
        before = await server.model(chat)
        mount(tmp_path, "second")
        await server.look()
        return before, await server.model(chat)

    assert served(gateway, tmp_path, scenario) == ("phi4-mini", "llama3-8b")


def test_content_that_changes_while_it_is_loaded_is_not_mixed(gateway, folder, chat, capfd):
    """What was read across a change is thrown away without a word, and read again at the next look."""
    loads: list[int] = []

    def meddling(_):
        loads.append(1)
        if len(loads) == 2:
            (folder / "domain.safetensors").write_bytes(b"meanwhile")
        return FakeClassifier()

    async def scenario(server):
        edit(folder / "config.yaml", MODEL, OTHER)
        await server.look()
        between = await server.model(chat)
        await server.look()
        return between, await server.model(chat)

    assert served(gateway, folder, scenario, load_classifier=meddling) == ("phi4-mini", "llama3-8b")
    assert "refused" not in capfd.readouterr().err


class Holding(FakeClassifier):
    """Reads its first request only on a signal."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def classify(self, text):
        """Wait where the text says so."""
        if "HOLD" in text:
            self.begun.set()
            assert self.go.wait(20)
        return super().classify(text)


def test_stream_in_flight_keeps_its_generation(gateway, folder, chat):
    """A request that was being classified when the swap came is decided by the policy that it began with."""
    first = Holding()
    given = iter([first, FakeClassifier()])

    async def scenario(server):
        in_flight = asyncio.ensure_future(server.envoy.send(request_headers(), request_body(chat(content="HOLD 1+1"))))
        await asyncio.to_thread(first.begun.wait, 20)
        edit(folder / "config.yaml", MODEL, OTHER)
        await server.look()
        after = await server.model(chat)
        first.go.set()
        responses, _ = await in_flight
        return after, json.loads(responses[1].request_body.response.body_mutation.body)["model"]

    assert served(gateway, folder, scenario, load_classifier=lambda _: next(given)) == ("llama3-8b", "phi4-mini")


class Pool:
    """Knows whether it was closed."""

    closed = 0

    def close(self) -> None:
        """Count."""
        self.closed += 1


def test_retired_generation_is_closed_with_its_last_stream(settings):
    """Its threads stay while a stream may need them, and not longer."""
    pool = Pool()
    generation = Generation(settings, pool)
    generation.enter()
    generation.enter()
    generation.retire()
    generation.leave()
    assert pool.closed == 0
    generation.leave()
    assert pool.closed == 1
    idle = Generation(settings, Pool())
    idle.retire()
    assert idle.pool.closed == 1


def test_limits_belong_to_the_generation(settings):
    """Deadline and bounds are those of the policy that serves, not those of the start."""
    smaller = replace(settings, decision_timeout=0.1, limits=settings.limits.model_copy(update={"maxBody": 5}))
    generation = Generation(smaller, None)
    assert (generation.budget, generation.rules.max_body) == (0.1, 5)


def test_warming_leaves_no_threads_where_it_fails(settings):
    """A classifier that fails is let go of."""
    before = threading.active_count()
    with pytest.raises(UserError, match="none of its categories"):
        asyncio.run(warm_generation(settings, Silly("law", 0.5)))
    for thread in threading.enumerate():
        if thread.name.startswith("classify"):
            thread.join(10)
    assert threading.active_count() <= before


def test_watching_looks_again_and_again(gateway, folder, chat):
    """The loop picks up one change after the other by itself."""

    async def scenario(server):
        watch = asyncio.ensure_future(server.look.__self__.watch(0.01))
        for old, new, model in ((MODEL, OTHER, "llama3-8b"), (OTHER, MODEL, "phi4-mini")):
            edit(folder / "config.yaml", old, new)
            async with asyncio.timeout(20):
                while await server.model(chat) != model:  # noqa: ASYNC110 - nothing is set when a swap is done
                    await asyncio.sleep(0.01)
        watch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watch

    served(gateway, folder, scenario)


def test_hash_is_the_compilers(tmp_path):
    """What the metric shows can be compared with what the compiler wrote beside the config in Git."""
    out = DATA.parents[2] / "out" / "quickstart"
    digest = content_hash(out / "router" / "config.yaml")
    assert any(digest in path.read_text() for path in out.rglob("deployment-*.yaml"))
    assert digest != content_hash(shutil.copytree(DATA / "router", tmp_path / "router") / "config.yaml")


def test_rotated_key_is_taken_up(gateway, folder, chat):
    """A provider's key that is replaced in its file is the one that the next request carries."""
    edit(folder / "runtime.yaml", "classifiers:", "credentials: {phi4-mini: {file: key}}\nclassifiers:")
    (folder / "credentials").mkdir()
    key = folder / "credentials" / "key"
    key.write_text("first")

    async def sent(served):
        responses, _ = await served.envoy.send(request_headers(), request_body(chat("phi4-mini")))
        options = responses[1].request_body.response.header_mutation.set_headers
        return {option.header.key: option.header.raw_value for option in options}["authorization"]

    def meddling(_):
        """The third key comes while the second is taken up, which loads a classifier first."""
        if key.read_text() == "second":
            key.write_text("third")
        return FakeClassifier()

    async def whole():
        async with watched(gateway, folder / "config.yaml") as served:
            before = await sent(served)
            key.write_text("second")
            await served.look()
            between = await sent(served)
        async with watched(gateway, folder / "config.yaml", meddling) as served:
            await served.look()
            return before, between, await sent(served)

    assert asyncio.run(whole()) == (b"Bearer first", b"Bearer second", b"Bearer third")


def _no_file(path: Path, kind: str) -> None:
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(kind)


@pytest.mark.parametrize("file", ["config.yaml", "runtime.yaml"])
@pytest.mark.parametrize("kind", ["fifo", "folder", "/dev/zero", "/dev/tty"])
def test_what_is_no_regular_file_is_refused_and_the_next_content_is_served(gateway, folder, chat, capfd, file, kind):
    """A FIFO has no other end that would ever write, and a device has no end at all."""

    async def scenario(server):
        before = (folder / file).read_text()
        _no_file(folder / file, kind)
        await server.look()
        assert server.shown()[0] == "0.0"
        (folder / file).rmdir() if kind == "folder" else (folder / file).unlink()
        (folder / file).write_text(before)
        edit(folder / "config.yaml", MODEL, OTHER)
        await server.look()
        assert server.shown() == ("1.0", content_hash(folder / "config.yaml"))
        return await server.model(chat)

    assert served(gateway, folder, scenario) == "llama3-8b"
    assert capfd.readouterr().err.count('"event": "reload_refused"') == 1


def test_read_that_does_not_end_is_left_alone(gateway, folder, chat, capfd, monkeypatch):
    """A file system that hangs is reported once; when it goes on, so does the reloader."""
    release, hangs = threading.Event(), threading.Event()

    def hashed(config: Path) -> str:
        if hangs.is_set():
            release.wait(60)
        return content_hash(config)

    monkeypatch.setattr(reload, "content_hash", hashed)
    monkeypatch.setattr(FileReads.run, "__defaults__", (0.5,))

    async def scenario(server):
        hangs.set()
        for _ in range(6):
            await server.look()
        assert server.shown()[0] == "0.0"
        hangs.clear()
        release.set()
        edit(folder / "config.yaml", MODEL, OTHER)
        async with asyncio.timeout(20):
            while server.shown()[0] == "0.0":
                await asyncio.sleep(0.01)
                await server.look()
        return await server.model(chat)

    assert served(gateway, folder, scenario) == "llama3-8b"
    err = capfd.readouterr().err
    assert err.count('"event": "reload_refused"') == 1
    assert "does not end within" in err


def test_time_of_the_last_look_is_shown(gateway, folder):
    """A watcher that has stopped can be alerted on."""

    async def scenario(server):
        before = time.time()
        await server.look()
        (line,) = samples(server.metrics, "config_last_check_timestamp_seconds")
        return before <= float(line.split()[1]) <= time.time()

    assert served(gateway, folder, scenario)
