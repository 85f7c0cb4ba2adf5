"""Recall by rows of the table of references: each field with the name of a missing object is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest

import support.verify_support as m
from vsr_compiler.diagnostics import Severity
from vsr_compiler.verify.reference_table import POD_ROWS, ROWS, Form, Row
from vsr_compiler.verify.scopes import is_cluster_scoped

CASES = [(*key, row) for key, rows in ROWS.items() for row in rows] + [("", "Pod", row) for row in POD_ROWS]


_KINDS = {("ClusterRoleBinding", "roleRef"): "ClusterRole"}
"""Kinds of objects where the field itself does not tell, and a Service does not fit."""


def nested(path: str, value: object) -> dict[str, Any]:
    """An object with a value at a path of the table."""
    for part in reversed(path.split(".")):
        value = {part.removesuffix("[]"): [value] if part.endswith("[]") else value}
    assert isinstance(value, dict)
    return value


def stream(group: str, kind: str, row: Row) -> str:
    """An object with one reference to `web-apps`, and one of the kind of the reference with the name `web-app`."""
    target_kind, target_group = row.only or row.kind or _KINDS.get((kind, row.path), "Service"), row.group
    if not row.kind and target_group == "":
        target_group = "rbac.authorization.k8s.io" if target_kind == "ClusterRole" else ""
    name: object = "web-apps"
    if row.form is Form.HOST:
        name = "web-apps.shop.svc.cluster.local"
    if row.form is Form.OBJECT and row.path.split(".")[-1].removesuffix("[]") != row.name:
        name = {row.name: name}
        if not row.kind or row.only:
            name |= {"apiGroup" if "rbac" in group else "group": target_group, "kind": target_kind}
        if kind == "ClusterRoleBinding" and target_kind != "ClusterRole":
            name["namespace"] = "shop"
    elif row.form is not Form.OBJECT:
        name = {row.name: name} if row.name != "name" or row.form is Form.HOST else name
    path = f"spec.{row.path}" if kind == "Pod" else row.path
    metadata = {"name": "source"} | ({} if is_cluster_scoped(group, kind) else {"namespace": "shop"})
    source = {"apiVersion": f"{group}/v1" if group else "v1", "kind": kind, "metadata": metadata} | nested(path, name)
    place = {} if is_cluster_scoped(target_group, target_kind) else {"namespace": "shop"}
    target = {
        "apiVersion": f"{target_group}/v1" if target_group else "v1",
        "kind": target_kind,
        "metadata": {"name": "web-app", **place},
    }
    return m.joined(json.dumps(target) + "\n", json.dumps(source) + "\n")


@pytest.mark.parametrize(
    ("group", "kind", "row"), CASES, ids=[f"{kind} {row.path} {row.name}" for _, kind, row in CASES]
)
def test_reference_to_a_missing_object_is_reported(group: str, kind: str, row: Row) -> None:
    """Secrets are created elsewhere, so they only have a note."""
    found = [item for item in m.found(stream(group, kind, row)) if "web-apps" in item.message]
    assert found
    if row.kind != "Secret":
        assert any(item.level is not Severity.NOTE for item in found), found
