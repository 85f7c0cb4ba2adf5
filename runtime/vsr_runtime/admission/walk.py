"""Goes through a parsed config and splits it: what is executed, what is ignored, what is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from vsr_runtime.admission.complete import complete
from vsr_runtime.admission.models import Models, fields, literals, plugin_name
from vsr_runtime.admission.usage import Usage, usage
from vsr_schemas.routerconfig.stock import Row, definitions, table
from vsr_schemas.routerconfig.v0_4_0 import RouterConfig

MOST = 100
"""Reasons that are kept."""
_ENVIRONMENT = re.compile(r"\$(\{[^}]*\}|[A-Za-z0-9_]+)")
_DEFAULTS: dict[str, dict[str, Any]] = {
    "Category": {"description": ""},
    "InputModalityRule": {"description": ""},
    "JailbreakRule": {"include_history": False},
}
"""What the stock router assumes where the models demand a value."""
_OPTIONAL_SIGNALS = ("domains", "embeddings", "complexity", "role_bindings", "fact_check")
"""Signals that need a model or authenticated clients and protect nothing. A list of which no decision uses one needs
neither."""


@dataclass(slots=True)
class Admitted:
    """A config that was split.

    Attributes:
        document: what is executed.
        ignored: the places that change nothing, without the numbers of list items.
        refused: reasons, each with its place; at most `MOST`.
    """

    document: Any = None
    ignored: dict[str, None] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


def split(document: object, *, ours: bool = False) -> Admitted:
    """Split a config into what is executed, what is ignored and what is refused. The document stays as it is.

    Args:
        document: the parsed config.
        ours: whether this project's compiler wrote it. Its texts have no references to the environment.
    """
    completed = document if ours else complete(document)
    walk = _Walk(usage(completed), ours=ours)
    walk.found.document = walk.value(completed, "@RouterConfig", (RouterConfig,), "")
    return walk.found


class _Walk:
    def __init__(self, used: Usage, *, ours: bool) -> None:
        self.found = Admitted()
        self._used = used
        self._ours = ours
        self._definitions = definitions()
        self._table = table()

    def value(self, value: Any, kind: str, models: Models, path: str) -> Any:  # noqa: ANN401 - YAML
        """Return what is executed of a value that the models have."""
        if isinstance(value, list):
            inner = kind[1:-1] if kind.startswith("[") else ""
            return [self.value(one, inner, models, f"{path}[{i}]") for i, one in enumerate(value)]
        if isinstance(value, dict):
            if kind.startswith("{"):
                return {key: self.value(one, kind[1:-1], models, _join(path, key)) for key, one in value.items()}
            if kind == "@DecisionPlugin":
                return self._plugin(value, models, path)
            if kind.startswith("@") and models:
                return self._block(value, kind[1:], models, path)
            return {key: self.value(one, "", (), _join(path, key)) for key, one in value.items()}
        return self._text(value, path) if isinstance(value, str) else value

    def _block(self, block: dict[Any, Any], definition: str, models: Models, path: str) -> dict[Any, Any]:
        known, executed = self._definitions.get(definition, {}), fields(models)
        kept: dict[Any, Any] = {}
        if not self._ours:
            kept |= _DEFAULTS.get(definition, {})
        for key, value in block.items():
            place, row = _join(path, key), self._table.of(definition, key, value)
            if value is None:
                continue
            if key not in executed or self._is_needless(definition, str(key)):
                self._unexecuted(value, definition, str(key), place)
            elif self._table.rows.get(f"{definition}.{key}={_shown(value)}"):
                self._apply(row, value, known.get(key, ""), place)
            elif definition == "CanonicalSignals" and key in _OPTIONAL_SIGNALS and not self._ours:
                kept[key] = self.value(self._if_used(key, value, place), known.get(key, ""), executed[key], place)
            else:
                kept[key] = self.value(value, known.get(key, ""), executed[key], place)
        return kept

    def _unexecuted(self, value: Any, definition: str, key: str, path: str) -> None:  # noqa: ANN401 - YAML
        known = self._definitions.get(definition, {})
        if key not in known and not self._table.rows.get(f"{definition}.{key}"):
            self._refuse(path, _older(key))
        elif value in (None, "", [], {}):
            return
        elif self._is_needless(definition, key):
            self._ignore(path)
        else:
            self._apply(self._table.of(definition, key, value), value, known.get(key, ""), path)

    def _apply(self, row: Row | None, value: Any, kind: str, path: str) -> None:  # noqa: ANN401 - YAML
        """Do what a row says. Without one a block is searched, and anything else is refused."""
        if self._is_off(value, kind):
            self._ignore(path)
        elif row is not None and row.treatment == "ignored":
            self._ignore(path)
            self._search(value, kind, path)
        elif row is not None:
            self._refuse(path, f"not supported: {row.why}")
        elif "@" in kind:
            self._descend(value, kind, path)
        else:
            self._refuse(path, "not supported; remove it")

    def _descend(self, value: Any, kind: str, path: str) -> None:  # noqa: ANN401 - YAML
        if isinstance(value, list):
            for i, one in enumerate(value):
                self._descend(one, kind[1:-1], f"{path}[{i}]")
        elif isinstance(value, dict) and kind.startswith("{"):
            for key, one in value.items():
                self._descend(one, kind[1:-1], _join(path, key))
        elif isinstance(value, dict) and kind.startswith("@"):
            for key, one in value.items():
                self._unexecuted(one, kind[1:], str(key), _join(path, key))
        elif value is not None:
            self._refuse(path, "not supported; remove it")

    def _search(self, value: Any, kind: str, path: str) -> None:  # noqa: ANN401 - YAML
        """Refuse what is to be refused below a block that is ignored."""
        if isinstance(value, list) and kind.startswith("["):
            for i, one in enumerate(value):
                self._search(one, kind[1:-1], f"{path}[{i}]")
        elif isinstance(value, dict) and kind.startswith("{"):
            for key, one in value.items():
                self._search(one, kind[1:-1], _join(path, key))
        elif isinstance(value, dict) and kind.startswith("@"):
            for key, one in value.items():
                row = self._table.of(kind[1:], str(key), one)
                inner = self._definitions.get(kind[1:], {}).get(str(key), "")
                if row and row.treatment == "refused" and one not in (None, "", [], {}):
                    if not self._is_off(one, inner):
                        self._refuse(_join(path, key), f"not supported: {row.why}")
                else:
                    self._search(one, inner, _join(path, key))

    def _plugin(self, plugin: dict[Any, Any], models: Models, path: str) -> Any:  # noqa: ANN401 - YAML
        """Return a plugin with what of it is executed."""
        name = plugin_name(plugin.get("type"))
        stated = str(plugin.get("type"))
        own = tuple(model for model in models if stated in literals((model,), "type"))
        kind = self._definitions["DecisionPlugin.configuration"].get(name, "")
        if own:
            kept = {}
            for key, value in plugin.items():
                inner = fields(own).get(str(key), ())
                kept[key] = self.value(value, kind if key == "configuration" else "", inner, _join(path, key))
            return kept
        return plugin  # not a plugin of the models, which say so

    def _if_used(self, kind: str, value: Any, path: str) -> Any:  # noqa: ANN401 - YAML
        """Return all signals of a list of which one is used: those beside it change for what it holds."""
        if not isinstance(value, list) or kind in self._used.lists():
            return value
        if value:
            self._ignore(f"{path} that no decision uses")
        return []

    def _is_needless(self, definition: str, key: str) -> bool:
        need = self._table.needs.get(f"{definition}.{key}")
        if need is None:
            return False
        return not (need.signals & self._used.lists() or need.plugins & self._used.plugins)

    def _is_off(self, value: Any, kind: str) -> bool:  # noqa: ANN401 - YAML
        if not isinstance(value, dict) or value.get("enabled") is not False:
            return False
        return "enabled" in self._definitions.get(kind[1:], {}) and f"{kind[1:]}.enabled=false" not in self._table.rows

    def _text(self, text: str, path: str) -> str:
        if self._ours or "$" not in text:
            return text
        if _ENVIRONMENT.search(text.replace("$$", "")):
            self._refuse(
                path, "references to the environment are not read; write the value, and keys by reference ($$ is $)"
            )
        return text.replace("$$", "$")

    def _ignore(self, path: str) -> None:
        self.found.ignored[re.sub(r"\[\d+\]", "", path)] = None

    def _refuse(self, path: str, why: str) -> None:
        line = f"{path or 'document'}: {why}"
        if len(self.found.refused) <= MOST and line not in self.found.refused:
            self.found.refused.append(line)


def _older(key: str) -> str:
    if any(key in definitions("0.3.0")[name] for name in ("ProviderDefaults", "Model")):
        return "not supported; it is a word of release 0.3.0, which `vllm-sr config migrate` replaces"
    return "not supported; remove it"


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int | float | str) else ""
