"""L18: images that may change, and secrets or prompts in manifests and logs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Manifest, Path, as_mapping, as_mappings, as_string, as_string_map
from vsr_compiler.verify.manifest_index import ENVOY, ManifestIndex
from vsr_compiler.verify.placeholders import has_placeholder
from vsr_compiler.verify.replaced_words import is_variable, is_variable_line
from vsr_compiler.verify.rules.rule import LinkRule

_MUTABLE = re.compile(r"latest|main|master|nightly|dev|edge|stable|v0\.0\.0.*|.*-(latest|dev|nightly|snapshot)")
_SECRET = re.compile(r"(^|_)(TOKEN|API_?KEY|PASSWORD|PASSWD|SECRET|ACCESS_KEY|PRIVATE_KEY)$")
_SWITCHES = frozenset({"true", "false", "yes", "no", "on", "off", "0", "1"})
_PLACEHOLDER = re.compile(
    r"(?:\$\([A-Za-z_][A-Za-z0-9_.-]*\)|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|(?i:x{3,}|\*{3,}|replace[-_ ]?me))$"
    r"|(?i:your[-_ ])"
)
_NO_SECRET = re.compile(
    r"(?i)(?:dummy|fake|none|null|nil|empty|unused|n/?a|not[-_ ](?:a[-_ ]real|needed|used|required|set|real).*"
    r"|no[-_]?(?:key|token|auth|password)(?:[-_].*)?|sk-(?:no|none|fake|dummy|test|x+|\.{3}).*|example.*|placeholder"
    r"|<.*|.*[-_ ]here|insert[-_ ].*|enter[-_ ].*)"
)
"""Values that say that nothing secret is needed: servers of models often want a key, but any."""
_INJECTED = "auto"
"""The image of a gateway's pod that Istio's injection replaces. Source: Istio, Installing Gateways."""
_HEADERS = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key", "proxy-authorization"})


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for workload in index.workloads:
        owner = workload.owner
        for path, container in workload.containers(init=True):
            yield from _image(owner, (*path, "image"))
            if container.get("imagePullPolicy") == "Always" and not is_mutable(as_string(container.get("image"))):
                message = "a pinned image is pulled at every start, so pods cannot start while the registry is down"
                span = owner.span(*path, "imagePullPolicy")
                yield Diagnostic("VSR418", message, span, "Use IfNotPresent.", Severity.NOTE)
            for env_path, env in owner.entries(*path, "env"):
                if _SECRET.search(as_string(env.get("name")).upper()) and _is_secret(as_string(env.get("value"))):
                    message = f"the variable `{env['name']}` of {owner.title} contains a secret in plain text"
                    hint = "Move it to a Secret, refer to it by secretKeyRef, and revoke the published value."
                    yield Diagnostic("VSR418", message, owner.span(*env_path, "value"), hint, hides=True)
    for proxy in index.of_kind("EnvoyProxy", ENVOY):
        yield from _proxy(proxy)
    for route in index.routes:
        yield from _headers(route)
    for secret in index.of_kind("Secret", ""):
        if any(map(_is_filled_in, _values(secret))):
            message = f"{secret.title} contains its values in plain text"
            hint = "Keep Secrets out of manifests, or seal them."
            yield Diagnostic("VSR418", message, secret.span("metadata", "name"), hint, Severity.WARNING)


def _values(secret: Manifest) -> Iterator[str]:
    for field in ("data", "stringData"):
        yield from as_string_map(secret.body.get(field)).values()


def _is_filled_in(value: str) -> bool:
    """Whether a value of a Secret is neither empty nor for the reader to fill in."""
    return bool(value.strip()) and not has_placeholder(value) and not is_variable_line(value) and _is_secret(value)


def _is_secret(value: str) -> bool:
    """Whether a value may be a secret, no switch as of `ALLOW_EMPTY_PASSWORD`, other variable, or a placeholder."""
    if not value or value.lower() in _SWITCHES or is_variable(value):
        return False
    return not _PLACEHOLDER.match(value) and not _NO_SECRET.fullmatch(value)


def is_mutable(image: str) -> bool:
    """Whether an image reference may point to another image later."""
    if "@sha256:" in image or not image or image == _INJECTED:
        return False
    tag = image.rpartition("/")[2].partition(":")[2]
    return not tag or _MUTABLE.fullmatch(tag) is not None


def _image(owner: Manifest, path: Path) -> Iterator[Diagnostic]:
    image = as_string(owner.at(*path))
    if is_mutable(image):
        message = f"the image `{image}` is not pinned: its tag may point to another image tomorrow"
        yield Diagnostic("VSR418", message, owner.span(*path), "Pin a release or a digest.", Severity.WARNING)


def _proxy(proxy: Manifest) -> Iterator[Diagnostic]:
    for name, level in as_mapping(proxy.at("spec", "logging", "level")).items():
        if level in ("trace", "debug"):
            message = f"{proxy.title} logs `{name}` at `{level}`, so its log contains headers and bodies of requests"
            severity = Severity.ERROR if level == "trace" else Severity.WARNING
            span = proxy.span("spec", "logging", "level", name)
            yield Diagnostic("VSR418", message, span, "Use `warn` or `info`.", severity)
    for kind in ("envoyDeployment", "envoyDaemonSet"):
        yield from _image(proxy, ("spec", "provider", "kubernetes", kind, "container", "image"))


def _headers(route: Manifest) -> Iterator[Diagnostic]:
    for rule_path, _ in route.entries("spec", "rules"):
        for path, body in route.entries(*rule_path, "filters"):
            modifier = as_mapping(body.get("requestHeaderModifier"))
            for key in ("set", "add"):
                for header in as_mappings(modifier.get(key)):
                    if as_string(header.get("name")).lower() in _HEADERS and as_string(header.get("value")):
                        message = f"{route.title} sets `{header['name']}` to a secret in plain text"
                        hint = "Use a policy that reads the key from a Secret, and revoke the published value."
                        yield Diagnostic("VSR418", message, route.span(*path), hint, hides=True)


RULE = LinkRule(
    name="L18",
    code="VSR418",
    purpose="Images have a release tag or a digest. No key or password is written in a manifest, and no gateway logs "
    "at `trace` or `debug`, which writes prompts to its log.",
    check=_check,
)
