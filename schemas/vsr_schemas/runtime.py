"""``router/runtime.yaml``: what the stock router's contract has no word for and our runtime needs.

Where both files speak, this one wins. ``vsr-runtime serve --config …/config.yaml`` reads it from the same folder.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from vsr_schemas.apis import ApiName, ApiPath
from vsr_schemas.base import StrictModel
from vsr_schemas.inference_servers import PROTOCOLS
from vsr_schemas.runtime_identity import IdentitySettings
from vsr_schemas.runtime_limits import RatesSettings
from vsr_schemas.runtime_servers import ServerSettings

MINILM: Literal["sentence-transformers/all-MiniLM-L6-v2"] = "sentence-transformers/all-MiniLM-L6-v2"
"""The default encoder."""
MINILM_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""The sha256 of its ``model.safetensors``."""

FOLLOWING = 110
"""Seconds that a router waits for the responses that it reads after SIGTERM; model servers have as long."""


MAX_COUNT = 100_000
"""Occurrences up to which a `structure` signal counts."""

UPLOAD_SECONDS = 60
"""Seconds for the body of a request to arrive, at the gateway and at the router."""


METADATA_NAMESPACE = "vsr"
"""The namespace of dynamic metadata in which a gateway finds decisions."""

FRAME_BYTES = 64 * 1024
"""Allowance for what a gRPC message has besides a body."""


class EncoderSettings(StrictModel):
    """A sentence encoder, identified by its repository and the sha256 of its ``model.safetensors``."""

    repo: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    precision: Literal["fp32", "int8"]


class HeadSettings(StrictModel):
    """A compiled head, or vectors of sentences: a file in the same folder, and the hash of its inputs.

    With ``window`` a text longer than so many tokens, special ones included, is read in windows that share ``overlap``
    tokens, and each label has the highest probability of any of them. Without it the two ends of a text are read.
    """

    file: str = Field(pattern=r"^[a-z0-9-]+\.safetensors$")
    inputs: str = Field(pattern=r"^[0-9a-f]{64}$")
    window: int | None = Field(default=None, ge=16, le=512)
    overlap: int | None = Field(default=None, ge=0, le=256)


class CheckpointSettings(StrictModel):
    """A Hugging Face classification model, at ``<repo>/<revision>`` below a folder of models.

    It labels a text (``sequence``) or each of its tokens (``token``), on ``device``, in ``precision``. A text longer
    than ``window`` tokens, special ones included, is read in windows that share ``overlap`` tokens, or its two ends are
    read alone (``long: truncate``). ``window`` is 512 where none is given, or the model's own limit if that is less. Of
    several windows each label has the highest probability (``max``), or the mean.
    """

    repo: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$")
    revision: str = Field(pattern=r"^[0-9a-f]{40}$")
    kind: Literal["sequence", "token"] = "sequence"
    device: Literal["cpu", "cuda"] = "cpu"
    precision: Literal["fp32", "bf16"] = "fp32"
    window: int | None = Field(default=None, ge=8, le=32_768)
    overlap: int = Field(default=64, ge=0)
    long: Literal["windows", "truncate"] = "windows"
    aggregate: Literal["max", "mean"] = "max"


class ClassifierSettings(StrictModel):
    """A model that reads the request. Below ``threshold`` (a probability) it answers ``fallback``, or nothing.

    It is an ``encoder`` with a compiled ``head``, a ``checkpoint``, or a ``server``. ``labels`` are the categories that
    the head knows, in its order, or those labels of the checkpoint or server that the policy speaks of (of a token's
    the types, as ``vsr_schemas.pii`` spells them). ``fallback`` is none of them: the category of what is like none of
    them.

    Of the task ``likeness`` the labels are sentences, the ``head`` has their vectors, and the answer is the cosine of
    the text and each sentence; thresholds are those of the signals that ask. Without a ``head`` the encoder reads the
    sentences when it is loaded.

    Of the task ``labels`` a text has the most probable label if that reaches the threshold, else ``fallback``. Of the
    task ``jailbreak`` with a ``head``, the label is that of attacks.
    """

    task: Literal["category", "jailbreak", "pii", "likeness", "labels"]
    encoder: EncoderSettings | None = None
    head: HeadSettings | None = None
    checkpoint: CheckpointSettings | None = None
    server: ServerSettings | None = None
    labels: list[str]
    fallback: str | None = None
    threshold: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _one_kind(self) -> ClassifierSettings:
        if self.server is not None:
            if (self.encoder, self.head, self.checkpoint) != (None, None, None):
                raise ValueError("give a server, an encoder and a head, or a checkpoint")
            if self.task not in PROTOCOLS[self.server.protocol].tasks:
                raise ValueError(f"the protocol {self.server.protocol} cannot serve the task {self.task}")
            if PROTOCOLS[self.server.protocol].numbered != (self.server.outputs is not None):
                raise ValueError("outputs are for protocols whose answers have no labels, and required there")
            return self
        compiled = self.encoder is not None and (self.head is not None or self.task == "likeness")
        if compiled == (self.checkpoint is not None) or (self.encoder is None and self.head is not None):
            raise ValueError("give an encoder and a head, or a checkpoint")
        if self.checkpoint is None and self.task == "pii":
            raise ValueError(f"the task {self.task} needs a checkpoint")
        if self.checkpoint is not None and self.task in {"likeness", "labels"}:
            raise ValueError(f"the task {self.task} needs a sentence encoder, not a checkpoint")
        if self.checkpoint is not None and self.task == "category" and self.checkpoint.kind != "sequence":
            raise ValueError("the task category needs a checkpoint of kind sequence")
        return self


