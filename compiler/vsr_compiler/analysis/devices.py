"""Rules for the router's GPUs and volumes, and for the checkpoints that use them."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """Compare GPUs, volumes and devices of environments with the classifiers that use them.

    VSR280: a GPU is missing. VSR281: GPUs are idle. VSR586: GPUs of which one is used.
    VSR282: nothing reads the claim. For environments that set
    ``device``: VSR304, the router implementation does not support it; VSR290, no classifier moves; VSR291, the image is
    for another device.
    """
    router = policy.router
    if policy.on_gpu and not router.gpus:
        hint = "Set `router.gpus: 1`, or `device: cpu` for the classifier."
        yield Diagnostic("VSR280", "a classifier needs a GPU, and the router has none", router.span, hint)
    if router.gpus and not policy.on_gpu and all(environment.device != "cuda" for environment in policy.places):
        hint = "Set `device: cuda` for a checkpoint, or remove `gpus`."
        yield Diagnostic("VSR281", "no classifier uses the router's GPUs", router.span, hint)
    if router.gpus > 1:
        hint = "Set `gpus: 1`, and more `replicas`: each has an engine of its own."
        message = f"the router's engine computes on one GPU, and `gpus` is {router.gpus}"
        yield Diagnostic("VSR586", message, router.span, hint)
    if router.weights is not None and not policy.fetched:
        hint = "Set `checkpoint` for a classifier, or remove `weights`."
        yield Diagnostic("VSR282", f"no classifier reads the claim `{router.weights}`", router.span, hint)
    for environment in policy.places:
        yield from _environment(policy, environment)


def _environment(policy: ir.Policy, environment: ir.Environment) -> Iterator[Diagnostic]:
    name, device, span = environment.name, environment.device, environment.span
    if device is None:
        return
    if isinstance(policy.router.implementation, ir.SemanticRouter):
        if device == "cuda":
            message = f"environment `{name}` sets `device: cuda`, but the image of semantic-router runs on the CPU"
            yield Diagnostic("VSR304", message, span, "Remove `device`, or use `engine: vsr-runtime`.")
    elif not policy.checkpoints:
        message = f"environment `{name}` sets `device`, but no classifier in use has a checkpoint"
        yield Diagnostic("VSR290", message, span, "Remove `device`: compiled heads run on the CPU.")
    elif device == "cuda" and not policy.on_gpu and "router" not in environment.images:
        message = f"environment `{name}` uses GPUs with the image that the policy uses on the CPU"
        hint = "Set `images: {router: …}` to an image with torch for CUDA, unless the policy's image has it."
        yield Diagnostic("VSR291", message, span, hint)
