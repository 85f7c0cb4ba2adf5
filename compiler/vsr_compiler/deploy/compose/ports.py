"""Ports of listeners inside of Envoy's container, in which no process may listen on the first 1,024."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.deploy.compose.facts import ADMIN_PORT, SHIFT, UNPRIVILEGED


def inner_ports(gateway: ir.Gateway) -> dict[int, int]:
    """Return the port inside of the container by that of each listener, in the order of the listeners.

    A low port is shifted, as is the one of Envoy's administration. A port that another one has by then gets the next
    free one.
    """
    ports = list(dict.fromkeys(listener.port for listener in gateway.listeners))
    kept = [port for port in ports if port >= UNPRIVILEGED and port != ADMIN_PORT]
    inner = {port: port for port in kept}
    taken = {*kept, ADMIN_PORT}
    for port in ports:
        if port not in inner:
            inner[port] = next(free for free in range(SHIFT + port, 1 << 16) if free not in taken)
            taken.add(inner[port])
    return {port: inner[port] for port in ports}
