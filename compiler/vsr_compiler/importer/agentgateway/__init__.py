"""agentgateway: its own configuration file, and the models and guards of its Kubernetes objects.

Field names are those of agentgateway's `schema/config.json` and of its CRDs, read on 2026-12-02.
"""

from vsr_compiler.importer.agentgateway.family import FAMILY

__all__ = ["FAMILY"]
