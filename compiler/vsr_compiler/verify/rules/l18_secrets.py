"""L18: nothing changes under a pinned name, and nothing secret is written down."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Manifest, Path, rows, table, text
from vsr_compiler.verify.manifest_index import ENVOY, World

_MUTABLE = re.compile(r"latest|main|master|nightly|dev|edge|stable|v0\.0\.0.*|.*-(latest|dev|nightly|snapshot)")
_SECRET = re.compile(r"(^|_)(TOKEN|API_?KEY|PASSWORD|PASSWD|SECRET|ACCESS_KEY|PRIVATE_KEY)$")
_HEADERS = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key", "proxy-authorization"})


def rule(world: World) -> Iterator[Diagnostic]:
    """Images have a release or a digest, a gateway does not log at `trace`, which writes prompts down, and no key or
    password stands in a manifest.
    """  # noqa: D205 - the whole of it is what users read
    for pods in world.pods:
        for path, container in pods.containers(sidecars=True):
            yield from _image(pods.owner, (*path, "image"))
            if container.get("imagePullPolicy") == "Always" and not mutable(text(container.get("image"))):
                message = "a pinned image is pulled at every start, so a registry that is down stops the pods"
                place = pods.owner.span(*path, "imagePullPolicy")
                yield Diagnostic("VSR418", message, place, "Use IfNotPresent.", Severity.WARNING)
            for where, env in pods.owner.each(*path, "env"):
                if _SECRET.search(text(env.get("name")).upper()) and text(env.get("value")):
                    message = f"`{env['name']}` of {pods.owner.title} is written down here"
                    hint = "Put it into a Secret, refer to that by secretKeyRef, and revoke what was written."
                    yield Diagnostic("VSR418", message, pods.owner.span(*where, "value"), hint, hides=True)
    for proxy in world.of("EnvoyProxy", ENVOY):
        yield from _proxy(proxy)
    for route in world.routes:
        yield from _headers(route)
    for secret in world.of("Secret", ""):
        if table(secret.body.get("data")) or table(secret.body.get("stringData")):
            message = f"{secret.title} is written down here with its values"
            hint = "Keep Secrets out of manifests, or sealed."
            yield Diagnostic("VSR418", message, secret.span("metadata", "name"), hint, Severity.WARNING)


def mutable(image: str) -> bool:
    """Whether an image's name may mean another image tomorrow."""
    if "@sha256:" in image or not image:
        return False
    tag = image.rpartition("/")[2].partition(":")[2]
    return not tag or _MUTABLE.fullmatch(tag) is not None


def _image(owner: Manifest, path: Path) -> Iterator[Diagnostic]:
    image = text(owner.at(*path))
    if mutable(image):
        message = f"the image `{image}` may be another tomorrow"
        yield Diagnostic("VSR418", message, owner.span(*path), "Pin a release or a digest.", Severity.WARNING)


def _proxy(proxy: Manifest) -> Iterator[Diagnostic]:
    for name, level in table(proxy.at("spec", "logging", "level")).items():
        if level in ("trace", "debug"):
            message = f"{proxy.title} logs `{name}` at `{level}`, which writes headers and bodies of requests down"
            weight = Severity.ERROR if level == "trace" else Severity.WARNING
            where = ("spec", "logging", "level", name)
            yield Diagnostic("VSR418", message, proxy.span(*where), "Use `warn` or `info`.", weight)
    for kind in ("envoyDeployment", "envoyDaemonSet"):
        yield from _image(proxy, ("spec", "provider", "kubernetes", kind, "container", "image"))


def _headers(route: Manifest) -> Iterator[Diagnostic]:
    for rule_path, _ in route.each("spec", "rules"):
        for path, body in route.each(*rule_path, "filters"):
            modifier = table(body.get("requestHeaderModifier"))
            for key in ("set", "add"):
                for header in rows(modifier.get(key)):
                    if text(header.get("name")).lower() in _HEADERS and text(header.get("value")):
                        message = f"{route.title} sets `{header['name']}` to a value that is written down here"
                        hint = "Use a policy that takes the key from a Secret, and revoke what was written."
                        yield Diagnostic("VSR418", message, route.span(*path), hint, hides=True)
