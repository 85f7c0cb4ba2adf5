"""Every policy of the repository as its config of the stock router, at a release, as far as that engine can do it.

``python tests/support/stock_configs.py RELEASE FOLDER`` writes them for the validator of the release.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from support.cases import GOLDEN, POLICIES, policy_file
from support.common import linked
from vsr_compiler import ir
from vsr_compiler.analysis import stock_router
from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.routerconfig.semantic_router import stock_body


def at(policy: ir.Policy, release: str) -> ir.Policy:
    """The policy with the stock router of a release as its engine."""
    router = replace(policy.router, implementation=ir.SemanticRouter(unguarded=True))
    return replace(policy, router=router, versions={**policy.versions, "semantic-router": release})


def refusals(policy: ir.Policy) -> list[Diagnostic]:
    """Why the stock router cannot execute a policy."""
    return [item for item in stock_router.check(policy) if item.level is Severity.ERROR]


def configs(release: str) -> Iterator[tuple[str, str]]:
    """The name and the config of every policy that the release can execute, as JSON, which is YAML."""
    for case in (*GOLDEN, *POLICIES):
        policy = at(linked(policy_file(case).read_text(encoding="utf-8"), case), release)
        if not refusals(policy):
            yield case.replace("/", "-"), json.dumps(stock_body(policy))


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in configs(sys.argv[1]):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
