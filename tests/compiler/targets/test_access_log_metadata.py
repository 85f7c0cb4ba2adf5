"""`router.accessLogMetadata`: what the gateway and the router get."""

from __future__ import annotations

from support.common import SMALL, linked
from vsr_compiler.targets.common import extproc

ASKED = SMALL.replace("router: {", "router: {accessLogMetadata: true, ", 1)


def test_gateway_accepts_metadata_of_the_router_only_if_the_policy_wants_it() -> None:
    """Gateway accepts metadata of the router in one namespace, and only if the policy wants it."""
    assert ASKED != SMALL
    config = extproc.ext_proc_filter(linked(ASKED), "router")["typed_config"]
    assert config.pop("metadata_options") == {"receiving_namespaces": {"untyped": ["vsr"]}}
    assert config == extproc.ext_proc_filter(linked(SMALL), "router")["typed_config"]
