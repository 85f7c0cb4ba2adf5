"""Codes about delivery: clusters, Flux and charts."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES = {
    "VSR369": Code(
        title="name of an environment that cannot be used",
        severity="error",
        stage=Stage.LINK,
        meaning="The name of an environment with that of its cluster is taken or too long, or a name of Flux is.",
        reason="The name is that of a folder, of objects of Argo CD and Flux, and the value of a label.",
        fix="Rename or shorten the environment, the cluster or the policy.",
        example=Example("""\
gitops:
  repo: https://git.example.com/team/routing.git
  clusters: {eu: {server: "https://eu.example.com"}}
environments:
  prod: {target: istio, clusters: {eu: {}}}
  prod-eu: {target: istio}
"""),
    ),
    "VSR370": Code(
        title="repository that cannot be read",
        severity="error",
        stage=Stage.DEPLOY,
        meaning="Flux does not know the form of the repository's address or revision, or an artifact's name has a tag.",
        reason="Its API server refuses the GitRepository, or Flux would read another branch.",
        fix="Use a URL with a scheme, and the name of a branch, tag or commit.",
        example=Example("""\
gitops: {repo: "https://git.example.com/team/routing.git", revision: HEAD, flux: {}}
environments:
  dev: {target: istio}
"""),
    ),
    "VSR371": Code(
        title="chart that cannot be installed",
        severity="error",
        stage=Stage.DEPLOY,
        meaning="`gitops.charts` names a chart that no target installs, or the output comes from an artifact.",
        reason="Argo CD and Flux would install nothing, or without the compiled values.",
        fix="Name a chart of the target, and read the output from a Git repository.",
        example=Example("""\
gitops: {repo: "https://git.example.com/team/routing.git", charts: [gateway-helm]}
environments:
  dev: {target: istio}
"""),
    ),
}
