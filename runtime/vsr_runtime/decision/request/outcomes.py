"""The decision of a request as far as it is known: an outcome for each ask of its conversation that matters."""

from __future__ import annotations

from dataclasses import replace

from vsr_runtime.decision.conversation.candidates import MAX_ASKS, Candidate, candidates_of
from vsr_runtime.decision.conversation.choice import Judged, choose
from vsr_runtime.decision.conversation.follow_up import TurnKind
from vsr_runtime.decision.deadline import Expired
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.program.conditions import CATEGORIES, OF_REQUEST, SignalKind
from vsr_runtime.decision.program.context_length import TokenDemand
from vsr_runtime.decision.program.evaluation import decide
from vsr_runtime.decision.program.outcome import Decision, Undecided
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.program.stickiness import Stickiness
from vsr_runtime.decision.request.detectors import DetectorTexts, attack_scores, detections_by_text
from vsr_runtime.decision.request.events import NOT_READ, SignalsReady, TextSignals
from vsr_runtime.decision.signals.model_signals import ModelResults
from vsr_runtime.decision.view import RequestView

_ASKS = frozenset({TurnKind.NEW, TurnKind.UNSURE})


@fast_dataclass(frozen=True, slots=True)
class Outcomes:
    """The asks of a conversation, oldest first, and the outcome of each."""

    candidates: tuple[Candidate, ...]
    outcomes: tuple[Decision | Undecided, ...]

    @property
    def undecided(self) -> list[Undecided]:
        """The outcomes that depend on model results."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, Undecided)]

    @property
    def texts(self) -> tuple[str, ...]:
        """The asks that models must read, each once."""
        pairs = zip(self.candidates, self.outcomes, strict=True)
        subjects = (one.view.subject for one, outcome in pairs if isinstance(outcome, Undecided) and _of_ask(outcome))
        return tuple(dict.fromkeys(subjects))

    @property
    def kinds(self) -> frozenset[SignalKind]:
        """What models must compute for them."""
        return frozenset[SignalKind]().union(*(outcome.kinds for outcome in self.undecided))

    @property
    def detectors(self) -> DetectorTexts:
        """The texts that detectors must read: all of the request for protection, and the asks for labels."""
        merged: dict[str, dict[str, None]] = {}
        for outcome in self.undecided:
            for name, texts in outcome.detectors.items():
                merged.setdefault(name, {}).update(dict.fromkeys(texts))
        return {name: tuple(texts) for name, texts in merged.items()}


def first_outcomes(program: Program, view: RequestView, expired: Expired, demand: TokenDemand) -> Outcomes:
    """Return the outcomes that need no model.

    Raises:
        DeadlineExceededError: the deadline passed first.
    """
    candidates = candidates_of(view, program.stickiness, counts=program.counts)
    outcomes = tuple([decide(program, one.view, expired=expired, demand=demand) for one in candidates])
    known = Outcomes(candidates, outcomes)
    return _bounded(known, program.stickiness) if program.stickiness and program.stickiness.escalates else known


def _bounded(known: Outcomes, stickiness: Stickiness) -> Outcomes:
    """Return the outcomes without those for which models would have to read more asks than they may.

    These are the first ones, which all later requests read too, and the last one. If it is beyond the first ones, it is
    late. Asks that need no model all count.
    """
    limit = MAX_ASKS - 1 - stickiness.releases
    pairs = list(zip(known.candidates, known.outcomes, strict=True))
    last = max(number for number, (one, _) in enumerate(pairs) if one.kind in _ASKS)
    read: set[str] = set()
    kept: list[tuple[Candidate, Decision | Undecided]] = []
    for number, (one, outcome) in enumerate(pairs):
        known_or_reply = not isinstance(outcome, Undecided) or not _reads_ask(outcome) or one.kind is TurnKind.FOLLOW_UP
        subject = one.view.subject
        if known_or_reply or subject in read:
            kept.append((one, outcome))
        elif len(read) < limit and not one.late:
            read.add(subject)
            kept.append((one, outcome))
        elif number >= last:
            kept.append((replace(one, late=True), outcome))
    return Outcomes(tuple([one for one, _ in kept]), tuple([outcome for _, outcome in kept]))


def concluded(program: Program, known: Outcomes, seed: bytes) -> Judged:
    """Return what decides the request, if no outcome depends on models."""
    pairs = zip(known.candidates, known.outcomes, strict=True)
    judged = [Judged(one, outcome) for one, outcome in pairs if isinstance(outcome, Decision)]
    return judged[0] if len(judged) == 1 else choose(program, judged, seed)


def conclude(
    program: Program,
    known: Outcomes,
    detector_texts: DetectorTexts,
    ready: SignalsReady,
    seed: bytes,
    demand: TokenDemand,
) -> Judged | Undecided:
    """Return what decides the request with the results of models; an `Undecided` if one is missing.

    Args:
        program: the decision program.
        known: the outcomes without models.
        detector_texts: the texts that detectors had to read.
        ready: the results.
        seed: determines the share of a split.
        demand: the tokens that a model must hold.
    """
    main = TextSignals(ready.category, ready.probability, ready.probabilities, ready.similarities)
    texts = known.texts
    by_text = dict(zip(texts, (*ready.earlier, main), strict=False)) if len(texts) > 1 else dict.fromkeys(texts, main)
    attacks = attack_scores(detector_texts, ready.detections)
    detections = detections_by_text(detector_texts, ready.detections)
    judged: list[Judged] = []
    for candidate, outcome in zip(known.candidates, known.outcomes, strict=True):
        if isinstance(outcome, Decision):
            judged.append(Judged(candidate, outcome))
            continue
        result = by_text.get(candidate.view.subject, NOT_READ if _of_ask(outcome) else main)
        signals = outcome.signals
        category = result if "category" in outcome.kinds else main
        if outcome.kinds & CATEGORIES and category.read:
            signals = program.with_category(signals, category.category, category.probability)
        results = ModelResults(result.similarities, attacks, detections, ready.request_similarities)
        signals = program.with_model_results(signals, candidate.view, results)
        decided = decide(program, candidate.view, signals, demand=demand)
        if isinstance(decided, Undecided):
            return decided
        judged.append(Judged(candidate, decided, result.probabilities))
    return judged[0] if len(judged) == 1 else choose(program, judged, seed)


def _reads_ask(outcome: Undecided) -> bool:
    """Return whether some model must read the ask by itself."""
    return outcome.detects_ask or _of_ask(outcome)


def _of_ask(outcome: Undecided) -> bool:
    """Return whether models must read the ask by itself."""
    return bool(outcome.kinds - OF_REQUEST.keys())
