"""A value of the policy stands in the cluster as it is written: no one on the way to it finds a reference in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from support.common import linked
from support.properties import examples
from vsr_compiler.deploy.argocd.applications import application, application_set
from vsr_compiler.manifests.expansion import escape_references, without_escapes
from vsr_compiler.pipeline import Compiled, compile_policy
from vsr_compiler.targets import TARGETS

VARIABLES = {"HF_TOKEN": "hf_secret", "VSR_CACHE_DIR": "/cache"}
POLICY = """
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: values}
router: {image: "vsr-runtime:0.1.0"}
endpoints:
  inside: {vllm: {args: ["--chat-template=$(HF_TOKEN)$$"]}}
  other: {vllm: {}}
models:
  first: {checkpoint: a/$(HF_TOKEN), endpoints: [inside]}
  "$(HF_TOKEN)": {checkpoint: a/b, endpoints: [other]}
default: first
environments: {one: {target: TARGET}, two: {target: TARGET, simulate: true}}
"""


def expand(text: str, variables: dict[str, str]) -> str:
    """What the kubelet makes of a text; after Expand of kubernetes, third_party/forked/golang/expansion."""
    out, at = "", 0
    while at < len(text):
        following = text[at + 1 : at + 2]
        if text[at] != "$" or not following:
            out, at = out + text[at], at + 1
        elif following == "$":
            out, at = out + "$", at + 2
        elif following == "(" and (end := text.find(")", at)) > 0:
            name = text[at + 2 : end]
            out, at = out + variables.get(name, f"$({name})"), end + 1
        elif following == "(":
            out, at = out + "$(", at + 2
        else:
            out, at = out + "$" + following, at + 2
    return out


@given(st.text(alphabet="$()aHF_TOKEN\n", max_size=12))
@examples(500)
def test_text_reaches_the_container_as_it_was(text: str) -> None:
    """Whatever it has of dollar signs and brackets."""
    assert expand(escape_references(text), VARIABLES) == text
    assert without_escapes(escape_references(text)) == text


@pytest.fixture(scope="module", params=sorted(TARGETS.keys() - {"attach"}))  # it writes no servers
def compiled(request: pytest.FixtureRequest) -> Compiled:
    """A policy full of names that look like references, for each target. The compile verifies its own output."""
    return compile_policy(linked(POLICY.replace("TARGET", request.param)), lambda _: None)


def words(compiled: Compiled) -> Iterator[str]:
    """Yield what the kubelet expands: of every container of the objects, and of the servers that a chart starts."""
    for objects in compiled.environments.values():
        for item in objects:
            pod = item.body.get("spec", {}).get("template", {}).get("spec", {}) if item.kind == "Deployment" else {}
            for container in (*pod.get("containers", ()), *pod.get("initContainers", ())):
                yield from (*container.get("command", ()), *container.get("args", ()))
                yield from (variable["value"] for variable in container.get("env", ()) if "value" in variable)
    for path, file in compiled.tree.items():
        if path.endswith("values-vllm-stack.yaml"):
            for spec in yaml.safe_load(file.content)["servingEngineSpec"]["modelSpec"]:
                yield from (spec["modelURL"], *spec["vllmConfig"]["extraArgs"])


def test_names_arrive_in_containers_as_they_are(compiled: Compiled) -> None:
    """A model `$(HF_TOKEN)` would be served under the token itself, which `GET /v1/models` shows."""
    expanded = [expand(word, VARIABLES) for word in words(compiled)]
    assert not [word for word in expanded if "hf_secret" in word]
    assert {"$(HF_TOKEN)", "--chat-template=$(HF_TOKEN)$$"} <= set(expanded)
    assert any("a/$(HF_TOKEN)" in word for word in expanded)


GITOPS = """
gitops:
  repo: "https://git.example.com/{{ .path.path }}{{{x}}"
  revision: '{{- .path.basename -}}'
  path: "a[b]*?"
  server: "https://{{.server}}"
"""


def test_value_of_gitops_is_no_template_of_an_applicationset() -> None:
    """Argo CD prints it as it is written; an Application, which is no template, has it as it is."""
    policy = linked(POLICY.replace("TARGET", "istio") + GITOPS)
    gitops = policy.gitops
    assert gitops is not None
    generator = application_set(policy, gitops, policy.environments).body["spec"]
    source = generator["template"]["spec"]["source"]
    plain = application(policy, gitops, policy.environments[0]).body["spec"]
    printed = re.compile(r'\{\{ "(\{\{)" \}\}')
    for field in ("repoURL", "targetRevision"):
        assert "{{" not in printed.sub("", source[field])
        assert printed.sub(r"\1", source[field]) == plain["source"][field]
    assert plain["source"]["repoURL"] == gitops.repo
    # Values of a list are no templates.
    element = generator["generators"][0]["list"]["elements"][0]
    assert (element["server"], element["path"]) == (gitops.server, plain["source"]["path"])
