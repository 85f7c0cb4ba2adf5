"""Rules for the arguments that a policy adds to vLLM servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from types import MappingProxyType

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.diagnostics.suggestions import did_you_mean
from vsr_compiler.releases.known import by_number
from vsr_compiler.releases.model_servers import VLLM
from vsr_compiler.releases.vllm_arguments import VllmArguments, arguments_of, removed_since

SECRET_ARGUMENTS = frozenset({"--api-key", "--hf-token"})
"""Arguments whose value is a secret."""
_ONE_POD = "the compiler writes servers of one pod"
CONTRADICTIONS: Mapping[str, str] = MappingProxyType(
    {
        "--config": "the file can change what the compiler sets, and nothing checks it",
        "--data-parallel-address": _ONE_POD,
        "--data-parallel-external-lb": _ONE_POD,
        "--data-parallel-hybrid-lb": _ONE_POD,
        "--data-parallel-rank": _ONE_POD,
        "--data-parallel-rpc-port": _ONE_POD,
        "--data-parallel-start-rank": _ONE_POD,
        "--headless": "the server would serve no API",
        "--master-addr": _ONE_POD,
        "--master-port": _ONE_POD,
        "--nnodes": _ONE_POD,
        "--node-rank": _ONE_POD,
        "--root-path": "the gateway sends the paths of the API without a prefix",
        "--ssl-ca-certs": "the gateway connects without TLS",
        "--ssl-cert-reqs": "the gateway connects without TLS",
        "--ssl-certfile": "the gateway connects without TLS",
        "--ssl-ciphers": "the gateway connects without TLS",
        "--ssl-keyfile": "the gateway connects without TLS",
        "--tokens-only": "the server would serve none of the routed APIs",
        "--uds": "the gateway connects to a port",
    }
)
"""Arguments that contradict the objects that the compiler writes, with the reason."""
_PARALLEL = ("--tensor-parallel-size", "--pipeline-parallel-size", "--prefill-context-parallel-size")
"""Arguments whose product is the number of GPUs of one replica of the model; data parallelism multiplies it."""
GPU = "nvidia.com/gpu"
_MAX_DIGITS = 12
_REMOVED = "Remove it, or compile for a release that has it (`gateway.versions`)."
_UNITS = {"k": 10**3, "m": 10**6, "g": 10**9, "K": 2**10, "M": 2**20, "G": 2**30}
"""The suffixes of numbers (`human_readable_int` in `vllm/engine/arg_utils.py`)."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument: its position in the list, its full name, how it is written, and its value, if it has one."""

    index: int
    name: str
    written: str
    value: str | None


def read_arguments(args: tuple[str, ...], known: VllmArguments) -> list[Argument]:
    """Return the arguments of a list. An item without a name is the value of the argument before it, if that takes one.

    An item that is neither has no name.
    """
    arguments: list[Argument] = []
    for index, item in enumerate(args):
        if item.startswith("-") and not item[1:2].isdigit():
            arguments.append(_named(index, item, known))
            continue
        last = arguments[-1] if arguments else None
        if last is None or not last.name or not known.takes_value(last.name):
            arguments.append(Argument(index, "", item, None))
        elif last.value is None:
            arguments[-1] = replace(last, value=item)
    return arguments


def _named(index: int, item: str, known: VllmArguments) -> Argument:
    """Return an argument: `--name`, `--name=value`, `--name.key=value`, `-n value`, `-nvalue` or `-O3`."""
    written, mark, rest = item.partition("=")
    value = rest if mark else None
    name = written.partition(" ")[0].partition(".")[0].replace("_", "-")
    if name.startswith("--"):
        return Argument(index, name, written, value)
    if name not in known.short and name[:2] in known.short:
        return Argument(index, known.short[name[:2]], name[:2], value or name[2:])
    return Argument(index, known.short.get(name, name), written, value)


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """Report VSR227, VSR261 and VSR262 for the arguments of vLLM servers."""
    for endpoint in policy.endpoints:
        if endpoint.server is None or not endpoint.server.args:
            continue
        seen: set[tuple[str, int]] = set()
        for release in sorted(_releases(policy, endpoint)):
            for argument in read_arguments(endpoint.server.args, arguments_of(release)):
                for item in _check(argument, endpoint.server, release, arguments_of(release)):
                    if (item.code, argument.index) not in seen:
                        seen.add((item.code, argument.index))
                        yield item
        own = read_arguments(endpoint.server.args, arguments_of(max(VLLM, key=by_number)))
        yield from _parallelism(policy, endpoint, endpoint.server, own)
        yield from _context(policy, endpoint, endpoint.server, own)


def _releases(policy: ir.Policy, endpoint: ir.Endpoint) -> set[str]:
    """Return the releases that run the server: that of the policy, and those of environments without another image."""
    versions = [policy.versions]
    versions += [item.versions for item in policy.places if endpoint.name not in item.images]
    return {each["vllm"] for each in versions if each.get("vllm") in VLLM}


