"""The versions of the policy language, for those who must not pay for its models."""

from __future__ import annotations

VERSIONS = ("vsr.dev/v1alpha1",)
"""Values of ``apiVersion``, oldest first. The last one is today's."""
