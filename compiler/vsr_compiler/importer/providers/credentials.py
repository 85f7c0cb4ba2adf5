"""Keys of providers as references to Secrets. No value is ever copied."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.draft import label
from vsr_compiler.importer.losses import Losses
from vsr_compiler.syntax.nodes import Node, Scalar

KEY = "apiKey"
"""The key of the Secret: the one that Agent Router reads."""
_DUMMIES = frozenset(
    [
        "anything",
        "dummy",
        "dummy-key",
        "empty",
        "fake",
        "fake-key",
        "na",
        "n/a",
        "no-key",
        "none",
        "not-needed",
        "not-used",
        "sk-none",
        "sk-no-key-required",
        "ollama",
        "lm-studio",
        "placeholder",
        "sk-fake",
        "token",
        "unused",
        "x",
        "xxx",
    ]
)
"""Values that servers without authentication get."""
_VARIABLE = re.compile(r"(?:os\.environ/|\$\{?|\$\()([A-Za-z_][A-Za-z0-9_]*)(?::?-[^}]*)?\}?\)?")


@dataclass(slots=True)
class NeededSecrets:
    """Secrets that the policy refers to, and the place of each."""

    names: dict[str, Span] = field(default_factory=dict)

    def report(self, losses: Losses) -> None:
        """Report them, in one note."""
        for name, span in self.names.items():
            hint = "Create each in the router's namespace, with the value under the key that the policy names."
            losses.group("VSR541", "Secrets that must exist", name, span, hint)


def variable(text: str) -> str:
    """Return the environment variable that a text refers to; empty if it is a value."""
    match = _VARIABLE.fullmatch(text.strip())
    return match[1] if match is not None else ""


def credential(node: Node | None, placeholder: str, losses: Losses, needed: NeededSecrets) -> dict[str, str] | None:
    """Return a reference to the Secret for a key of the source; None without a key.

    Args:
        node: The value in the source: a reference to a variable, or the key itself.
        placeholder: The name of the Secret if the source has the key itself.
        losses: Where VSR540 is reported.
        needed: Where the Secret is recorded.
    """
    if not isinstance(node, Scalar) or not node.text.strip() or node.text.strip().lower() in _DUMMIES:
        return None
    name = label(variable(node.text))
    if not name:
        name = label(placeholder) or "key"
        losses.secrets.add(node)
        hint = f"Store it in the Secret `{name}` under `{KEY}`. If the file was ever shared, replace the key."
        losses.add("VSR540", "a key is written in the file; it is not copied", node.span, hint)
    needed.names.setdefault(name, node.span)
    return {"secret": name, "key": KEY}
