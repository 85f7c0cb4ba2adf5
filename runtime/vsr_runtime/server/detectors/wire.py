"""The implementation of each protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from vsr_runtime.server.detectors.answers import Result
from vsr_runtime.server.detectors.classes import KServe, Tei, VllmClassify, VllmPooling
from vsr_runtime.server.detectors.presidio import Presidio
from vsr_runtime.server.detectors.verdicts import LlamaGuard, NemoGuardrails, OpenAiModeration
from vsr_schemas.inference_servers import ServerProtocol
from vsr_schemas.runtime_servers import ServerSettings


class Wire(Protocol):
    """A protocol with the settings of a server."""

    def request(self, texts: Sequence[str]) -> object:
        """Return the body of a request, as JSON values."""

    def read(self, data: bytes, texts: Sequence[str]) -> list[Result]:
        """Return the result of each text.

        Raises:
            WrongAnswerError: the answer breaks the protocol.
        """


WIRES: Mapping[ServerProtocol, Callable[[ServerSettings, Sequence[str]], Wire]] = {
    "presidio": Presidio,
    "openai-moderation": OpenAiModeration,
    "llama-guard": LlamaGuard,
    "nemo-guardrails": NemoGuardrails,
    "kserve-v2": KServe,
    "tei": Tei,
    "vllm-classify": VllmClassify,
    "vllm-pooling": VllmPooling,
}
