"""M01 to M04: rules about reading manifests, applied by ``files`` and ``stream``."""

from __future__ import annotations

from vsr_compiler.verify.rules.rule import Rule

RULES = (
    Rule(
        name="M01",
        code="VSR430",
        purpose="One run reads at most 32 MiB, a million values after aliases are expanded, 20,000 objects, 20,000 "
        "files and 100 levels of nesting.",
    ),
    Rule(
        name="M02",
        code="VSR431",
        purpose="Every document of a file that is named on the command line has apiVersion, kind and metadata.name.",
    ),
    Rule(
        name="M03",
        code="VSR432",
        purpose="YAML files in a folder that contain no Kubernetes objects are skipped, with a note.",
    ),
    Rule(
        name="M04",
        code="VSR433",
        purpose="Of a kustomization, resource files, JSON patches in files and deletions are applied. Other patches, "
        "components, generators and remote resources are not.",
    ),
)
