"""The decision of a conversation: the same for every replica, stable in loops, and monotone under `escalate`."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support.common import ROOT
from support.properties import FACTOR, FUZZING
from vsr_compiler.pipeline import compile_policy, read_policy
from vsr_runtime.decision.request.events import Continue, ImmediateResponse, RequestBody, RequestHeaders, SendToModel
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, MachineConfig
from vsr_runtime.settings import load

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: talks}
router: {image: "registry.example/vsr-runtime:0.1.0"}
gitops: {repo: "https://git.example.com/team/routing.git"}
endpoints: {a: {service: "a:8000"}, b: {service: "b:8000"}, c: {service: "c:8000"}}
models: {small: {endpoints: a}, middle: {endpoints: b}, large: {endpoints: c}}
signals: {tides: {keywords: [tides]}, torts: {keywords: [torts]}, canary: {keywords: [canary]}}
routes:
  - {name: tides, when: {signal: tides}, model: middle}
  - {name: torts, when: {signal: torts}, model: large}
  - {name: canary, when: {signal: canary}, split: {small: 50, large: 50}}
default: small
"""
ESCALATE = "stickiness: {mode: escalate, order: [small, middle, large]}\n"
RANKS = {"small": 0, "middle": 1, "large": 2}
ASKS = (
    "How do tides arise on a planet with two moons?",
    "Which torts require proof of an intention to harm?",
    "What is the boiling point of liquid helium near the ground?",
    "Explain why sourdough needs a warm kitchen overnight.",
)
REPLIES = ("continue", "yes please", "shorter", "weiter", "and why?", "👍")
Body = dict[str, Any]
BOUND = 100 * (FACTOR if FUZZING else 1)
"""Conversations of each test; `make fuzz` takes more."""


def config(folder: Path, text: str) -> MachineConfig:
    """Return the machine of a policy."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "p.yaml"
    path.write_text(text, encoding="utf-8")
    compiled = compile_policy(read_policy(path), lambda _: None)
    for name, data in compiled.policy.router.files.items():
        (folder / name).write_bytes(data)
    settings = load(folder / "config.yaml")
    return MachineConfig(settings.program, settings.limits.maxBody)


def decide(machine: MachineConfig, body: Mapping[str, Any], path: str = "/v1/chat/completions", **headers: str) -> str:
    """Return the model of a request, or the code of its refusal."""
    names = {":method": "POST", ":path": path, ":authority": "g", "content-type": "application/json"}
    pairs = (*names.items(), *((name.replace("_", "-"), value) for name, value in headers.items()))
    state, action = advance(machine, AwaitsHeaders(), RequestHeaders(pairs, end_of_stream=False))
    if isinstance(action, Continue):
        _, action = advance(machine, state, RequestBody(json.dumps(body).encode()))
    assert isinstance(action, SendToModel | ImmediateResponse)
    return action.model if isinstance(action, SendToModel) else action.code


def talk(seed: int) -> list[tuple[Body, str]]:
    """Return the requests of a conversation, each with its kind: ask, reply or loop."""
    chance = random.Random(seed)  # noqa: S311 - examples
    past: list[Body] = [{"role": "system", "content": f"Session {seed}."}]
    requests: list[tuple[Body, str]] = []
    for turn in range(chance.randint(2, 9)):
        kind = "ask" if turn == 0 or chance.random() < 0.4 else "reply"
        past.append({"role": "user", "content": chance.choice(ASKS if kind == "ask" else REPLIES)})
        requests.append(({"model": "auto", "messages": list(past)}, kind))
        for call in range(chance.choice((0, 0, 1, 3))):
            calls = [{"id": f"c{call}", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}]
            past.append({"role": "assistant", "content": None, "tool_calls": calls})
            past.append({"role": "tool", "tool_call_id": f"c{call}", "content": chance.choice(ASKS)})
            requests.append(({"model": "auto", "messages": list(past)}, "loop"))
        past.append({"role": "assistant", "content": "Here is what I found."})
    return requests


def digest(folder: Path, number: int) -> str:
    """Return a hash of all decisions of many conversations, in both modes."""
    machines = [config(folder / name, POLICY + text) for name, text in (("plain", ""), ("up", ESCALATE))]
    found = hashlib.sha256()
    for seed in range(number):
        for body, _ in talk(seed):
            for machine in machines:
                found.update(decide(machine, body).encode())
    return found.hexdigest()


@pytest.mark.property
def test_a_conversation_only_moves_with_a_new_ask(tmp_path: Path) -> None:
    """Results of tools and replies leave the model as it is, and each ask has the model that it has alone."""
    machine = config(tmp_path, POLICY)
    for seed in range(BOUND):
        before = ""
        for body, kind in talk(seed):
            model = decide(machine, body)
            if kind == "ask":
                assert model == decide(machine, {"model": "auto", "messages": body["messages"][-1:]})
            else:
                assert model == before
            before = model


@pytest.mark.property
def test_a_conversation_that_escalates_never_moves_down(tmp_path: Path) -> None:
    """And it moves up with the first ask that needs more."""
    machine = config(tmp_path, POLICY + ESCALATE)
    for seed in range(BOUND):
        ranks = [RANKS[decide(machine, body)] for body, _ in talk(seed)]
        assert ranks == sorted(ranks)


@pytest.mark.subprocess
def test_other_processes_decide_the_same(tmp_path: Path) -> None:
    """Hashes of Python's own differ between processes; decisions do not."""
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); sys.path.insert(0, {str(ROOT / 'tests')!r})\n"
    )
    script += "from pathlib import Path\nfrom test_conversation_decisions import digest\n"
    script += f"print(digest(Path({str(tmp_path / 'other')!r}), 20))"
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == digest(tmp_path, 20)


