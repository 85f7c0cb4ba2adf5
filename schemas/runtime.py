"""``router/runtime.yaml``: what the stock router's contract has no word for and our runtime needs.

Where both files speak, this one wins. ``vsr-runtime serve --config …/config.yaml`` reads it from the same folder.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MINILM: Literal["sentence-transformers/all-MiniLM-L6-v2"] = "sentence-transformers/all-MiniLM-L6-v2"
"""The default encoder."""


class Strict(BaseModel):
    """Base: unknown keys are errors, values are immutable, no type is coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Encoder(Strict):
    """A sentence encoder, identified by its repository and the sha256 of its ``model.safetensors``."""

    repo: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    precision: Literal["fp32", "int8"]


class Head(Strict):
    """A compiled classifier head: a file beside this one, and the hash of what it was trained from."""

    file: str = Field(pattern=r"^[a-z0-9-]+\.safetensors$")
    inputs: str = Field(pattern=r"^[0-9a-f]{64}$")


class Classifier(Strict):
    """A model that reads the request. Below ``threshold`` (a probability) it answers ``fallback``, or nothing.

    ``labels`` are the categories that the head knows, in its order. ``fallback`` is none of them: the category of what
    is like none of them.
    """

    task: Literal["category"]
    encoder: Encoder
    head: Head
    labels: list[str]
    fallback: str | None = None
    threshold: float = Field(ge=0, le=1)


class Limits(Strict):
    """Bounds on one request. ``maxBody`` in bytes is the gateway's buffer too; a gRPC message may be 64 KiB longer."""

    maxBody: int = Field(gt=0)  # noqa: N815 - the file's spelling
    maxMessage: int = Field(gt=0)  # noqa: N815 - the file's spelling


class Credential(Strict):
    """What a provider outside the cluster is told instead of what the client said of itself.

    ``file`` lies below the folder ``credentials`` beside this file and holds the key; without one nothing is said.
    ``header`` bears the key after ``prefix``.
    """

    file: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*$")
    header: str = Field(default="authorization", pattern=r"^[a-z0-9-]{1,64}$")
    prefix: str = Field(default="Bearer ", pattern=r"^[ -~]{0,64}$")


class Guard(Strict):
    """What is looked for in the text of requests, responses or both, and what follows.

    It finds personal data of ``types``, matches of ``patterns`` (RE2's syntax), what the ``builtin`` sets know, and
    what a ``detector`` finds with a probability of at least ``threshold``. At the ``exempt`` models it does not hold.
    ``maxTokens`` bounds the text that it reads. Only a ``mask`` of requests can ``unmask``.
    """

    types: list[str] | None = None
    patterns: list[str] | None = None
    builtin: list[Literal["credentials", "injection"]] | None = None
    detector: str | None = None
    threshold: float = Field(ge=0, le=1)
    action: Literal["block", "mask", "route", "flag"]
    model: str | None = None
    on: Literal["request", "response", "both"]
    onError: Literal["block", "pass"]  # noqa: N815 - the file's spelling
    unreadable: Literal["block", "pass"]
    maxTokens: int = Field(gt=0)  # noqa: N815 - the file's spelling
    unmask: bool | None = None
    exempt: list[str] | None = None


class Runtime(Strict):
    """The file ``router/runtime.yaml``. ``deadline`` in milliseconds is the gateway's message timeout too."""

    apiVersion: Literal["vsr.dev/v1alpha1"]  # noqa: N815 - Kubernetes' spelling
    kind: Literal["RuntimeSettings"]
    policy: str
    deadline: int = Field(gt=0)
    limits: Limits
    classifiers: dict[str, Classifier] = Field(default_factory=dict)
    splits: dict[str, dict[str, int]] | None = None
    """Shares in per cent, which add up to 100, by decision and model: drawn by a hash of the request's id."""
    credentials: dict[str, Credential] | None = None
    """By model: those that are served outside the cluster, whether they want a key or not."""
    guards: dict[str, Guard] | None = None
    """By name. `docs/guards.md` says in which order they act."""
