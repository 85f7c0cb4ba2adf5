"""Headers of clients that a listener removes before any filter runs."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.verify.by_gateway import by_gateway
from vsr_compiler.verify.envoy_fields import snake_case
from vsr_compiler.verify.listeners import Listener, xds_listener
from vsr_compiler.verify.manifest import Body, Manifest, Path, as_mapping, as_mappings, as_string, as_strings, value_at
from vsr_compiler.verify.manifest_index import ENVOY, ISTIO, ManifestIndex
from vsr_compiler.verify.router_filters import client_policies, matches_patch, offers_http3, patches_listener

_EARLY = "early_header_mutation_extensions"


def keeps_header(index: ManifestIndex, listener: Listener, header: str) -> list[Manifest] | None:
    """Return None if a listener removes a client's header, otherwise the policies that apply and do not remove it."""
    for source, path, removed in _removals(index, listener.gateway):
        if _covers(removed, header) and matches_patch(source, path, listener):
            return None
    variants = [False, True] if offers_http3(index, listener) else [False]
    if all(_is_patched(index, listener, header, http3=http3) for http3 in variants):
        return None
    policies = client_policies(index, listener)
    keeping = [policy for policy in policies if not _removes(policy.settings, header)]
    return [policy.source for policy in keeping if policy.source is not None] if keeping else None


def removes_header(index: ManifestIndex, namespace: str, header: str) -> bool:
    """Whether any object in a namespace removes a client's header before the filters run."""
    return any(
        _covers(_removed_early(source.spec), header) or _removes(source.spec, header)
        for kind in ("EnvoyFilter", "EnvoyPatchPolicy", "ClientTrafficPolicy")
        for source in index.of_kind(kind)
        if source.namespace == namespace
    )


def _removals(index: ManifestIndex, gateway: Manifest) -> list[tuple[Manifest, Path, set[str]]]:
    """Return the patches of EnvoyFilters for a Gateway that remove headers early, with these headers."""

    def items() -> Iterator[tuple[Manifest, tuple[Manifest, Path, set[str]]]]:
        for source in index.of_kind("EnvoyFilter", ISTIO):
            for path, _ in source.entries("spec", "configPatches"):
                if removed := _removed_early(source.at(*path, "patch")):
                    yield source, (source, path, removed)

    return by_gateway(index, "removals", items).applying_to(gateway)


def _is_patched(index: ManifestIndex, listener: Listener, header: str, *, http3: bool) -> bool:
    def items() -> Iterator[tuple[Manifest, tuple[Body, set[str]]]]:
        for source in index.of_kind("EnvoyPatchPolicy", ENVOY):
            for patch in as_mappings(source.spec.get("jsonPatches")):
                if removed := _removed_early(patch.get("operation")):
                    yield source, (patch, removed)

    xds = xds_listener(listener, http3=http3)
    patches = by_gateway(index, "patched removals", items).applying_to(listener.gateway)
    return any(_covers(removed, header) and patches_listener(patch, xds) for patch, removed in patches)


def _removes(settings: Body, header: str) -> bool:
    early = as_mapping(value_at(settings, "headers", "earlyRequestHeaders"))
    return header in map(str.lower, as_strings(early.get("remove"))) or any(
        header.startswith(as_string(match.get("value")).lower())
        if match.get("type") == "Prefix"
        else header == as_string(match.get("value")).lower()
        for match in as_mappings(early.get("removeOnMatch"))
    )


def _removed_early(body: object) -> set[str]:
    """Return the headers that a patch removes before the filters run; a prefix of names ends with an asterisk.

    Removal by an ordinary filter does not count: the filter may run after the processor. One that is inserted before
    all others does.
    """
    where = [snake_case(as_string(value_at(body, key))) for key in ("path", "jsonPath")]
    first = where[0].endswith("http_filters/0") and value_at(body, "op") == "add"
    stack: list[tuple[object, bool]] = [(body, first or any(_EARLY in text for text in where))]
    removed: set[str] = set()
    while stack:
        node, early = stack.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                if early and key == "remove" and isinstance(value, str):
                    removed.add(value.lower())
                elif early and snake_case(key) == "remove_on_match":
                    removed |= _matched(as_mapping(value))
                stack.append((value, early or snake_case(key) == _EARLY))
        elif isinstance(node, list):
            stack += [(child, early) for child in node]
    return removed


def _matched(mutation: Body) -> set[str]:
    matcher = as_mapping(mutation.get("key_matcher", mutation.get("keyMatcher")))
    exact, prefix = as_string(matcher.get("exact")).lower(), as_string(matcher.get("prefix")).lower()
    return ({exact} if exact else set()) | ({f"{prefix}*"} if prefix else set())


def _covers(removed: set[str], header: str) -> bool:
    return header in removed or any(header.startswith(name[:-1]) for name in removed if name.endswith("*"))
