"""M01 to M11: rules about reading manifests and reporting findings, applied by other modules than the link rules."""

from __future__ import annotations

from vsr_compiler.verify.rules.rule import Rule

RULES = (
    Rule(
        name="M01",
        code="VSR430",
        purpose="One run reads at most 128 MiB, five million values after aliases are expanded, 20,000 objects, 20,000 "
        "files, 100 levels of nesting, 200,000 entries of folders and 500 sets of examples. A limit is reported once.",
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
        purpose="Kustomizations are built as kustomize does it, and findings point into the files of the objects. "
        "Remote resources are not fetched and charts not rendered. What the built-in builder lacks is built by "
        "`kustomize` or `kubectl kustomize` if one is installed: at most 30 s, without plugins and network.",
    ),
    Rule(
        name="M05",
        code="VSR480",
        purpose="Manifests contain no placeholders of templates: `{{ }}`, `${NAME}` or `<PLACEHOLDER>`. A file with "
        "some gets one note. Findings that depend on a placeholder are left out; the rest is checked.",
    ),
    Rule(
        name="M06",
        code="VSR481",
        purpose="In a folder, every file is part of a kustomization, or checked by itself. Helm charts are named, and "
        "files that look like patches which no kustomization applies.",
    ),
    Rule(
        name="M07",
        code="VSR482",
        purpose="A kustomization can be built: it does not include itself, reads no file outside its folder, and each "
        "patch, replacement and number of replicas has an object.",
    ),
    Rule(
        name="M08",
        code="VSR483",
        purpose="`.vsr-verify.yaml`, in the folder of the manifests or above it in the repository, has only known "
        "settings.",
    ),
    Rule(
        name="M09",
        code="VSR484",
        purpose="Each ignore, in the settings or as a comment `# vsr-verify: ignore L16 REASON` at a line or above it, "
        "matches a finding, has a reason and has not expired.",
    ),
    Rule(
        name="M10",
        code="VSR485",
        purpose="The file of `--baseline` was written by `--write-baseline`.",
    ),
    Rule(
        name="M11",
        code="VSR486",
        purpose="Of each rule, 50 findings are shown as text and 1,000 in the other formats, errors first; "
        "`--all-findings` shows all. A rule stops after 10,000.",
    ),
)
