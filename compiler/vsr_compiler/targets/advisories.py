"""Warnings about releases: those past their end of life, and those with vulnerabilities that concern the output.

The day is an argument, so that a result can be reproduced.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.manifests.objects import Object
from vsr_compiler.releases.data import PROJECTS, Advisory, Project, project
from vsr_compiler.releases.known import looked_up
from vsr_compiler.releases.numbers import numbers
from vsr_compiler.targets.target import Target

Use = Callable[[ir.Policy, Sequence[Object]], bool]


def _with_arguments(*names: str) -> Use:
    """Return whether a model server has one of some arguments."""
    return lambda policy, _: any(
        argument.partition("=")[0].replace("_", "-") in names
        for endpoint in policy.endpoints
        if endpoint.server is not None and not endpoint.server.simulate
        for argument in endpoint.server.args
    )


def _model_servers(policy: ir.Policy, _: Sequence[Object]) -> bool:
    """Whether a model server has the image of the release."""
    servers = (endpoint.server for endpoint in policy.endpoints)
    return any(server is not None and not server.simulate and server.image is None for server in servers)


def _authorization(field: str) -> Use:
    """Return whether an AuthorizationPolicy has a field."""
    return lambda _, objects: any(item.kind == "AuthorizationPolicy" and _has(item.body, field) for item in objects)


def _across_namespaces(_: ir.Policy, objects: Sequence[Object]) -> bool:
    """Whether an object refers to one in another namespace, which a ReferenceGrant allows."""
    return any(item.kind == "ReferenceGrant" for item in objects)


def _has(value: object, field: str) -> bool:
    if isinstance(value, Mapping):
        return field in value or any(_has(item, field) for item in value.values())
    return isinstance(value, list | tuple) and any(_has(item, field) for item in value)


USES: Mapping[str, Use] = MappingProxyType(
    {
        "authorization by method": _authorization("methods"),
        "authorization by service account": _authorization("serviceAccounts"),
        "model servers": _model_servers,
        "pinned revisions of models": _with_arguments("--revision", "--code-revision"),
        "prompt embeddings": _with_arguments("--enable-prompt-embeds"),
        "references across namespaces": _across_namespaces,
    }
)
"""What a vulnerability can concern, by the words in the files of releases, and how the output shows it."""
ONLY_WITH: Mapping[str, Use] = MappingProxyType(
    {
        "inference-extension": lambda _, objects: any(item.kind == "InferencePool" for item in objects),
        "vllm": _model_servers,
    }
)
"""Projects of which not every output of a target has something."""


def advisories(
    target: Target, policy: ir.Policy, objects: Sequence[Object], today: dt.date, span: Span
) -> Iterator[Diagnostic]:
    """Yield VSR350 and VSR351 for the releases that a target looks up.

    Args:
        target: The target.
        policy: The policy as it is rendered.
        objects: The rendered objects.
        today: The day on which the warnings hold.
        span: Where the policy names the releases.
    """
    names = dict.fromkeys(
        name for part, seen in target.parts(policy) for name in looked_up(part.releases, seen.versions)
    )
    for name in names:
        release = policy.versions[name]
        known = project(name) if name in PROJECTS else None
        if known is None or release not in known.releases or not _used(name, policy, objects):
            continue
        end = known.releases[release].end_of_life
        if end is not None and today >= end:
            message = f"{name} {release} gets no more fixes: its end of life was {end:%Y-%m-%d}"
            yield Diagnostic("VSR350", message, span, _newer(known, release, today))
        for item in known.advisories:
            if item.affects(release) and USES[item.concerns](policy, objects):
                message = f"{name} {release} has {item.id}: {item.summary} (concerns {item.concerns})"
                yield Diagnostic("VSR351", message, span, _fixed(known, item, release, today))


def _used(name: str, policy: ir.Policy, objects: Sequence[Object]) -> bool:
    return name not in ONLY_WITH or ONLY_WITH[name](policy, objects)


def _newer(known: Project, release: str, today: dt.date) -> str:
    later = list(_later(known, known.releases, release, today))
    return f"Use {known.name} {' or '.join(later)}." if later else "Use a newer release, once it is known here."


def _fixed(known: Project, item: Advisory, release: str, today: dt.date) -> str:
    later = list(_later(known, item.fixes(known.releases), release, today))
    return f"Use {known.name} {' or '.join(later)}." if later else "Use a repaired release, once it is known here."


def _later(known: Project, names: Iterable[str], release: str, today: dt.date) -> Iterator[str]:
    """Yield releases after another one that still get fixes."""
    for name in names:
        end = known.releases[name].end_of_life
        if (numbers(name) or ()) > (numbers(release) or ()) and (end is None or today < end):
            yield name
