"""Examples in the documentation: YAML blocks that are policies compile, all others are valid YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from support.common import ROOT, call
from support.policy_reference import SCHEMA

OWN_TESTS = {"docs/how-to/add-a-target.md", "docs/reference/codes.md", "docs/reference/verify-rules.md"}
"""Pages with examples of errors, or for a target that only the page's own test registers."""
PAGES = sorted({"README.md", *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))} - OWN_TESTS)
_BLOCK = re.compile(r"^(?P<indent> *)```yaml\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
BASE = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: example}
router: {image: "vsr-runtime:0.1.0"}
endpoints:
  llama-8b: {vllm: {}}
  llama-spare: {service: "spare:8000"}
  phi4-mini: {service: "phi4:8000"}
  cloud: {external: {url: "https://api.example.com/v1"}}
models:
  llama3-8b: {checkpoint: meta-llama/Llama-3.1-8B-Instruct, endpoints: llama-8b}
  phi4-mini: {endpoints: phi4-mini}
  cloud: {endpoints: cloud}
classifiers:
  pii-detector:
    task: pii
    checkpoint: {repo: example/pii, revision: 0123456789abcdef0123456789abcdef01234567}
  jailbreak-detector:
    task: jailbreak
    checkpoint: {repo: example/jailbreak, revision: 0123456789abcdef0123456789abcdef01234567}
categories:
  math: {description: Numbers, examples: ["2+2 is", "Solve x^2 = 9.", "Is 91 prime?", "What is 15% of 240?"]}
  physics: {description: Forces, examples: [inertia, a photon, the spin of an electron, gravity on the moon]}
signals:
  urgent: {keywords: [urgent]}
