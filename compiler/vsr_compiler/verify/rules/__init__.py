"""The link rules: each a module with one function, whose docstring is what users read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify.manifest_index import World
from vsr_compiler.verify.rules import (
    l01_identity,
    l02_references,
    l03_grants,
    l04_names,
    l05_selectors,
    l06_pickers,
    l07_tls,
    l08_protocol,
    l09_filters,
    l10_guards,
    l11_modes,
    l12_buffers,
    l13_timeouts,
    l14_releases,
    l15_rbac,
    l16_limits,
    l17_listeners,
    l18_secrets,
    l19_strings,
    l20_defaults,
    l21_probes,
    l22_visible,
    l23_scope,
)

Rule = Callable[[World], Iterator[Diagnostic]]

_MODULES = (
    l01_identity,
    l02_references,
    l03_grants,
    l04_names,
    l05_selectors,
    l06_pickers,
    l07_tls,
    l08_protocol,
    l09_filters,
    l10_guards,
    l11_modes,
    l12_buffers,
    l13_timeouts,
    l14_releases,
    l15_rbac,
    l16_limits,
    l17_listeners,
    l18_secrets,
    l19_strings,
    l20_defaults,
    l21_probes,
    l22_visible,
    l23_scope,
)
RULES: Mapping[str, Rule] = MappingProxyType(
    {module.__name__.rpartition(".")[2][:3].upper(): module.rule for module in _MODULES}
)
"""The rules by their names, L01 and so on. The findings of Lnn have the code VSR4nn."""
