"""Argo CD's view, simulated: what the API server fills in changes none of our objects, so all is in sync."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from support import api_defaults, crds
from support.common import reference
from support.gitops_support import DEV, ELSEWHERE, PROD, compiled, with_environments
from vsr_compiler import ir, targets
from vsr_compiler.manifests.objects import Object

SIMULATED = replace(DEV, name="simulated", simulate=True)


@cache
def schemas() -> dict[tuple[str, str], crds.Schema]:
    """Return the schemas of the current releases."""
    return crds.profile(reference(), *crds.folders(targets.profiles()["current"]))


def live(item: Object, schemas: dict[tuple[str, str], crds.Schema]) -> dict[str, object]:
    """The object as the cluster would show it after an apply: core kinds by the table, custom ones by their CRD."""
    schema = schemas.get((item.body["apiVersion"], item.kind))
    return api_defaults.defaulted(item.body) if schema is None else crds.defaulted(schema, item.body)


@pytest.mark.parametrize("target", targets.TARGETS)
@pytest.mark.parametrize("environment", [DEV, PROD, ELSEWHERE, SIMULATED], ids=lambda environment: environment.name)
def test_nothing_is_out_of_sync_after_it_was_applied(environment: ir.Environment, target: str) -> None:
    """Desired is live, for each object of an environment; a kind without a table fails here."""
    policy = with_environments(replace(environment, target=target))
    found = compiled(policy).environments[environment.name]
    assert len(found) >= 10
    for item in found:
        assert live(item, schemas()) == item.body, item.identity


def test_the_simulation_would_notice_a_default_left_out() -> None:
    """The table fills in what is missing, so that the test above can fail."""
    found = {item.kind: item.body for item in compiled(with_environments(DEV)).environments["dev"]}
    service, deployment = dict(found["Service"]), dict(found["Deployment"])
    service["spec"] = {key: value for key, value in service["spec"].items() if key != "sessionAffinity"}
    assert api_defaults.defaulted(service)["spec"]["sessionAffinity"] == "None"
    deployment["spec"] = {key: value for key, value in deployment["spec"].items() if key != "revisionHistoryLimit"}
    assert api_defaults.defaulted(deployment) != deployment
