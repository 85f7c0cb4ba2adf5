"""Decides a batch of requests by two policies. Of each text the encoder reads it once for both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vsr_compiler.diagnostics import Span
from vsr_compiler.heads.shared_encoders import SharedEncoders
from vsr_compiler.impact.fate import Fate, fate_of, margin_of
from vsr_compiler.impact.request import TrafficRequest
from vsr_compiler.review.local_router import LocalRouter, Pending, Undecidable, open_folder


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two policies.

    Attributes:
        label: What the user calls it.
        files: The files of its router folder, by name.
        prices: Prices of a million tokens of its models: prompt, completion, cached prompt.
    """

    label: str
    files: Mapping[str, bytes]
    prices: Mapping[str, tuple[float, float, float]]


class Deciders:
    """The routers of two policies. Not for several threads."""

    def __init__(self, old: Side, new: Side, model: str | None = None) -> None:
        """Open both routers.

        Args:
            old: The policy of before.
            new: The policy of after.
            model: The name by which every request asks for a model; None for its own.

        Raises:
            CompileError: VSR506 if a classifier cannot be loaded.
        """
        self._encoders = SharedEncoders()
        self._model = model
        self._routers = [open_folder(side.files, Span(side.label), encoders=self._encoders) for side in (old, new)]

    def decide(self, requests: Sequence[tuple[str, TrafficRequest]]) -> list[tuple[Fate, Fate]]:
        """Return what becomes of some requests by the policies of before and after.

        Args:
            requests: The requests, each with its id, by which splits are drawn.
        """
        try:
            return [self._both(number, request) for number, request in requests]
        finally:
            self._encoders.forget()

    def _both(self, number: str, request: TrafficRequest) -> tuple[Fate, Fate]:
        bodies: dict[str, bytes] = {}
        old, new = (self._one(router, number, request, bodies) for router in self._routers)
        return old, new

    def _one(self, router: LocalRouter, number: str, request: TrafficRequest, bodies: dict[str, bytes]) -> Fate:
        auto = router.machine.program.auto_names
        named = self._model or request.body.get("model", auto[0])
        model = named if isinstance(named, str) else ""
        if model not in bodies:
            bodies[model] = json.dumps({**request.body, "model": named}, ensure_ascii=False).encode(errors=SURROGATES)
        action = router.begin(request.path, request.headers, bodies[model], number, request.client)
        margin = None
        if isinstance(action, Pending):
            answer = router.classifiers.answer(action.question)
            if answer is not None:
                margin = margin_of(answer.probabilities, router.threshold)
            finished = router.finish(action, answer)
            if isinstance(finished, Undecidable):
                return Fate(decided=False)
            action = finished
        return fate_of(action, chosen=model in auto, margin=margin)


SURROGATES = "surrogatepass"
"""Half of a surrogate pair in a text stays what it is, as on its way through a proxy."""
