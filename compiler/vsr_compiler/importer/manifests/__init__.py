"""Kubernetes manifests of gateways and model servers, beside the configuration of a router or alone.

What routes, pools, backends and servers say about where a model runs goes to the endpoints of the policy.
Contradictions between them and the router's configuration are findings at both places.
"""

from vsr_compiler.importer.manifests.family import FAMILY

__all__ = ["FAMILY"]