class ModelLimitSettings(StrictModel):
    """What the components on the way to one model accept of a request, where that is less than for other models.

    ``maxBody`` in bytes bounds the body as it goes to the model. ``apis`` are the served paths; without it, all.
    ``prefix`` is that of the served paths. ``query`` is false if the path can have no query.
    """

    maxBody: int | None = Field(default=None, gt=0)  # noqa: N815 - the file's spelling
    apis: list[ApiPath] | None = None
    prefix: Literal["/v1/"] | None = None
    query: Literal[False] | None = None


class LimitSettings(StrictModel):
    """Bounds on one request. ``maxBody`` in bytes is the gateway's buffer too; a gRPC message may be 64 KiB longer.

    ``apis`` are the served paths of all models that say nothing else. ``models`` are the tighter bounds of single
    models, by name.
    """

    maxBody: int = Field(gt=0)  # noqa: N815 - the file's spelling
    maxMessage: int = Field(gt=0)  # noqa: N815 - the file's spelling
    apis: list[ApiPath] | None = None
    models: dict[str, ModelLimitSettings] | None = None


class CorsSettings(StrictModel):
    """The pages that may call the gateway, and what they may send and read. ``maxAge`` is in seconds."""

    allowOrigins: list[str] = Field(min_length=1)  # noqa: N815 - the file's spelling
    allowHeaders: list[str]  # noqa: N815 - the file's spelling
    exposeHeaders: list[str] | None = None  # noqa: N815 - the file's spelling
    allowCredentials: Literal[True] | None = None  # noqa: N815 - the file's spelling
    maxAge: int = Field(gt=0)  # noqa: N815 - the file's spelling


class CredentialSettings(StrictModel):
    """The credential for a provider outside the cluster, or for a server with a key, which replaces the client's.

    ``file`` contains the key, below the folder ``credentials`` next to this file; without it, no credential is sent.
    ``header`` contains the key after ``prefix``; with ``parameter``, that parameter of the query contains it instead.
    ``query`` is the query of every request, before that parameter. ``defaults`` are headers that are sent unless the
    client sends its own. ``remove`` are further headers by which clients may send credentials.
    """

    file: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*$")
    header: str = Field(default="authorization", pattern=r"^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$")
    prefix: str = Field(default="Bearer ", pattern=r"^[ -~]{0,64}$")
    parameter: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    query: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.~%=&-]{1,512}$")
    defaults: dict[str, str] | None = None
    remove: list[str] | None = None


class GuardSettings(StrictModel):
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


class MarkerSettings(StrictModel):
    """A pair of patterns (RE2's syntax) around text that is no ask (``context``), or around the ask itself."""

    open: str
    close: str
    holds: Literal["ask", "context"] = "context"


class FallbackSettings(StrictModel):
    """The attempts of a decision. ``routes`` are the names by which the gateway knows them, as ``x-selected-model``.

    They are by the decision's own model, which is asked first. ``models`` are asked after it in this order, then the
    order begins again. ``attempts`` counts all.
    """

    routes: dict[str, str] = Field(min_length=1)
    models: list[str]
    attempts: int = Field(ge=2, le=16)


class AskSettings(StrictModel):
    """How the person's own words are distinguished from what a harness puts around them.

    ``profiles`` are the programs whose markers are known: all, some, or none. Without this section, signals read the
    whole last user turn, as the stock router's do.
    """

    profiles: Literal["builtin", "none"] | list[str] = "builtin"
    markers: list[MarkerSettings] | None = None
    wholeRequest: list[str] | None = None  # noqa: N815 - the file's spelling
    """What reads all texts of the request instead: ``category``, or signals such as ``keyword:urgent``."""


class CacheStoreSettings(StrictModel):
    """A Valkey or Redis in which replicas share answers.

    ``login`` and ``ca`` are whether the folder ``cache-store`` has a password (and maybe a name), and a CA.
    """

    address: str = Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?:[1-9][0-9]{0,4}$")
    tls: bool = True
    login: bool = False
    ca: bool = False


