"""Pairs of an old and a new policy that differ by one kind of change, generated from a seed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from support.consumers import probes
from support.consumers.envoy import Request
from support.rollouts.serving import SECRET

Spec = dict[str, Any]
Change = Callable[[random.Random, str, Spec], Spec]
"""Changes a policy in place, and returns the old one. Raises `NotHereError` where the target has nothing to change."""
POOLED = ("gie", "llm-d", "ai-gateway")
TARGETS = ("istio", "gie", "llm-d", "envoy-gateway", "ai-gateway", "production-stack")
WORDS = ("sum", "court", "poem", "soup", "train")


class NotHereError(Exception):
    """A kind of change does not exist on a target."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An old and a new policy, as text, on a target."""

    kind: str
    target: str
    seed: int
    old: str
    new: str
    requests: Mapping[str, Request]
    between: str = ""
    """The old models and endpoints with those of the new policy beside them, and its routes: the first of two steps.

    Endpoints that go have the weight 0.
    """

    def __str__(self) -> str:
        """Return what reproduces the pair."""
        return f"{self.kind}, {self.target}, seed {self.seed}"


def pair(kind: str, target: str, seed: int) -> Pair | None:
    """Return the pair of a kind, target and seed; None if the target has nothing to change in this way."""
    chance = random.Random(f"{kind} {target} {seed}")  # noqa: S311 - examples
    new = _policy(chance, target)
    try:
        old = CHANGES[kind](chance, target, new)
    except NotHereError:
        return None
    if seed % 2:
        return Pair(kind, target, seed, _text(old), _text(new), _requests(old, new), _text(_both(old, new)))
    kind = f"{kind}, reverted"
    return Pair(kind, target, seed, _text(new), _text(old), _requests(old, new), _text(_both(new, old)))


def pairs(seeds: range, kinds: Mapping[str, Change] | None = None) -> Iterator[Pair]:
    """Yield the pairs of every kind of change on every target."""
    for kind in kinds or CHANGES:
        for target in TARGETS:
            for seed in seeds:
                found = pair(kind, target, seed)
                if found is not None:
                    yield found


def _both(old: Spec, new: Spec) -> Spec:
    """Return the new policy, with the models, adapters and endpoints of the old one that it does not have."""
    both = copy.deepcopy(new)
    both["endpoints"] = {**old["endpoints"], **both["endpoints"]}
    for name, model in old["models"].items():
        kept = both["models"].setdefault(name, model)
        loras = {**model.get("loras", {}), **kept.get("loras", {})}
        both["models"][name] = {**kept, **({"loras": loras} if loras else {})}
        before, after = (dict.fromkeys(_listed(item["endpoints"]), 1) for item in (model, kept))
        gone = [one for one in before.keys() - after.keys() if "external" not in both["endpoints"][one]]
        if gone:
            both["models"][name]["endpoints"] = {**after, **dict.fromkeys(sorted(gone), 0)}
    return both


def _listed(endpoints: str | list[str] | dict[str, int]) -> list[str]:
    return [endpoints] if isinstance(endpoints, str) else list(endpoints)


def _policy(chance: random.Random, target: str) -> Spec:
    spec: Spec = {
        "router": {"image": "r:1", "reload": chance.choice(["rollout", "rollout", "hot"])},
        "gateway": {"namespace": chance.choice(["edge", "default"])},
        "endpoints": {},
        "models": {},
        "signals": {},
        "routes": [],
        "guards": {"pii": {"types": ["EMAIL_ADDRESS"], "action": chance.choice(["mask", "block"])}},
    }
    for index in range(chance.choice([2, 3])):
        _add_model(chance, target, spec, f"m{index}", index)
    spec["default"] = "m0"
    del spec["routes"][0]
    del spec["signals"]["s0"]
    return spec


def _add_model(chance: random.Random, target: str, spec: Spec, name: str, word: int) -> None:
    spec["endpoints"][f"e-{name}"] = _endpoint(chance, target, name)
    model: Spec = {"endpoints": f"e-{name}"}
    if "vllm" in spec["endpoints"][f"e-{name}"]:
        model["checkpoint"] = f"example/{name}"
    spec["models"][name] = model
    _add_route(spec, f"s{word}", WORDS[word], name)


def _add_route(spec: Spec, signal: str, word: str, model: str) -> None:
    spec["signals"][signal] = {"keywords": [word]}
    spec["routes"].append({"name": signal, "when": {"signal": signal}, "model": model})


def _endpoint(chance: random.Random, target: str, name: str) -> Spec:
    kinds = ["vllm", "vllm", "service", "external"]
    kind = chance.choice([kind for kind in kinds if kind != "service" or target not in {"gie", "llm-d"}])
    if kind == "service":
        return {"service": f"{name}.there:8000"}
    if kind == "external":
        return {"external": {"url": f"https://{name}.example.com/v1", "apiKey": {"secret": "k", "key": "apiKey"}}}
    server: Spec = {"namespace": chance.choice(["models", "default"]), "replicas": chance.choice([1, 2])}
    return {"vllm": server, **({"pool": {"picker": {}}} if target in POOLED else {})}


