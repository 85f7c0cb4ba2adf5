"""The local stand: the real Envoy, the runtime, and stand-in backends, all on loopback."""

from runtime.local.stand import LocalStand

__all__ = ["LocalStand"]