class CacheSettings(StrictModel):
    """Bounds on the answers that a process keeps in memory, and the encoder by which requests are compared.

    With a ``store`` the answers are there, and nothing of them is kept in memory.
    """

    maxEntries: int = Field(default=1000, ge=1)  # noqa: N815 - the file's spelling
    maxBytes: int = Field(default=64 * 2**20, ge=2**20)  # noqa: N815 - the file's spelling
    encoder: EncoderSettings | None = None
    store: CacheStoreSettings | None = None


class LabelSettings(StrictModel):
    """A signal that holds for requests to which a classifier of the task ``labels`` gives one of these labels."""

    classifier: str
    labels: list[str] = Field(min_length=1)


class DetectorSettings(StrictModel):
    """Which classifier each signal asks whose rule in ``config.yaml`` names none, by the signal's name.

    The signals of ``labels`` have no rule there: conditions name them with the type ``classifier``.
    """

    jailbreak: dict[str, str] | None = None
    pii: dict[str, str] | None = None
    labels: dict[str, LabelSettings] | None = None


class RouteStickinessSettings(StrictModel):
    """How a conversation leaves a decision. ``margin`` is a difference of probabilities."""

    mode: Literal["conversation", "escalate", "none"]
    margin: float | None = Field(default=None, ge=0, le=1)


class StickinessSettings(RouteStickinessSettings):
    """How the requests of a conversation stay with a model. Only the request itself is read.

    ``order`` are the models of an escalation, the lowest first. ``keyHeader`` is the request header that identifies a
    conversation, ``stateHeader`` the one that names the model which keeps the state of a request. ``discounts`` are the
    shares of the prompt's price that a model saves on tokens in its prefix cache, ``routes`` the decisions that differ.
    """

    order: list[str] | None = None
    keyHeader: str | None = Field(default=None, pattern=r"^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$")  # noqa: N815 - the file's
    stateHeader: str | None = Field(default=None, pattern=r"^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$")  # noqa: N815 - the file's
    key: Literal["user", "team", "tenant"] | None = None
    discounts: dict[str, float] | None = None
    routes: dict[str, RouteStickinessSettings] | None = None


class RoutedModel(StrictModel):
    """How routes of others know a model: the ``value`` of the header, and the ``model`` in the body."""

    value: str = Field(min_length=1, max_length=4096, pattern=r"^[!-~]([ -~]*[!-~])?$")
    model: str = Field(min_length=1, max_length=4096)


class RoutingSettings(StrictModel):
    """The header that routes of others match, in lower case, and the models as they know them, by name."""

    header: str = Field(pattern=r"^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$")
    models: dict[str, RoutedModel] = Field(min_length=1)


class RuntimeSettings(StrictModel):
    """The file ``router/runtime.yaml``. ``deadline`` in milliseconds is the gateway's message timeout too."""

    apiVersion: Literal["vsr.dev/v1alpha1"]  # noqa: N815 - Kubernetes' spelling
    kind: Literal["RuntimeSettings"]
    policy: str
    deadline: int = Field(gt=0)
    limits: LimitSettings
    overflow: Literal["reject"] | None = None
    """What becomes of requests that no model of their route can hold; without it the next route that can has them."""
    apis: list[ApiName] | None = None
    """The APIs that are open; without it, all."""
    cors: CorsSettings | None = None
    """For browsers; without it the router answers no preflight."""
    classifiers: dict[str, ClassifierSettings] = Field(default_factory=dict)
    splits: dict[str, dict[str, int]] | None = None
    """Shares in per cent, which add up to 100, by decision and model: drawn by a hash of the conversation, or of the
    request's id without stickiness."""
    credentials: dict[str, CredentialSettings] | None = None
    """By model: those that are served outside the cluster, whether they want a key or not."""
    guards: dict[str, GuardSettings] | None = None
    """By name. `docs/reference/guards.md` says in which order they act."""
    cache: CacheSettings | None = None
    """For decisions with the plugin ``response_cache``."""
    onFailure: Literal["default-model"] | None = None  # noqa: N815 - the file's spelling
    """Where requests go whose category cannot be had; without it they are refused."""
    responseHeaders: Literal["on-request", "always"] | None = None  # noqa: N815 - the file's spelling
    """Responses with debug headers: those to clients that send ``x-vsr-debug: true``, or all."""
    accessLogMetadata: Literal[True] | None = None  # noqa: N815 - the file's spelling
    """Decisions are sent as dynamic metadata, too, for access logs of the gateway."""
    detectors: DetectorSettings | None = None
    fallbacks: dict[str, FallbackSettings] | None = None
    """By decision: those whose requests are sent again after a failure."""
    stickiness: StickinessSettings | None = None
    """Without it each request is decided by its last turn, as by the stock router."""
    identity: IdentitySettings | None = None
    """Who sends a request; without it everybody may."""
    rates: RatesSettings | None = None
    """How much may be used in a window of time; without it nothing is counted."""
    ask: AskSettings | None = None
    """How the text that signals read is chosen; without it they read the last user turn."""
    routing: RoutingSettings | None = None
    """For routes of others; without it, routes match ``x-selected-model`` with the model's name."""
