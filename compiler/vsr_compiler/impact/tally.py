"""Counts of what becomes of requests. Counts of parts add up to those of the whole, whatever the parts are."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vsr_compiler.impact.fate import Fate
from vsr_compiler.impact.request import TrafficRequest, Usage
from vsr_runtime.decision.request.ending import changes

Prices = Mapping[str, tuple[float, float, float]]
"""Prices of a million tokens by model: prompt, completion, cached prompt."""
PER_TOKEN = 1000
"""A price of 1 for a million tokens in billionths for one token."""
CHARACTERS_PER_TOKEN = 4
NEAREST, SAMPLES, MAX_CELLS = 20, 3, 400
"""Requests near a boundary, sampled requests of each change, and changes that have samples."""
MAX_GROUPS = 1000
OTHERS = "(other)"
"""What teams are counted as that come after the first thousand."""
EXCERPT = 160
"""Code points of a request's text in a report."""
Key = tuple[str, ...]


class Near(NamedTuple):
    """A request near a boundary: the distance, its id, what it is near to, where it ends before and after, its text."""

    distance: float
    id: str
    words: str
    old: str
    new: str
    text: str


class Sample(NamedTuple):
    """A request that changes: the digest of its id, by which samples are drawn, its id and its text."""

    digest: str
    id: str
    text: str


@dataclass(slots=True)
class Tally:
    """Counts and samples.

    Attributes:
        counts: Numbers by what they count; money is in billionths.
        firsts: The place of the first record of each reason for which records were left out.
        nearest: The requests with the smallest margins.
        samples: Requests that change, by where they end before and after, and by which route: those of the smallest
            digests.
    """

    counts: Counter[Key] = field(default_factory=Counter)
    firsts: dict[str, str] = field(default_factory=dict)
    nearest: list[Near] = field(default_factory=list)
    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)

    def skip(self, reason: str, place: str) -> None:
        """Count a record that cannot be decided again."""
        self.counts["skipped", reason] += 1
        self.firsts.setdefault(reason, place)

    def add(self, number: str, request: TrafficRequest, old: Fate, new: Fate, text: str) -> None:
        """Count a request and what becomes of it.

        Args:
            number: Its id.
            request: The request.
            old: Under the policy of before.
            new: Under the policy of after.
            text: What a report may show of it; "" for nothing.
        """
        counts = self.counts
        counts["requests",] += 1
        if not (old.decided and new.decided):
            counts["undecided",] += 1
            return
        counts["flow", old.end, new.end] += 1
        counts["route", old.route, new.route] += 1
        for guard in old.guards | new.guards:
            counts["guard", guard, _when(before=guard in old.guards, after=guard in new.guards)] += 1
        differing = changes(old, new)
        changed = any(differing.values())
        for name, holds in (*differing.items(), ("any", changed)):
            counts["changed", name] += holds
        for group in self._groups(request):
            counts[*group, "requests"] += 1
            counts[*group, "changed"] += changed
        if changed:
            counts["change", old.words, new.words] += 1
            self._sample(old.words, new.words, number, text)
        if new.margin is not None:
            self.nearest.append(Near(new.margin.distance, number, new.margin.words, old.words, new.words, text))
            self.nearest = sorted(self.nearest)[:NEAREST]

    def add_cost(self, request: TrafficRequest, old: tuple[int, int], new: tuple[int, int], *, estimated: bool) -> None:
        """Count the cost of a request under both policies: each as recorded, and with nothing in a prefix cache."""
        counts = self.counts
        difference = new[0] - old[0]
        counts["cost", "requests"] += 1
        counts["cost", "estimated"] += estimated
        counts["cost", "old"] += old[0]
        counts["cost", "new"] += new[0]
        counts["cost", "new-uncached"] += new[1]
        counts["cost", "squares"] += difference * difference
        for group in self._groups(request):
            counts[*group, "old"] += old[0]
            counts[*group, "new"] += new[0]

    def merge(self, later: Tally) -> None:
        """Add the counts of requests that come after these."""
        for key, number in later.counts.items():
            self.counts[self._group(key) if key[0] == "team" else key] += number
        self.firsts = later.firsts | self.firsts
        self.nearest = sorted([*self.nearest, *later.nearest])[:NEAREST]
        for (before, after), samples in later.samples.items():
            for sample in samples:
                self._sample(before, after, sample.id, sample.text)

    def _sample(self, before: str, after: str, number: str, text: str) -> None:
        if (before, after) not in self.samples and len(self.samples) >= MAX_CELLS:
            return
        kept = self.samples.setdefault((before, after), [])
        kept.append(Sample(hashlib.sha256(number.encode(errors="replace")).hexdigest(), number, text))
        kept.sort()
        del kept[SAMPLES:]

    def _groups(self, request: TrafficRequest) -> list[Key]:
        return [self._group(("team", request.team)), ("api", request.path[:EXCERPT])]

    def _group(self, key: Key) -> Key:
        """Return the group by which a team is counted."""
        if (*key[:2], "requests") in self.counts or self.counts["teams",] < MAX_GROUPS:
            self.counts["teams",] += (*key[:2], "requests") not in self.counts
            return key
        return (key[0], OTHERS, *key[2:])

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "counts": [[*key, number] for key, number in self.counts.items()],
            "firsts": self.firsts,
            "nearest": self.nearest,
            "samples": [[*key, samples] for key, samples in self.samples.items()],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Tally:
        """Return what was written.

        Raises:
            ValueError, TypeError, KeyError: It is something else.
        """
        counts = Counter({tuple(map(str, key)): int(number) for *key, number in value["counts"]})
        firsts = {str(reason): str(place) for reason, place in value["firsts"].items()}
        nearest = [Near(float(near[0]), *map(str, near[1:])) for near in value["nearest"]]
        samples = {
            (str(old), str(new)): [Sample(*map(str, one)) for one in kept] for old, new, kept in value["samples"]
        }
        return cls(counts, firsts, nearest, samples)


