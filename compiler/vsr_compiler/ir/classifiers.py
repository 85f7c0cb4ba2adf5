"""Categories, and the classifier models that read requests."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.ask import Reads
from vsr_compiler.ir.classifier_servers import ClassifierServer
from vsr_compiler.ir.encoders import Encoder
from vsr_compiler.ir.labels import OTHER, LabelExamples
from vsr_compiler.ir.names import object_name


@dataclass(frozen=True, slots=True)
class Category:
    """One of the mutually exclusive kinds of request. ``shipped`` are the examples that come with the compiler."""

    name: str
    description: str
    examples: tuple[str, ...]
    span: Span
    example_spans: tuple[Span, ...] = ()
    shipped: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Classifier:
    """A model that reads requests: an encoder with a head compiled from the examples, a checkpoint, or a server.

    ``checkpoint`` is a pair of repository and revision. ``precision_is_set`` is whether the policy sets the precision;
    otherwise it is the default of the device. ``of`` is what decides the category. ``examples`` are those of a head for
    a task of its own, and ``false_alarms`` the share of texts without a label that may get one, if that chooses the
    threshold.
    """

    name: str
    task: str
    encoder: Encoder | None
    checkpoint: tuple[str, str] | None
    device: str
    precision: str
    threshold: float | None
    span: Span
    precision_is_set: bool = False
    of: Reads = "ask"
    server: ClassifierServer | None = None
    examples: tuple[LabelExamples, ...] = ()
    false_alarms: float | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of its own examples, sorted, without ``other``."""
        return tuple(sorted(group.label for group in self.examples if group.label != OTHER))

    @property
    def harmless(self) -> int:
        """The number of its own examples without a label."""
        return sum(len(group.examples) for group in self.examples if group.label == OTHER)

    @property
    def object_name(self) -> str:
        """The label used in the file name of its head."""
        return object_name(self.name)

    @property
    def key_file(self) -> str | None:
        """The file of the server's key, below the router's folder for them; None without a key."""
        return f"{self.object_name}/api-key" if self.server is not None and self.server.api_key else None

    @property
    def authority_file(self) -> str | None:
        """The file of the server's authority, below the same folder; None for public authorities."""
        return f"{self.object_name}/ca.crt" if self.server is not None and self.server.authority else None
