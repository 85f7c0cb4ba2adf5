"""The local stand: the real Envoy, the runtime, and stand-in backends, all on loopback."""

from vsr_runtime.sandbox.sandbox import LocalStand

__all__ = ["LocalStand"]
