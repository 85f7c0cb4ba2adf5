"""Known checkpoints for protections that patterns cannot give: facts with their source.

`loadable` are those whose labels our runtime uses as they are; others need an inference server, whose `labels` name
what counts. A revision is only stated if a public page showed it; check it before you pin it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class KnownCheckpoint:
    """A checkpoint on Hugging Face.

    Attributes:
        task: What it is for.
        repo: Its repository.
        revision: A commit that was seen; empty if none was seen whole.
        size: Parameters, and bytes of the weights where known.
        licence: As its card says; ``not stated`` if it does not.
        languages: Of its training data.
        device: Where it runs in reasonable time.
        labels: Its labels for findings.
        loadable: Whether the router loads it as ``checkpoint``.
        source: Where the facts are from.
        confirmed: Whether all facts were seen there; what was not is marked in the table.
    """

    task: Literal["jailbreak", "pii"]
    repo: str
    revision: str
    size: str
    licence: str
    languages: str
    device: Literal["cpu", "cuda", "cpu or cuda"]
    labels: tuple[str, ...]
    loadable: bool
    source: str
    confirmed: bool


CHECKPOINTS = (
    KnownCheckpoint(
        "jailbreak",
        "llm-semantic-router/mmbert32k-jailbreak-detector-merged",
        "",
        "307M",
        "",
        "multilingual",
        "cpu or cuda",
        ("jailbreak",),
        loadable=True,
        source="registry of semantic-router at 3d48f8c (pkg/config/registry.go)",
        confirmed=False,
    ),
    KnownCheckpoint(
        "jailbreak",
        "llm-semantic-router/jailbreak_classifier_modernbert-base_model",
        "",
        "0.1B, 598 MB",
        "not stated",
        "English",
        "cpu or cuda",
        ("jailbreak",),
        loadable=True,
        source="file list and card on Hugging Face, which shows the commit 184f677; mapping of the registry",
        confirmed=False,
    ),
    KnownCheckpoint(
        "jailbreak",
        "protectai/deberta-v3-base-prompt-injection-v2",
        "fd1336f6fd0c4a2ad7ecbedd225ad90c003e20c8",
        "0.2B",
        "apache-2.0",
        "English",
        "cpu or cuda",
        ("INJECTION",),
        loadable=False,
        source="pages on Hugging Face; labels from config.json of derived checkpoints",
        confirmed=True,
    ),
    KnownCheckpoint(
        "jailbreak",
        "meta-llama/Llama-Prompt-Guard-2-86M",
        "",
        "0.3B",
        "",
        "multilingual",
        "cpu or cuda",
        ("MALICIOUS",),
        loadable=False,
        source="listing on Hugging Face; labels from a derived checkpoint",
        confirmed=False,
    ),
    KnownCheckpoint(
        "pii",
        "llm-semantic-router/mmbert32k-pii-detector-merged",
        "",
        "307M",
        "",
        "multilingual",
        "cpu or cuda",
        ("PERSON", "STREET_ADDRESS", "ORGANIZATION", "GPE", "AGE", "NRP", "TITLE", "ZIP_CODE", "US_DRIVER_LICENSE"),
        loadable=True,
        source="registry of semantic-router at 3d48f8c: 17 types; the types of this table by the mapping of its config",
        confirmed=False,
    ),
    KnownCheckpoint(
        "pii",
        "iiiorg/piiranha-v1-detect-personal-information",
        "b0066c0710135af630ecaf52f2d017faf105ac04",
        "0.3B",
        "cc-by-nc-nd-4.0",
        "6 languages",
        "cpu or cuda",
        ("PERSON", "STREET_ADDRESS", "GPE", "ZIP_CODE", "US_DRIVER_LICENSE"),
        loadable=True,
        source="pages on Hugging Face; the names of its labels are those of ai4privacy",
        confirmed=False,
    ),
)
"""By task, those first that the router loads."""


def known_checkpoints(task: str) -> tuple[KnownCheckpoint, ...]:
    """Return the known checkpoints for a task."""
    return tuple(one for one in CHECKPOINTS if one.task == task)


def suggestion(task: str) -> str:
    """Return known checkpoints for a task, for a hint."""
    known = known_checkpoints(task)
    loaded = [f"`{one.repo}` ({one.size}, {one.device})" for one in known if one.loadable]
    served = [f"`{one.repo}` (labels: {', '.join(one.labels)})" for one in known if not one.loadable]
    more = f", or by an inference server {' or '.join(served)}" if served else ""
    return f"{' or '.join(loaded)}{more}"
