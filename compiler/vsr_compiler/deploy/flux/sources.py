"""Sources of Flux: the Git repository, or the artifact of ``vsr-compile package`` in a registry.

Source: source-controller 1.9.1, `docs/spec/v1/gitrepositories.md` and `ocirepositories.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Body, Object, make

API = "source.toolkit.fluxcd.io/v1"
_SCP = re.compile(r"(?P<user>[A-Za-z0-9._-]+)@(?P<host>[A-Za-z0-9.-]+):(?P<path>[^/:\s][^:\s]*)")
"""The short form of an SSH address, which git and Argo CD accept and Flux does not."""
_URL = re.compile(r"(https?|ssh)://\S+")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_VERSION = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def source(name: str, gitops: ir.GitOps, flux: ir.Flux, origin: ir.Span, interval: str) -> Object:
    """Return the source of an environment."""
    kind = "OCIRepository" if gitops.is_artifact else "GitRepository"
    ref = _artifact_ref(gitops.revision) if gitops.is_artifact else _git_ref(gitops.revision)
    spec: Body = {"interval": interval, "url": _url(gitops.repo), "ref": ref, "timeout": "60s"}
    if flux.secret:
        spec["secretRef"] = {"name": flux.secret}
    if gitops.is_artifact:
        spec["provider"] = "generic"
    return make(API, kind, name, origin, namespace=flux.namespace, spec=spec)


def check(gitops: ir.GitOps) -> Iterator[Diagnostic]:
    """VSR370 for a repository or a revision that Flux cannot read."""
    if not gitops.is_artifact and not _URL.fullmatch(_url(gitops.repo)):
        message = f"Flux cannot read the repository `{gitops.repo}`"
        yield Diagnostic("VSR370", message, gitops.span, "Use a URL with `https://`, `http://` or `ssh://`.")
    if gitops.revision == "HEAD":
        message = "Flux knows no revision `HEAD`: without a name it takes the branch `master`"
        yield Diagnostic("VSR370", message, gitops.span, "Name the branch, such as `revision: main`.")


def _url(repo: str) -> str:
    match = _SCP.fullmatch(repo)
    return repo if match is None else f"ssh://{match['user']}@{match['host']}/{match['path']}"


def _git_ref(revision: str) -> Body:
    """Return what a revision means: a commit, a full reference, a version (a tag), or else a branch."""
    if _COMMIT.fullmatch(revision):
        return {"commit": revision}
    if revision.startswith("refs/"):
        return {"name": revision}
    return {"tag" if _VERSION.fullmatch(revision) else "branch": revision}


def _artifact_ref(revision: str) -> Body:
    return {"digest" if _DIGEST.fullmatch(revision) else "tag": revision}