def _text(spec: Spec) -> str:
    head = {"apiVersion": "vsr.dev/v1alpha1", "kind": "RoutingPolicy", "metadata": {"name": "change"}}
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in {**head, **spec}.items() if value)


def _requests(old: Spec, new: Spec) -> dict[str, Request]:
    models = sorted({*_names(old), *_names(new)})
    words = sorted({word for spec in (old, new) for item in spec["signals"].values() for word in item["keywords"]})
    found = {model: _chat(model, "a question") for model in models}
    found |= {f"auto, {word}": _chat("auto", f"about a {word}") for word in ["default", *words]}
    found |= {f"{model}, mail": _chat(model, f"write to {SECRET}") for model in ("auto", models[0])}
    return found


def _names(spec: Spec) -> Iterator[str]:
    for name, model in spec["models"].items():
        yield name
        yield from model.get("loras", {})


def _chat(model: str, text: str) -> Request:
    request = probes.chat(model)
    return replace(request, body=request.body.replace(b"a question", text.encode()))


def _old(spec: Spec) -> Spec:
    return copy.deepcopy(spec)


def _server(chance: random.Random, spec: Spec) -> str:
    """Return an endpoint whose pods the compiler writes."""
    names = [name for name, endpoint in spec["endpoints"].items() if "vllm" in endpoint]
    if not names:
        raise NotHereError
    return chance.choice(names)


def _pool(chance: random.Random, target: str, spec: Spec) -> Spec:
    if target not in POOLED:
        raise NotHereError
    picker: Spec = spec["endpoints"][_server(chance, spec)]["pool"]["picker"]
    return picker


def _add(chance: random.Random, target: str, spec: Spec) -> Spec:
    old = _old(spec)
    _add_model(chance, target, spec, "a-new", 4)
    return old


def _rename(chance: random.Random, target: str, spec: Spec) -> Spec:
    """The last model gets another name, on another endpoint."""
    del target
    old = _old(spec)
    _renamed_endpoint(spec, "m1", "e-b1")
    model = spec["models"].pop("m1")
    if "checkpoint" in model and chance.random() < 0.5:
        model["checkpoint"] = "example/b1"
    spec["models"]["b1"] = model
    for route in spec["routes"]:
        if route["model"] == "m1":
            route["model"] = "b1"
    return old


def _renamed_endpoint(spec: Spec, model: str, name: str) -> None:
    before = spec["models"][model]["endpoints"]
    spec["endpoints"][name] = spec["endpoints"].pop(before)
    spec["models"][model]["endpoints"] = name


def _rename_endpoint(chance: random.Random, target: str, spec: Spec) -> Spec:
    del chance, target
    old = _old(spec)
    _renamed_endpoint(spec, "m1", "e-b1")
    return old


def _more_endpoints(chance: random.Random, target: str, spec: Spec) -> Spec:
    del chance
    if target in {"gie", "llm-d"}:
        raise NotHereError
    spec["endpoints"] |= {"e-x": {"service": "x.there:8000"}, "e-y": {"service": "y.there:8000"}}
    spec["models"]["wide"] = {"endpoints": ["e-x"]}
    _add_route(spec, "s3", WORDS[3], "wide")
    old = _old(spec)
    spec["models"]["wide"] = {"endpoints": ["e-x", "e-y"]}
    del old["endpoints"]["e-y"]
    return old


def _swap(chance: random.Random, target: str, spec: Spec) -> Spec:
    """Two models of providers or Services exchange their endpoints."""
    del chance
    if target in {"gie", "llm-d"}:
        raise NotHereError
    spec["endpoints"] |= {"e-x": {"service": "x.there:8000"}, "e-y": {"service": "y.there:8000"}}
    spec["models"] |= {"x": {"endpoints": "e-x"}, "y": {"endpoints": "e-y"}}
    _add_route(spec, "s3", WORDS[3], "x")
    old = _old(spec)
    spec["models"] |= {"x": {"endpoints": "e-y"}, "y": {"endpoints": "e-x"}}
    return old


def _new_route(chance: random.Random, target: str, spec: Spec) -> Spec:
    del target
    old = _old(spec)
    _add_route(spec, "s3", WORDS[3], chance.choice(list(spec["models"])))
    return old


def _lead(chance: random.Random, target: str, spec: Spec) -> Spec:
    del target
    old = _old(spec)
    route = chance.choice(spec["routes"])
    route["model"] = "m0"
    return old


