"""The manifests of docs/how-to/find-names-and-addresses.md fit the compiled output."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from support import command
from support.common import ROOT

PAGE = (ROOT / "docs" / "how-to" / "find-names-and-addresses.md").read_text(encoding="utf-8")
FILES = {
    name: list(yaml.safe_load_all(body))
    for name, body in re.findall(r"file: (.*?) -->\n\n```yaml\n(.*?)```", PAGE, re.DOTALL)
}


def test_router_of_the_page_reaches_presidio_and_nobody_else_does(tmp_path: Path) -> None:
    """The pods that the NetworkPolicy of the page admits are the router's, on the port that the policy names."""
    [policy] = FILES["names.yaml"]
    (tmp_path / "names.yaml").write_text(yaml.safe_dump(policy), encoding="utf-8")
    result = command.run("compile", "names.yaml", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    base = tmp_path / "out" / "names" / "istio" / "base" / "vllm-semantic-router-system"
    [deployment] = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in base.glob("deployment-*.yaml")]
    [egress] = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in base.glob("networkpolicy-*egress.yaml")]
    objects = {one["kind"]: one for one in FILES["presidio/presidio.yaml"]}
    [rule] = objects["NetworkPolicy"]["spec"]["ingress"]
    [peer] = rule["from"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert peer["podSelector"]["matchLabels"].items() <= labels.items()
    names = peer["namespaceSelector"]["matchLabels"]
    assert names == {"kubernetes.io/metadata.name": deployment["metadata"]["namespace"]}
    service = objects["Service"]
    host, _, port = policy["classifiers"]["persons"]["server"]["service"].partition(":")
    assert host == f"{service['metadata']['name']}.{service['metadata']['namespace']}"
    assert [int(port)] == [one["port"] for one in service["spec"]["ports"]] == [one["port"] for one in rule["ports"]]
    assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "presidio"}}} in [
        place for one in egress["spec"]["egress"] for place in one.get("to", ())
    ]