def cost(fate: Fate, usage: Usage, prices: Prices, *, cached: bool) -> tuple[int, int] | None:
    """Return what a request costs, in billionths; None if its model has no price.

    Returns:
        The cost with the cached tokens as recorded, and the cost if none is cached. If ``cached`` is false, both are
        the second.
    """
    if not fate.model:
        return 0, 0
    if fate.model not in prices:
        return None
    prompt, completion, discounted = prices[fate.model]
    whole = usage.prompt * prompt + usage.completion * completion
    saved = usage.cached * (prompt - discounted) if cached else 0.0
    return round((whole - saved) * PER_TOKEN), round(whole * PER_TOKEN)


def estimated_usage(size: int) -> Usage:
    """Return the tokens of a prompt of so many characters, without a completion."""
    return Usage(-(-size // CHARACTERS_PER_TOKEN), 0)


def excerpt(body: Mapping[str, Any]) -> str:
    """Return the beginning of the last text of a request, on one line."""
    for name in ("messages", "input", "prompt"):
        found = _last_text(body.get(name))
        if found:
            words = " ".join(found[: 4 * EXCERPT].split())
            return words if len(words) <= EXCERPT else f"{words[:EXCERPT]}…"
    return ""


def _last_text(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return the text of the last message of a person, or the text itself."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Sequence):
        return ""
    for message in reversed(value):
        if isinstance(message, str):
            return message
        if not isinstance(message, dict) or message.get("role", "user") != "user":
            continue
        content = message.get("content")
        if isinstance(content, str):
            return content
        parts = content if isinstance(content, list) else []
        texts = [str(part["text"]) for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
        if texts:
            return texts[-1]
    return ""


def _when(*, before: bool, after: bool) -> str:
    return "both" if before and after else "old" if before else "new"
