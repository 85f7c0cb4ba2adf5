"""M01 to M11: rules about reading manifests and reporting findings, applied by other modules than the link rules."""

from __future__ import annotations

from vsr_compiler.verify.rules.rule import Rule

RULES = (
    Rule(
        name="M01",
        code="VSR430",
        purpose="One run reads at most 32 MiB, five million values after aliases are expanded, 20,000 objects, 20,000 "
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
    Rule(
        name="M05",
        code="VSR480",
        purpose="Manifests contain no placeholders of templates: `{{ }}`, `${NAME}` or `<PLACEHOLDER>`. A file with "
        "some gets one note. Findings that depend on a placeholder are left out; the rest is checked.",
    ),
    Rule(
        name="M11",
        code="VSR486",
        purpose="Of each rule, 50 findings are shown as text and 1,000 in the other formats, errors first; "
        "`--all-findings` shows all. A rule stops after 10,000.",
    ),
)
