"""What a head was measured to find: recall and false alarms on topics that it had not seen.

A head carries its measurement in its file, so that whoever loads it can say what it is worth, at any threshold. Needs
no further package.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.head_file import head_metadata


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """Shares at a threshold: of texts with a label that get it, and of texts without one that get any."""

    threshold: float
    recall: float
    false_alarms: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """A head, measured on held-out topics.

    Attributes:
        labelled: the number of texts with a label.
        harmless: the number of texts without one.
        top1: the share of texts with a label of which it is the most likely label, at any threshold.
        points: at thresholds in ascending order.
    """

    labelled: int
    harmless: int
    top1: float
    points: tuple[AtThreshold, ...]

    def at(self, threshold: float) -> AtThreshold:
        """Return what holds at a threshold: a recall that is not lower, and false alarms that are not higher there.

        Between two measured thresholds the false alarms are those of the lower, the recall is that of the higher one.
        """
        below = [point for point in self.points if point.threshold <= threshold]
        above = [point for point in self.points if point.threshold >= threshold]
        false_alarms = below[-1].false_alarms if below else 1.0
        return AtThreshold(threshold, above[0].recall if above else 0.0, false_alarms)

    def threshold_for(self, false_alarms: float) -> float:
        """Return the lowest measured threshold with no more than a share of false alarms; 1 if there is none."""
        return min((point.threshold for point in self.points if point.false_alarms <= false_alarms), default=1.0)

    def to_text(self) -> str:
        """Serialise for the file of the head."""
        points = [[point.threshold, point.recall, point.false_alarms] for point in self.points]
        body = {"labelled": self.labelled, "harmless": self.harmless, "top1": self.top1, "points": points}
        return json.dumps(body, sort_keys=True, separators=(",", ":"))


def measurement_of(head: bytes) -> Measurement:
    """Read the measurement from the file of a head.

    Raises:
        ModelError: it is not a head, or has none.
    """
    try:
        body = json.loads(head_metadata(head)["measured"])
        points = tuple(AtThreshold(*map(float, point)) for point in body["points"])
        return Measurement(int(body["labelled"]), int(body["harmless"]), float(body["top1"]), points)
    except (KeyError, ValueError, TypeError) as error:
        raise ModelError(
            "the classifier head carries no measurement; compile the policy again with --rebuild"
        ) from error
