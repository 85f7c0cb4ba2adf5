"""Model servers in the manifests: workloads that run vLLM, and the models that they serve."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vsr_compiler.importer.manifests.objects import WORKLOADS, Index, Resource, labels_of, selects
from vsr_compiler.importer.values import Fields, child, integer, items, text, texts
from vsr_compiler.syntax.nodes import Node

PORT = 8000
MAX_WORDS = 500
_MARKS = ("vllm", "llm-d-inference-sim", "sglang", "text-generation-inference")


@dataclass(frozen=True, slots=True)
class Server:
    """A workload that serves models.

    Attributes:
        workload: The object.
        labels: The labels of its pods.
        models: The names that it serves, the first one by default.
        checkpoint: The checkpoint.
        context: The context length; 0 if the file does not say.
        adapters: The paths of LoRA adapters by name.
        port: The port.
    """

    workload: Resource
    labels: dict[str, str]
    models: tuple[str, ...]
    checkpoint: str
    context: int
    adapters: dict[str, str]
    port: int


def servers(index: Index) -> list[Server]:
    """Return all servers of the files."""
    return [found for item in index.all if item.kind in WORKLOADS if (found := _server(item)) is not None]


def _server(item: Resource) -> Server | None:
    node: Node | None = item.spec.node
    template = child(node, "template") or child(node, "leaderWorkerTemplate", "workerTemplate")
    pod = child(template, "spec") if template is not None else node
    labels = labels_of(child(template, "metadata", "labels")) if template is not None else item.labels
    for container in items(child(pod, "containers")):
        words = list(_words(container))
        image = text(child(container, "image")).lower()
        serves = any(mark in image for mark in _MARKS) or any("vllm" in word for word in words[:4])
        checkpoint = _value(words, "--model") or _positional(words)
        names = _values(words, "--served-model-name")
        if serves and (checkpoint or names):
            port = _value(words, "--port")
            container_port = integer(child(next(iter(items(child(container, "ports"))), None), "containerPort"))
            length = _value(words, "--max-model-len")
            return Server(
                item,
                labels,
                tuple(names or [checkpoint]),
                checkpoint,
                int(length) if length.isdigit() else 0,
                dict(_adapters(_values(words, "--lora-modules"))),
                int(port) if port.isdigit() and 0 < int(port) < 65536 else container_port or PORT,  # noqa: PLR2004 - ports
            )
    return None


def _words(container: Node) -> Iterator[str]:
    """Yield the words of the command, also of one in a shell."""
    for word in (*texts(child(container, "command")), *texts(child(container, "args"))):
        if " " in word and ("vllm" in word or "--model" in word):
            try:
                yield from shlex.split(word.replace("\\\n", " "), comments=True)[:MAX_WORDS]
            except ValueError:
                yield from word.split()[:MAX_WORDS]
        else:
            yield word


def _values(words: Sequence[str], flag: str) -> list[str]:
    """Return the values of a flag: `--flag a b`, or `--flag=a`."""
    for index, word in enumerate(words):
        if word.startswith(f"{flag}="):
            return [word.partition("=")[2]]
        if word == flag:
            found: list[str] = []
            for value in words[index + 1 :]:
                if value.startswith("-"):
                    break
                found.append(value)
            return found
    return []


def _value(words: Sequence[str], flag: str) -> str:
    return next(iter(_values(words, flag)), "")


def _positional(words: Sequence[str]) -> str:
    """Return the checkpoint of `vllm serve NAME`, or the first word of arguments that is none."""
    if "serve" in words:
        after = words[words.index("serve") + 1 :]
        return after[0] if after and not after[0].startswith("-") else ""
    first = words[0] if words else ""
    return first if "/" in first and not first.startswith(("/", "-")) and "bin" not in first else ""


def _adapters(values: Sequence[str]) -> Iterator[tuple[str, str]]:
    for value in values:
        name, equals, path = value.partition("=")
        if equals and name and "{" not in value:
            yield name, path


def selected(found: Sequence[Server], namespace: str, selector: dict[str, str]) -> list[Server]:
    """Return the servers that a selector of a namespace selects."""
    return [item for item in found if item.workload.namespace == namespace and selects(selector, item.labels)]


def pool_selector(pool: Resource) -> dict[str, str]:
    """Return the selector of a pool: ``matchLabels``, or the labels themselves in v1alpha2."""
    node = pool.spec.take("selector")
    return labels_of(child(node, "matchLabels") if child(node, "matchLabels") is not None else node)


def pool_port(pool: Resource) -> int:
    """Return the port of a pool's pods."""
    first = next(iter(pool.spec.items("targetPorts")), None)
    return integer(child(first, "number")) or pool.spec.integer("targetPortNumber") or PORT


def service_ports(service: Resource) -> list[int]:
    """Return the ports of a Service."""
    return [port for node in service.spec.items("ports") if (port := integer(child(node, "port"))) is not None]


def picker(pool: Resource) -> tuple[str, str, Fields]:
    """Return the kind and name of the endpoint picker of a pool, and its reference."""
    key = "endpointPickerRef" if pool.spec.has("endpointPickerRef") else "extensionRef"
    reference = pool.spec.fields(key)
    return reference.text("kind") or "Service", reference.text("name"), reference
