"""The local sandbox: the real Envoy, the runtime, and stand-in backends, all on loopback."""

from vsr_runtime.sandbox.sandbox import Sandbox

__all__ = ["Sandbox"]
