"""Services in front of pods that exist already: the policy names the pods, the compiler writes the Service."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Object, make
from vsr_compiler.targets.common.pods import selector, service_port, service_spec


def emit(policy: ir.Policy) -> Iterator[Object]:
    """A Service for each endpoint that is told by its pods' labels."""
    for endpoint in policy.endpoints:
        if endpoint.pods is not None:
            service = endpoint.service
            port = service_port("http", service.port, endpoint.pods.port, "http")
            yield make(
                "v1",
                "Service",
                service.name,
                endpoint.span,
                namespace=service.namespace,
                labels=selector(service.name),
                spec=service_spec(dict(endpoint.pods.labels), [port]),
            )
