"""L39: limits that the API or the rate limit service does not take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify.envoy_gateway_settings import configurations
from vsr_compiler.verify.manifest import Manifest, Path, as_mapping, as_string, value_at
from vsr_compiler.verify.manifest_index import AI, ManifestIndex
from vsr_compiler.verify.rate_limits import limit_rules
from vsr_compiler.verify.rules.rule import LinkRule

_UNITS = ("Second", "Minute", "Hour", "Day", "Month", "Year")
_DURATIONS = ("1s", "1m", "1h", "1d")
_MOST_RULES = {"global": 256, "local": 16}
"""Rules of a policy: Envoy Gateway 1.8.3 and 1.9.0, CRD of BackendTrafficPolicy (1.6.7 takes 128 global ones)."""
_MOST = 2**32 - 1


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    rules = limit_rules(index)
    numbers = Counter((id(rule.policy), rule.scope) for rule in rules)
    for rule in {(id(rule.policy), rule.scope): rule for rule in rules}.values():
        number, most = numbers[id(rule.policy), rule.scope], _MOST_RULES[rule.scope]
        if number > most:
            message = f"{rule.policy.title} has {number} rules of a {rule.scope} rate limit, but its API allows {most}"
            hint = "Select several clients or models by one rule: `type: Distinct` counts each of them."
            yield Diagnostic("VSR639", message, rule.policy.span("spec", "rateLimit", rule.scope, "rules"), hint)
    for rule in rules:
        limit, span = as_mapping(rule.body.get("limit")), rule.policy.span(*rule.path, "limit")
        unit, requests = as_string(limit.get("unit")), limit.get("requests")
        if unit and unit not in _UNITS:
            yield Diagnostic("VSR639", f"{rule.policy.title} limits by `{unit}`", span, f"Use {_any_of(_UNITS)}.")
        if isinstance(requests, int) and requests > _MOST:
            message = f"{rule.policy.title} has a limit of {requests:,}, but the rate limit service counts to {_MOST:,}"
            yield Diagnostic("VSR639", message, span, "Use a shorter unit, or count in thousands by a CEL expression.")
        if rule.scope == "local" and rule.cost:
            message = f"{rule.policy.title} has a local rate limit by the cost of responses: only a global one has it"
            yield Diagnostic("VSR639", message, rule.policy.span(*rule.path, "cost"), "Use `type: Global`.")
    for quota in index.of_kind("QuotaPolicy", AI):
        for path, duration in _durations(quota):
            if duration not in _DURATIONS:
                message = f"{quota.title} has a quota for `{duration}`"
                yield Diagnostic("VSR639", message, quota.span(*path), f"Use {_any_of(_DURATIONS)}.")
    yield from _without_redis(index)


def _any_of(words: tuple[str, ...]) -> str:
    return f"one of {', '.join(words)}"


def _durations(quota: Manifest) -> Iterator[tuple[Path, str]]:
    """Yield the windows of a QuotaPolicy with their paths."""
    places: list[Path] = [("spec", "serviceQuota", "quota")]
    for path, _ in quota.entries("spec", "perModelQuotas"):
        places.append((*path, "quota", "defaultBucket"))
        places += [(*rule, "quota") for rule, _ in quota.entries(*path, "quota", "bucketRules")]
    for path in places:
        duration = quota.at(*path, "duration")
        if isinstance(duration, str):
            yield (*path, "duration"), duration


def _without_redis(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Report each configuration of Envoy Gateway without Redis, if something is counted there."""
    counted = next((rule.policy for rule in limit_rules(index) if rule.scope == "global"), None)
    counted = counted or next(iter(index.of_kind("QuotaPolicy", AI)), None)
    if counted is None:
        return
    for owner, path, settings in configurations(index):
        if not value_at(settings, "rateLimit", "backend", "redis", "url"):
            message = f"{owner.title} configures Envoy Gateway without Redis, in which {counted.title} would be counted"
            hint = "Set rateLimit: {backend: {type: Redis, redis: {url: HOST:PORT}}} there."
            yield Diagnostic("VSR639", message, owner.span(*path), hint)


RULE = LinkRule(
    name="L39",
    code="VSR639",
    purpose="Rate limits and quotas have units and sizes that their API takes, costs of responses are in global limits "
    "only, and the configuration of Envoy Gateway names the Redis in which global limits are counted.",
    check=_check,
)
