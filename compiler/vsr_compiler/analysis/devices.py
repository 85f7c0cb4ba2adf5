"""GPUs and volumes of the router, and the checkpoints that they are for."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """What GPUs, volumes and environments say, held against what reads them.

    VSR280 for a GPU that is missing, VSR281 for one that is idle, VSR282 for a claim that nothing reads; and of
    environments that name a device: VSR304 where the engine cannot, VSR290 where nothing is moved, VSR291 where the
    image was chosen for another device.
    """
    router = policy.router
    if policy.on_gpu and not router.gpus:
        hint = "Give the router `gpus: 1`, or the classifier `device: cpu`."
        yield Diagnostic("VSR280", "a classifier is for a GPU, and the router has none", router.span, hint)
    if router.gpus and not policy.on_gpu and all(each.device != "cuda" for each in policy.environments):
        hint = "Give a checkpoint `device: cuda`, or take `gpus` out."
        yield Diagnostic("VSR281", "no classifier uses the router's GPUs", router.span, hint)
    if router.weights is not None and not policy.checkpoints:
        hint = "Give a classifier a `checkpoint`, or take `weights` out."
        yield Diagnostic("VSR282", f"nothing is read from the claim `{router.weights}`", router.span, hint)
    for environment in policy.environments:
        yield from _environment(policy, environment)


def _environment(policy: ir.Policy, environment: ir.Environment) -> Iterator[Diagnostic]:
    name, device, span = environment.name, environment.device, environment.span
    if device is None:
        return
    if policy.router.stock:
        if device == "cuda":
            message = f"`{name}` sets `device: cuda`, and the engine's image of this release runs on the CPU"
            yield Diagnostic("VSR304", message, span, "Remove `device`, or use the engine vsr-runtime.")
    elif not policy.checkpoints:
        message = f"`{name}` sets `device`, and no classifier that is used is a checkpoint"
        yield Diagnostic("VSR290", message, span, "Take `device` out: compiled heads run on the CPU.")
    elif device == "cuda" and not policy.on_gpu and "router" not in environment.images:
        message = f"`{name}` computes on GPUs with the image that the policy names for the CPU"
        hint = "Give it `images: {router: …}` with torch for CUDA, unless the policy's image has that."
        yield Diagnostic("VSR291", message, span, hint)
