"""The rules of ``vsr-compile verify``: link rules with their checks, and the documentation of every rule."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vsr_compiler.verify.rules import (
    api_server,
    envoy,
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
    l24_coverage,
    l25_authentication,
    l26_messages,
    l27_pods,
    l28_priorities,
    l29_plain_text,
    l30_servers,
    l37_limit_policies,
    l38_limit_costs,
    l39_limit_service,
    l40_arguments,
    l41_picker_configuration,
    l42_metrics,
    l43_fields,
    l44_versions,
    l45_patches,
    l46_behaviour,
    l47_release_fit,
    manifests,
    schemas,
)
from vsr_compiler.verify.rules.rule import LinkRule, Rule

__all__ = ["LINK_RULES", "RULES", "LinkRule", "Rule"]

LINK_RULES: tuple[LinkRule, ...] = (
    l01_identity.RULE,
    l02_references.RULE,
    l03_grants.RULE,
    l04_names.RULE,
    l05_selectors.RULE,
    l06_pickers.RULE,
    l07_tls.RULE,
    l08_protocol.RULE,
    l09_filters.RULE,
    l10_guards.RULE,
    l11_modes.RULE,
    l12_buffers.RULE,
    l13_timeouts.RULE,
    l14_releases.RULE,
    l15_rbac.RULE,
    l16_limits.RULE,
    l17_listeners.RULE,
    l18_secrets.RULE,
    l19_strings.RULE,
    l20_defaults.RULE,
    l21_probes.RULE,
    l22_visible.RULE,
    l23_scope.RULE,
    l24_coverage.RULE,
    l25_authentication.RULE,
    l26_messages.RULE,
    l27_pods.RULE,
    l28_priorities.RULE,
    l29_plain_text.RULE,
    l30_servers.RULE,
    l37_limit_policies.RULE,
    l38_limit_costs.RULE,
    l39_limit_service.RULE,
    l40_arguments.RULE,
    l41_picker_configuration.RULE,
    l42_metrics.RULE,
    l43_fields.RULE,
    l44_versions.RULE,
    l45_patches.RULE,
    l46_behaviour.RULE,
    l47_release_fit.RULE,
)
"""The rules about links between objects, in the order of their names."""

RULES: Mapping[str, Rule] = MappingProxyType(
    {rule.name: rule for rule in (*LINK_RULES, *manifests.RULES, *schemas.RULES, *envoy.RULES, *api_server.RULES)}
)
"""Every rule by its name."""
