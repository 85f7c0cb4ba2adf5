"""Reads the candidates of a policy, and checks whether they can decide in its place."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from vsr_compiler import ir
from vsr_compiler.analysis import residency
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.heads.compile import untrained_settings
from vsr_compiler.routerconfig.loading import loaded
from vsr_compiler.syntax.imports import Texts, repository_of
from vsr_runtime.decision.request.share import conflict
from vsr_runtime.settings import machine_config

Reader = Callable[[Path, Texts], ir.Policy]


def with_candidates(policy: ir.Policy, path: Path, texts: Texts, read: Reader) -> ir.Policy:
    """Return a policy with its candidates.

    Args:
        policy: The linked policy.
        path: Its file.
        texts: Returns the text of a file.
        read: Reads a policy without its candidates.

    Raises:
        CompileError: VSR587 if a candidate cannot be used, VSR565 if an environment must not refer to what it uses, or
            with what is wrong in its file.
    """
    written = [policy.router.candidate, *(place.candidate for place in policy.places)]
    found: dict[str, ir.Policy] = {}
    files: dict[str, str] = {}
    for candidate in dict.fromkeys(one for one in written if one is not None):
        if files.setdefault(candidate.name, candidate.path) != candidate.path:
            message = f"`{candidate.path}` and `{files[candidate.name]}` have the same name in the output"
            raise CompileError([Diagnostic("VSR587", message, candidate.span, "Rename one of the files.")])
        if candidate.name not in found:
            other = read(_file(candidate, path), texts)
            if not isinstance(other.router.implementation, ir.VsrRuntime):
                message = f"the candidate `{candidate.path}` is for another router than `vsr-runtime`"
                hint = "Set `router.engine: vsr-runtime` there."
                raise CompileError([Diagnostic("VSR587", message, candidate.span, hint)])
            found[candidate.name] = _seen(policy, other)
    if not found:
        return policy
    policy = replace(policy, candidates=found)
    if wrong := list(residency.check_candidates(policy)):
        raise CompileError(wrong)
    return policy


def _file(candidate: ir.Candidate, path: Path) -> Path:
    """Return the file of a candidate: a regular one within the repository, and not the policy itself."""
    target = Path(os.path.normpath(path.parent / candidate.path))
    try:
        real = target.resolve(strict=True)
        mode = real.stat().st_mode
    except (OSError, RuntimeError):
        problem = f"there is no file `{target}`", "Correct the path, which is relative to this policy."
    else:
        if not real.is_relative_to(repository_of(path)):
            problem = f"`{target}` is outside the repository", "Move the candidate into the repository."
        elif not stat.S_ISREG(mode):
            problem = f"`{target}` is not a regular file", "Name the file of a policy."
        elif real == path.resolve():
            problem = "the candidate is this policy itself", "Copy the policy, and change the copy."
        else:
            return target
    raise CompileError([Diagnostic("VSR587", problem[0], candidate.span, problem[1])])


def _seen(policy: ir.Policy, other: ir.Policy) -> ir.Policy:
    """Return a candidate as the active policy's router and gateway have it: only its routing is its own."""
    router = replace(
        policy.router,
        auto_models=other.router.auto_models,
        on_failure=other.router.on_failure,
        response_headers=other.router.response_headers,
        overflow=other.router.overflow,
        encoder=other.router.encoder,
        candidate=None,
    )
    return replace(
        other,
        router=router,
        gateway=replace(policy.gateway, cors=other.gateway.cors),
        environments=tuple(replace(place, candidate=None) for place in policy.environments),
        hosts=tuple(replace(place, candidate=None) for place in policy.hosts),
        versions=policy.versions,
        attachment=policy.attachment,
        gitops=policy.gitops,
        candidates={},
    )


def share_conflicts(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR588 for a candidate with a share that the runtime would not let decide."""
    written = [policy.router.candidate, *(place.candidate for place in policy.places)]
    for candidate in dict.fromkeys(one for one in written if one is not None and one.share):
        other = policy.candidates[candidate.name]
        here, there = (loaded(one, untrained_settings(one)) for one in (policy, other))
        if here is None or there is None:
            continue
        reason = conflict(machine_config(here), machine_config(there))
        if other.router.fails_open != policy.router.fails_open:
            reason = "the active policy has another `router.onFailure`"
        if reason is not None:
            message = f"the candidate `{candidate.path}` cannot decide a share: {reason}"
            hint = "Make both policies alike in this, or remove `share` to only compare."
            yield Diagnostic("VSR588", message, candidate.span, hint)
