"""M01 to M04: rules about reading manifests, applied by ``files`` and ``stream``."""

from __future__ import annotations

from vsr_compiler.verify.rules.rule import Rule

RULES = (
    Rule(
        name="M01",
        code="VSR430",
        title="manifests beyond a limit",
        purpose="One run reads at most 32 MiB, a million values after aliases are expanded, 20,000 objects, 20,000 "
        "files and 100 levels of nesting.",
        why="A small file with nested aliases can expand to any size. The limits keep such files from using up memory "
        "and time.",
        example="""\
a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]  # and so on: 9 to the power of the number of lines
""",
        fix="Check the manifests in several runs, and remove nested aliases.",
    ),
    Rule(
        name="M02",
        code="VSR431",
        title="document that is not a Kubernetes object",
        purpose="Every document of a file that is named on the command line has apiVersion, kind and metadata.name.",
        why="An API server rejects the document. It may belong to another program, such as Helm values or a policy.",
        example="""\
kind: Service
metadata: {name: big}  # no apiVersion
""",
        fix="Add apiVersion, kind and metadata.name, or name a file with manifests. Check policies by "
        "`vsr-compile check`.",
    ),
    Rule(
        name="M03",
        code="VSR432",
        title="skipped document",
        purpose="YAML files in a folder that contain no Kubernetes objects are skipped, with a note.",
        why="A folder may contain other YAML files, such as Helm values. The note shows that they are not checked.",
        example="""\
# values.yaml in a folder of manifests
replicas: 2
""",
        fix="Nothing, if another program reads the file. Otherwise add apiVersion, kind and metadata.name.",
    ),
    Rule(
        name="M04",
        code="VSR433",
        title="kustomization that is not built",
        purpose="Of a kustomization, resource files, JSON patches in files and deletions are applied. Other patches, "
        "components, generators and remote resources are not.",
        why="The checked objects then differ from those that are applied.",
        example="""\
resources: [../base, https://example.com/crds.yaml]  # remote resources are not fetched
namePrefix: dev-                                     # not applied
""",
        fix="Check the output of kustomize: `kubectl kustomize FOLDER | vsr-compile verify -`.",
    ),
)
