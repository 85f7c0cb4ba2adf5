"""Descriptions of the fields of ``rollout``, for ``descriptions``."""

from __future__ import annotations

_OF: dict[str, dict[str, str]] = {
    "": {
        "controller": "The controller on the cluster. `argo-rollouts` replaces the router's Deployment by a Rollout. "
        "`flagger` is refused, since it cannot divide the router's requests (VSR594).",
        "steps": "Shares of new pods, in rising order. After the last one, new pods replace all old ones.",
        "analysis": "What is measured at the end of each step. Without it, the steps only wait (VSR619).",
    },
    ".steps[]": {
        "weight": "Percent of the replicas that are new. It must be at least one pod (VSR592).",
        "pause": "How long the step lasts; with `analysis` two minutes or more, whose requests are judged.",
    },
    ".analysis": {
        "prometheus": "URL of the Prometheus that scrapes the router, as the controller reaches it.",
        "minRequests": "Requests to new pods in a step. With fewer, the rollout is paused until somebody decides.",
        "errors": "Share of requests answered with an error other than a guard's, above that of the old pods.",
        "shed": "Share of requests refused because of load.",
        "guardHits": "How far the number of guard matches per request may be from that of the old pods, up or down.",
        "latency": "Time within which 95 % of the decisions are made. Without it, latency is not judged.",
    },
}
DESCRIPTIONS: dict[str, dict[str, str]] = {
    f"{place}.rollout{key}": texts for place in ("router", "environments.*") for key, texts in _OF.items()
}