def _check(argument: Argument, server: ir.VllmServer, release: str, known: VllmArguments) -> Iterator[Diagnostic]:
    span = server.arg_span(argument.index)
    name = argument.written
    if not argument.name:
        message = f"`{name:.40}` is not an argument of vLLM {release}, and no argument before it takes a value"
        yield Diagnostic("VSR262", message, span, "Remove it. The compiler passes the checkpoint of the model.")
    elif argument.name in SECRET_ARGUMENTS:
        if argument.value is not None:
            hint = (
                "Remove it, and name the Secret in `vllm.apiKey`: the router sends the key. If it was real, revoke it."
                if argument.name == "--api-key"
                else "Remove it, and name the Secret in `vllm.token`. If the token was real, revoke it."
            )
            # The value may be the next item.
            value = server.arg_span(argument.index + (server.args[argument.index] == name))
            yield Diagnostic("VSR227", f"the value of `{name}` is a secret", value, hint, hides=True)
        elif argument.name == "--api-key":
            message = f"`{name}` contradicts the policy, which names no key of the server"
            yield Diagnostic("VSR261", message, span, "Remove it, and name the Secret in `vllm.apiKey`.")
    elif argument.name in CONTRADICTIONS:
        message = f"`{name}` contradicts the policy: {CONTRADICTIONS[argument.name]}"
        yield Diagnostic("VSR261", message, span, "Remove it.")
    elif " " in name:
        hint = "Write `--name=value`, or the value as an item of its own."
        yield Diagnostic("VSR262", f"`{name:.60}` is not one argument: vLLM does not split it", span, hint)
    elif argument.name not in known.names:
        older = removed_since(argument.name, release)
        message = f"vLLM {release} has no argument `{name:.60}`{f', which {older} had' if older else ''}"
        yield Diagnostic("VSR262", message, span, _REMOVED if older else _hint(argument.name, known))


def _hint(name: str, known: VllmArguments) -> str:
    """Return what may have been meant: the only argument that begins like it, or one that is similar."""
    longer = [other for other in sorted(known.names) if other.startswith(name)]
    if len(longer) == 1 and len(name) > len("--"):
        return f"Write the whole name: `{longer[0]}`."
    return did_you_mean(name, sorted(known.names)) or "Remove it, or compile for another release (`gateway.versions`)."


def _parallelism(
    policy: ir.Policy, endpoint: ir.Endpoint, server: ir.VllmServer, arguments: list[Argument]
) -> Iterator[Diagnostic]:
    """Compare the GPUs that the arguments use with those of the pod."""
    sizes = {item.name: (item, _number(item.value)) for item in arguments}
    if any(number == 0 for item, number in sizes.values() if item.name in _PARALLEL):
        return
    copies = sizes.get("--data-parallel-size-local") or sizes.get("--data-parallel-size")
    parts = [sizes[name] for name in _PARALLEL if name in sizes] + ([copies] if copies else [])
    numbers = [number for _, number in parts]
    used = prod(number for number in numbers if number is not None)
    if not parts or None in numbers:
        return
    first = parts[0][0]
    words = " and ".join(f"`{item.written}`" for item, _ in parts)
    scopes = {"": server.gpus} | {
        f" in the environment `{environment.name}`": gpus
        for environment in policy.places
        if (gpus := _gpus(environment, endpoint)) is not None
    }
    for scope, gpus in scopes.items():
        if gpus not in {0, used}:
            uses = "uses" if len(parts) == 1 else "use"
            message = f"{words} {uses} {used} GPU{'s' * (used != 1)}, but a pod of `{endpoint.name}` has {gpus}{scope}"
            hint = f"Set `gpus: {used}`, or remove the argument: the compiler uses all GPUs of the pod."
            yield Diagnostic("VSR261", message, server.arg_span(first.index), hint)
            return


def _gpus(environment: ir.Environment, endpoint: ir.Endpoint) -> int | None:
    amount = environment.resources[endpoint.name].limits.get(GPU) if endpoint.name in environment.resources else None
    return int(amount) if amount is not None and amount.isdigit() else None


def _context(
    policy: ir.Policy, endpoint: ir.Endpoint, server: ir.VllmServer, arguments: list[Argument]
) -> Iterator[Diagnostic]:
    """Compare the longest request of the server with the contexts of its models."""
    limit = next((item for item in reversed(arguments) if item.name == "--max-model-len"), None)
    tokens = _number(limit.value) if limit else None
    if limit is None or not tokens:
        return
    for model in policy.models:
        if model.context is not None and model.context > tokens and endpoint in dict(model.endpoints):
            message = f"model `{model.name}` has a `context` of {model.context} tokens, but its server accepts {tokens}"
            hint = f"Set `context: {tokens}`, or raise `--max-model-len`."
            yield Diagnostic("VSR261", message, server.arg_span(limit.index), hint)


def _number(value: str | None) -> int | None:
    """Return an integer of vLLM's arguments, such as `8192` or `8k`; None if it is something else."""
    if value is None:
        return None
    digits, unit = (value[:-1], _UNITS[value[-1]]) if value[-1:] in _UNITS else (value, 1)
    return int(digits) * unit if digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS else None