@pytest.mark.parametrize(
    "key",
    [{"prompt_cache_key": "s-{}"}, {"metadata": {"user_id": "s-{}"}}, {"user": "s-{}"}, {"safety_identifier": "s-{}"}],
)
def test_a_split_is_drawn_by_the_conversation(tmp_path: Path, key: Body) -> None:
    """Not by the request: all turns of one get the same model, and both models get conversations."""
    machine = config(tmp_path, POLICY)
    seen = set()
    for number in range(16):
        own = json.loads(json.dumps(key).replace("{}", str(number)))
        messages: list[Body] = [{"role": "user", "content": "canary, how do you sing in a coal mine at night?"}]
        models = set()
        for turn in range(4):
            models.add(decide(machine, {"model": "auto", "messages": messages, **own}, x_request_id=f"{number}-{turn}"))
            messages += [{"role": "assistant", "content": "Quietly."}, {"role": "user", "content": "go on"}]
        assert len(models) == 1
        seen |= models
    assert seen == {"small", "large"}


def test_a_split_is_drawn_by_the_first_words_or_the_policys_header(tmp_path: Path) -> None:
    """Without a field that identifies the conversation."""
    machine = config(tmp_path, POLICY + "stickiness: {keyHeader: x-session-id}\n")
    texts = [f"canary number {number} sings?" for number in range(16)]
    bodies = [{"model": "auto", "messages": [{"role": "user", "content": text}]} for text in texts]
    assert {decide(machine, body, x_request_id=str(n)) for n, body in enumerate(bodies)} == {"small", "large"}
    assert len({decide(machine, bodies[0], x_request_id=str(n)) for n in range(16)}) == 1
    assert len({decide(machine, body, x_session_id="one") for body in bodies}) == 1


STATE: tuple[Body, ...] = (
    {"input": "and?", "previous_response_id": "resp_1"},
    {"input": "and?", "conversation": "conv_1"},
    {"input": "and?", "conversation": {"id": "conv_1"}},
    {"input": [{"type": "item_reference", "id": "msg_1"}, {"role": "user", "content": "and?"}]},
    {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file_1"}]}]},
)


@pytest.mark.parametrize("body", STATE)
def test_a_request_goes_to_the_model_that_holds_its_state(tmp_path: Path, body: Body) -> None:
    """By its name, or by the header; without either it is refused by name. Null is no state."""
    machine = config(tmp_path, POLICY + "stickiness: {stateHeader: x-held-by}\n")
    path = "/v1/responses"
    assert decide(machine, {"model": "auto", **body}, path) == "state_not_located"
    assert decide(machine, {"model": "auto", **body}, path, x_held_by="middle") == "middle"
    assert decide(machine, {"model": "large", **body}, path) == "large"
    assert decide(machine, {"model": "auto", "input": "and?", "previous_response_id": None}, path) == "small"


MODES = ("", "stickiness: {mode: none}\n", ESCALATE, "stickiness: {margin: 0.2}\n")


@pytest.mark.parametrize("body", STATE)
@pytest.mark.parametrize("mode", MODES)
def test_state_at_a_provider_must_be_located_in_every_mode(tmp_path: Path, mode: str, body: Body) -> None:
    """Its text says nothing about where it is. A request without such state is routed."""
    machine = config(tmp_path, POLICY + mode)
    assert decide(machine, {"model": "auto", **body}, "/v1/responses") == "state_not_located"
    assert decide(machine, {"model": "auto", "input": "How do tides arise?"}, "/v1/responses") == "middle"


@pytest.mark.parametrize("body", STATE)
def test_a_stock_config_alone_routes_state_as_the_stock_router(tmp_path: Path, body: Body) -> None:
    """Without our settings next to it."""
    config(tmp_path, POLICY.replace("split: {small: 50, large: 50}", "model: large"))
    (tmp_path / "runtime.yaml").unlink()
    stock = MachineConfig(load(tmp_path / "config.yaml").program, 10_000)
    assert decide(stock, {"model": "auto", **body}, "/v1/responses") == "small"


def test_a_route_with_a_mode_of_its_own_does_not_route_state_by_text(tmp_path: Path) -> None:
    """Neither if it is the only one that stays."""
    text = POLICY.replace("model: middle}", "model: middle, stickiness: {mode: conversation}}", 1)
    machine = config(tmp_path, text + "stickiness: {mode: none}\n")
    body = {"model": "auto", "input": "How do tides arise?", "previous_response_id": "resp_1"}
    assert decide(machine, body, "/v1/responses") == "state_not_located"
