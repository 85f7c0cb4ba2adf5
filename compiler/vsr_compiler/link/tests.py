"""Tests of the policy: what they name is resolved like everything else."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_compiler import ir
from vsr_compiler.link.scope import Scope
from vsr_schemas.policy import v1alpha1 as schema

DEFAULT_ROUTE = "default"


def link_tests(
    scope: Scope,
    policy: schema.PolicySpec,
    models: Mapping[str, ir.Model],
    categories: Mapping[str, ir.Category],
    guards: Mapping[str, ir.Guard],
) -> tuple[ir.Test, ...]:
    """All tests in file order."""
    routes = dict.fromkeys((*(route.name for route in policy.routes), DEFAULT_ROUTE))
    tests = []
    for index, spec in enumerate(policy.tests):
        path = ("tests", index)
        expect = spec.expect
        expected = None
        if spec.model is not None and spec.model not in policy.router.auto_models:
            scope.resolve(models, spec.model, "model", (*path, "model"))
        if expect.model is not None:
            expected = scope.resolve(models, expect.model, "model", (*path, "expect", "model"))
        if expect.route is not None and expect.route not in routes:
            scope.resolve(routes, expect.route, "route", (*path, "expect", "route"))
        if expect.category is not None:
            scope.resolve(categories, expect.category, "category", (*path, "expect", "category"))
        found = [
            scope.resolve(guards, name, "guard", (*path, "expect", "guards", number))
            for number, name in enumerate(expect.guards or ())
        ]
        held = None if expect.guards is None else tuple(guard for guard in found if guard is not None)
        model = spec.model or policy.router.auto_models[0]
        tests.append(ir.Test(spec.prompt, model, expect.category, expect.route, expected, scope.span(*path), held))
    return tuple(tests)
