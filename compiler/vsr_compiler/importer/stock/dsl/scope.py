"""The routing of a program or of a recipe, as it is read."""

from __future__ import annotations

from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.values import child, items, make, text
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar

TESTS = "tests of a program"
"""Key of the tests of a program. No configuration has it."""


class Scope:
    """The routing of a program or of a recipe."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.models: list[Node] = []
        self.signals: dict[str, list[Node]] = {}
        self.projections: dict[str, list[Node]] = {}
        self.decisions: list[Node] = []
        self.templates: dict[str, tuple[str, Mapping]] = {}
        self.strategy: Node | None = None
        self.tests: list[Node] = []
        self.used: set[str] = set()
        self.left: dict[str, tuple[Span, Node]] = {}

    def node(self) -> Mapping:
        """Return the routing. Plugins that refer to templates get their fields."""
        for decision in self.decisions:
            for plugin in items(child(decision, "plugins")):
                self._filled(plugin)
        body: dict[str, Any] = {"modelCards": self.models or None, "signals": self.signals or None}
        body |= {"projections": self.projections or None, "decisions": self.decisions, "strategy": self.strategy}
        body[TESTS] = self.tests or None
        found = make({key: value for key, value in body.items() if value is not None}, self.span)
        assert isinstance(found, Mapping)  # noqa: S101 - made of a dict
        found.entries |= self.left
        for name, (type_, fields) in self.templates.items():
            if name not in self.used:
                found.entries[f"PLUGIN {name}"] = (fields.span, make({type_: "not used"}, fields.span))
        return found

    def _filled(self, plugin: Node) -> None:
        template = self.templates.get(text(child(plugin, "type")))
        if template is None or not isinstance(plugin, Mapping):
            return
        type_, fields = template
        self.used.add(text(child(plugin, "type")))
        own = child(plugin, "configuration")
        entries = {**fields.entries, **(own.entries if isinstance(own, Mapping) else {})}
        plugin.entries["type"] = (plugin.entries["type"][0], Scalar(type_, plain=False, span=plugin.span))
        plugin.entries["configuration"] = (plugin.span, Mapping(plugin.span, entries))