def _split(chance: random.Random, target: str, spec: Spec) -> Spec:
    del target
    old = _old(spec)
    route = chance.choice(spec["routes"])
    route["split"] = {route.pop("model"): 50, "m0": 50}
    return old


def _words(chance: random.Random, target: str, spec: Spec) -> Spec:
    del chance, target
    old = _old(spec)
    spec["signals"]["s1"] = {"keywords": [WORDS[1], WORDS[3]]}
    return old


def _guard(chance: random.Random, target: str, spec: Spec) -> Spec:
    del chance, target
    old = _old(spec)
    spec["guards"]["card"] = {"types": ["CREDIT_CARD"], "action": "block"}
    return old


def _other_guard(chance: random.Random, target: str, spec: Spec) -> Spec:
    del chance, target
    old = _old(spec)
    spec["guards"]["pii"]["types"] = ["EMAIL_ADDRESS", "US_SSN"]
    return old


def _response_guard(chance: random.Random, target: str, spec: Spec) -> Spec:
    del chance, target
    old = _old(spec)
    spec["guards"]["out"] = {"patterns": ["Agent [A-Z]+"], "action": "mask", "on": "response"}
    return old


def _header(chance: random.Random, target: str, spec: Spec) -> Spec:
    del target
    old = _old(spec)
    chance.choice(spec["routes"])["headers"] = {"set": {"x-tier": "gold"}}
    return old


def _limits(chance: random.Random, target: str, spec: Spec) -> Spec:
    del target
    old = _old(spec)
    spec["router"] |= {"maxBody": chance.choice(["1Mi", "2Mi"]), "deadline": "700ms"}
    return old


def _weights(chance: random.Random, target: str, spec: Spec) -> Spec:
    picker = _pool(chance, target, spec)
    old = _old(spec)
    picker["plugins"] = {"queue-scorer": 3}
    return old


def _standbys(chance: random.Random, target: str, spec: Spec) -> Spec:
    picker = _pool(chance, target, spec)
    old = _old(spec)
    picker["replicas"] = 2
    return old


def _standby_weights(chance: random.Random, target: str, spec: Spec) -> Spec:
    picker = _pool(chance, target, spec)
    picker["replicas"] = 2
    old = _old(spec)
    picker["plugins"] = {"queue-scorer": 3}
    return old


def _arguments(chance: random.Random, target: str, spec: Spec) -> Spec:
    server = spec["endpoints"][_server(chance, spec)]["vllm"]
    del target
    old = _old(spec)
    server["args"] = ["--enable-prefix-caching"]
    return old


def _adapter(chance: random.Random, target: str, spec: Spec) -> Spec:
    del target
    endpoint = _server(chance, spec)
    old = _old(spec)
    model = next(item for item in spec["models"].values() if item["endpoints"] == endpoint)
    model["loras"] = {"adapter": {"path": "/adapters/a"}}
    _add_route(spec, "s4", WORDS[4], "adapter")
    return old


def _same_server(chance: random.Random, target: str, spec: Spec) -> Spec:
    """A model gets another name on the same server."""
    del target
    endpoint = _server(chance, spec)
    old = _old(spec)
    name = next(name for name, item in spec["models"].items() if item["endpoints"] == endpoint)
    spec["models"]["another"] = spec["models"].pop(name)
    for route in spec["routes"]:
        if route["model"] == name:
            route["model"] = "another"
    spec["default"] = "another" if spec["default"] == name else spec["default"]
    return old


def _provider(chance: random.Random, target: str, spec: Spec) -> Spec:
    """A provider's endpoint gets another host."""
    del chance, target
    key = {"secret": "k", "key": "apiKey"}
    spec["endpoints"]["e-p"] = {"external": {"url": "https://one.example.com/v1", "apiKey": key}}
    spec["models"]["p"] = {"endpoints": "e-p"}
    _add_route(spec, "s3", WORDS[3], "p")
    old = _old(spec)
    spec["endpoints"]["e-p"] = {"external": {"url": "https://two.example.com/v1", "apiKey": key}}
    return old


CHANGES: Mapping[str, Change] = {
    "a model and its endpoint": _add,
    "the name of a model and of its endpoint": _rename,
    "the name of an endpoint": _rename_endpoint,
    "a further endpoint of a model": _more_endpoints,
    "models exchange their endpoints": _swap,
    "a route": _new_route,
    "the model of a route": _lead,
    "a split": _split,
    "the words of a signal": _words,
    "a guard": _guard,
    "the types of a guard": _other_guard,
    "a guard on responses": _response_guard,
    "a header of a route": _header,
    "limits": _limits,
    "weights of a picker": _weights,
    "standbys of a picker": _standbys,
    "weights of a picker with standbys": _standby_weights,
    "arguments of a server": _arguments,
    "an adapter": _adapter,
    "the name of a model on its server": _same_server,
    "the host of a provider": _provider,
}
