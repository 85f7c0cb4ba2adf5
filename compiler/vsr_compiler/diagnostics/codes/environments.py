"""Codes about environments and what Argo CD deploys."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES = {
    "VSR301": Code(
        title="missing repository for Argo CD",
        severity="warning",
        stage=Stage.DEPLOY,
        meaning="The policy has environments and no `gitops.repo`, so the Argo CD Applications contain a placeholder.",
        reason="Argo CD cannot synchronise an Application without its repository.",
        fix="Add `gitops` with the repository that holds the output.",
        example=Example("""\
environments:
  dev: {target: istio}
"""),
    ),
    "VSR302": Code(
        title="path outside the repository",
        severity="error",
        stage=Stage.DEPLOY,
        meaning="`gitops.path` leads outside the repository.",
        reason="Argo CD reads files inside the repository only.",
        fix="Name the folder of the repository that holds `out/`.",
        example=Example("""\
gitops: {repo: "https://git.example.com/team/routing.git", path: ../out}
environments:
  dev: {target: istio}
"""),
    ),
    "VSR303": Code(
        title="environments with the same objects",
        severity="warning",
        stage=Stage.DEPLOY,
        meaning="Several environments of one cluster create objects with the same kind, namespace and name.",
        reason=(
            "Their Applications would overwrite each other's objects, so neither the kustomization of `argocd/` nor "
            "the ApplicationSet contains them."
        ),
        fix="Give each environment a `server` of its own, or apply the Application of one of them.",
        example=Example("""\
gitops: {repo: "https://git.example.com/team/routing.git"}
environments:
  dev: {target: istio}
  prod: {target: istio}
"""),
    ),
    "VSR304": Code(
        title="unsupported environment setting",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="An environment sets something that its router implementation cannot do.",
        reason="The setting would have no effect.",
        fix="Remove the setting, or use `engine: vsr-runtime`.",
        example=Example("""\
router: {engine: semantic-router}
environments:
  dev: {target: istio, device: cuda}
"""),
    ),
}
