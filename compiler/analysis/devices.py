"""GPUs and volumes of the router, and the checkpoints that they are for."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.diagnostics import Diagnostic
from compiler.features.router_models import checkpoints, on_gpu
from compiler.link import ir


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR280 for a GPU that is missing, VSR281 for one that is idle, VSR282 for a claim that nothing reads."""
    router = policy.router
    if on_gpu(policy) and not router.gpus:
        hint = "Give the router `gpus: 1`, or the classifier `device: cpu`."
        yield Diagnostic("VSR280", "a classifier is for a GPU, and the router has none", router.span, hint)
    if router.gpus and not on_gpu(policy):
        hint = "Give a checkpoint `device: cuda`, or take `gpus` out."
        yield Diagnostic("VSR281", "no classifier uses the router's GPUs", router.span, hint)
    if router.weights is not None and not checkpoints(policy):
        hint = "Give a classifier a `checkpoint`, or take `weights` out."
        yield Diagnostic("VSR282", f"nothing is read from the claim `{router.weights}`", router.span, hint)