default: llama3-8b
"""
"""What an excerpt may refer to. Sections merge by name; lists of an excerpt replace the ones here."""


def blocks(page: str) -> Iterator[str]:
    """The YAML blocks of a page, without their indentation."""
    for match in _BLOCK.finditer((ROOT / page).read_text(encoding="utf-8")):
        yield re.sub(rf"^{match['indent']}", "", match["body"], flags=re.MULTILINE)


def is_policy(text: str) -> bool:
    """Whether a block is a policy or an excerpt of one, by its keys."""
    keys = set(re.findall(r"^(\w+):", text, re.MULTILINE))
    whole = re.search(r"^apiVersion: ", text, re.MULTILINE)
    return "kind: RoutingPolicy" in text if whole else bool(keys) and keys <= set(SCHEMA["properties"])


def section_texts(text: str) -> dict[str, str]:
    """The text of each top-level section, with its key."""
    parts = re.split(r"^(?=\w+:)", text, flags=re.MULTILINE)
    return {part.split(":", 1)[0]: part for part in parts if re.match(r"\w+:", part)}


def entries(section: str) -> dict[str, str]:
    """The named entries of a section in block style."""
    body = section.split("\n", 1)[1]
    return {part.split(":", 1)[0].strip(): part for part in re.split(r"^(?=  \S)", body, flags=re.MULTILINE) if part}


def completed(excerpt: str) -> str:
    """A whole policy that contains an excerpt: text is merged, so that plain scalars stay what they are."""
    base, own = section_texts(BASE), section_texts(excerpt)
    for name, text in own.items():
        mergeable = name in base and base[name].startswith(f"{name}:\n") and text.startswith(f"{name}:\n")
        merged = entries(base[name]) | entries(text) if mergeable else {}
        base[name] = f"{name}:\n{''.join(merged.values())}" if mergeable else text
    if "router" in own and "image:" not in own["router"]:
        base["router"] += '  image: "vsr-runtime:0.1.0"\n'
    if "engine: semantic-router" in excerpt:
        del base["classifiers"]  # that engine loads the checkpoints of its own registry only
    return "".join(base.values())


POLICIES = [(page, block) for page in PAGES for block in blocks(page) if is_policy(block)]


@pytest.mark.parametrize(("page", "block"), POLICIES, ids=[f"{page}-{n}" for n, (page, _) in enumerate(POLICIES)])
def test_a_policy_of_the_documentation_has_no_error(page: str, block: str, tmp_path: Path) -> None:
    """Excerpts are completed with the names that they use. `check` proves assertions as well."""
    path = tmp_path / "example.yaml"
    path.write_text(block if "apiVersion:" in block else completed(block), encoding="utf-8")
    for file in re.findall(r"\{file: ([^,]+),", block):
        fragment = tmp_path / file
        fragment.parent.mkdir(exist_ok=True)
        fragment.write_text("apiVersion: vsr.dev/v1alpha1\nkind: RoutingPolicyFragment\n", encoding="utf-8")
    for file in re.findall(r"candidate: \{policy: ([^,}]+)", block):
        candidate = tmp_path / file
        candidate.parent.mkdir(exist_ok=True)
        candidate.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    result = call("check", path)
    assert result.exit_code == 0, f"{page}: {result.stderr}"


def test_the_pages_have_policies() -> None:
    """The test above must not pass for lack of examples."""
    assert len(POLICIES) > 30


def is_manifest(document: object) -> bool:
    """Whether a document is an object of a cluster, which a policy and a kustomization are not."""
    return (
        isinstance(document, dict)
        and {"apiVersion", "kind"} <= document.keys()
        and not document["apiVersion"].startswith(("vsr.dev/", "kustomize.config.k8s.io/"))
    )


def manifests(page: str) -> list[dict[str, Any]]:
    """The objects of clusters on a page."""
    documents = (one for block in blocks(page) for one in YAML(typ="safe").load_all(block))
    return [one for one in documents if is_manifest(one)]


MANIFESTS = {page: found for page in PAGES if (found := manifests(page))}


def verified(objects: list[dict[str, Any]], folder: Path) -> tuple[int, str]:
    """The exit code and the findings of `verify` for some objects."""
    path = folder / "objects.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump_all(objects, file)
    result = call("verify", path, "--no-envoy")
    return result.exit_code, result.output


@pytest.mark.parametrize("page", MANIFESTS)
def test_a_manifest_of_the_documentation_fits_its_schema(page: str, tmp_path: Path) -> None:
    """`verify` knows the definition of each kind, and finds no error."""
    code, output = verified(MANIFESTS[page], tmp_path)
    assert code == 0, f"{page}: {output}"
    assert "VSR440" not in output, f"{page}: {output}"


def test_a_manifest_with_a_misspelt_field_is_found(tmp_path: Path) -> None:
    """Of each kind of the access logs, so that the test above can fail."""
    wrong = {
        "EnvoyProxy": ("telemetry", "telemetri"),
        "Telemetry": ("accessLogging", "accessLog"),
        "AgentgatewayPolicy": ("frontend", "fronted"),
    }
    objects = {item["kind"]: item for item in MANIFESTS["docs/reference/metrics.md"]}
    assert wrong.keys() <= objects.keys()
    for kind, (old, new) in wrong.items():
        spec = {new if key == old else key: value for key, value in objects[kind]["spec"].items()}
        code, output = verified([objects[kind] | {"spec": spec}], tmp_path)
        assert (code, f"spec.{new}" in output) == (1, True), output


def test_access_logs_print_fields_that_the_router_sends() -> None:
    """Every field in the examples is one of the table above them."""
    page = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    section = page.partition("## Access logs")[2].partition("\n## ")[0]
    table = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", section, re.MULTILINE))))
    used = set(re.findall(r"(?:DYNAMIC_METADATA\(vsr:|extproc\.vsr\.)(\w+)", section))
    assert len(used) > 3
    assert used <= table


@pytest.mark.parametrize("page", PAGES)
def test_every_yaml_block_is_valid(page: str) -> None:
    """Manifests, pipelines and other examples parse."""
    documents: list[Any] = [one for block in blocks(page) for one in YAML(typ="safe").load_all(block)]
    assert None not in documents
