"""Deployments, stateful sets, daemon sets, jobs and their schedules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vsr_compiler.verify.manifest import Body, Path, as_mapping, as_mappings, as_string, value_at
from vsr_compiler.verify.schema.metadata import label_problems
from vsr_compiler.verify.schema.validation import cron
from vsr_compiler.verify.schema.validation.faults import (
    Fault,
    Rule,
    amount_or_percent,
    at_least,
    integer,
    is_zero,
    selector,
)
from vsr_compiler.verify.schema.validation.pods import pod
from vsr_compiler.verify.schema.validation.volumes import claim


def _template(body: Body, path: Path, policies: tuple[str, ...]) -> Iterator[Fault]:
    """Check a template of pods, whose restart policy must be one of some; Always is the default."""
    spec = as_mapping(value_at(body, *path, "spec"))
    policy = as_string(spec.get("restartPolicy"))
    if (policy or "Always") not in policies and (spec or path):
        at = (*path, "spec", "restartPolicy") if policy else (*path, "spec")
        message = f"restartPolicy is `{policy}`" if policy else "restartPolicy is `Always` by default"
        yield at, message, f"Set `restartPolicy` to {' or '.join(policies)}."
    yield from pod(spec, (*path, "spec"))


def _matching(spec: Body, kind: str) -> Iterator[Fault]:
    chosen = spec.get("selector")
    yield from selector(chosen, ("spec", "selector"))
    wanted = as_mapping(as_mapping(chosen).get("matchLabels"))
    if isinstance(chosen, dict) and not wanted and not chosen.get("matchExpressions"):
        yield ("spec", "selector"), f"is empty, which is invalid for a {kind}", "Add `matchLabels`."
    labels = as_mapping(value_at(spec, "template", "metadata", "labels"))
    missing = [key for key, value in wanted.items() if labels.get(key) != value]
    for expression in as_mappings(as_mapping(chosen).get("matchExpressions")):
        key, values = as_string(expression.get("key")), expression.get("values")
        known = values if isinstance(values, list) else []
        operator = expression.get("operator")
        fails = {
            "In": labels.get(key) not in known,
            "NotIn": key in labels and labels[key] in known,
            "Exists": key not in labels,
            "DoesNotExist": key in labels,
        }
        if isinstance(operator, str) and fails.get(operator, False):
            missing.append(key)
    if missing and "template" in spec:
        listed = ", ".join(f"`{key[:80]}`" for key in missing[:5])
        hint = "Give the template the labels of the selector."
        yield ("spec", "selector"), f"does not match the labels of the template: {listed}", hint


def _deployment(body: Body) -> Iterator[Fault]:
    spec = as_mapping(body.get("spec"))
    yield from at_least(spec, ("spec",), 0, "replicas", "minReadySeconds", "revisionHistoryLimit")
    deadline, ready = integer(spec.get("progressDeadlineSeconds")), integer(spec.get("minReadySeconds")) or 0
    if (600 if deadline is None else deadline) <= ready:
        at = ("spec", "minReadySeconds" if deadline is None else "progressDeadlineSeconds")
        yield at, f"progressDeadlineSeconds must be more than minReadySeconds, {ready}", "Raise the deadline."
    yield from _strategy(as_mapping(spec.get("strategy")), ("spec", "strategy"), surge=True)
    yield from _matching(spec, "Deployment")
    yield from _template(body, ("spec", "template"), ("Always",))


def _strategy(strategy: Body, path: Path, *, surge: bool) -> Iterator[Fault]:
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") == "Recreate" and rolling is not None:
        yield (*path, "rollingUpdate"), "is not allowed with the type Recreate", "Remove it, or use RollingUpdate."
    if not isinstance(rolling, dict):
        return
    at = (*path, "rollingUpdate")
    yield from amount_or_percent(rolling, at, "maxUnavailable", "maxSurge")
    if surge and is_zero(rolling.get("maxUnavailable")) and is_zero(rolling.get("maxSurge")):
        yield at, "maxUnavailable and maxSurge are both 0, so that no pod can be replaced", "Raise one of them."


def _replica_set(body: Body) -> Iterator[Fault]:
    spec = as_mapping(body.get("spec"))
    yield from at_least(spec, ("spec",), 0, "replicas", "minReadySeconds")
    yield from _matching(spec, "ReplicaSet")
    if "template" in spec:
        yield from _template(body, ("spec", "template"), ("Always",))


def _stateful_set(body: Body) -> Iterator[Fault]:
    spec = as_mapping(body.get("spec"))
    yield from at_least(spec, ("spec",), 0, "replicas", "minReadySeconds", "revisionHistoryLimit")
    strategy = as_mapping(spec.get("updateStrategy"))
    if strategy.get("type") == "OnDelete" and strategy.get("rollingUpdate") is not None:
        place = ("spec", "updateStrategy", "rollingUpdate")
        yield place, "is not allowed with the type OnDelete", "Remove it, or use RollingUpdate."
    partition = as_mapping(strategy.get("rollingUpdate"))
    yield from at_least(partition, ("spec", "updateStrategy", "rollingUpdate"), 0, "partition")
    for number, template in enumerate(as_mappings(spec.get("volumeClaimTemplates"))):
        at: Path = ("spec", "volumeClaimTemplates", number)
        if not as_mapping(template.get("metadata")).get("name"):
            yield at, "has no name, so no pod can be created", "Set `metadata.name`."
        # The API server takes the set, and refuses the claims that its controller makes from it.
        for path, message, hint in claim(as_mapping(template.get("spec")), (*at, "spec")):
            yield path, f"{message}, so no pod can be created", hint
    yield from _matching(spec, "StatefulSet")
    yield from _template(body, ("spec", "template"), ("Always",))


def _daemon_set(body: Body) -> Iterator[Fault]:
    spec = as_mapping(body.get("spec"))
    yield from at_least(spec, ("spec",), 0, "minReadySeconds", "revisionHistoryLimit")
    yield from _strategy(as_mapping(spec.get("updateStrategy")), ("spec", "updateStrategy"), surge=False)
    yield from _matching(spec, "DaemonSet")
    yield from _template(body, ("spec", "template"), ("Always",))


def _job_spec(body: Body, path: Path) -> Iterator[Fault]:
    spec = as_mapping(value_at(body, *path))
    fields = ("parallelism", "completions", "backoffLimit", "ttlSecondsAfterFinished", "activeDeadlineSeconds")
    yield from at_least(spec, path, 0, *fields)
    if spec.get("completionMode") == "Indexed" and spec.get("completions") is None:
        yield (*path, "completionMode"), "`Indexed` needs `completions`", "Set `completions`."
    if spec.get("selector") is not None and spec.get("manualSelector") is not True:
        yield (*path, "selector"), "is set by Kubernetes, unless manualSelector is true", "Remove it."
    yield from _template(body, (*path, "template"), ("OnFailure", "Never"))


def _job(body: Body) -> Iterator[Fault]:
    yield from _job_spec(body, ("spec",))


def _cron_job(body: Body) -> Iterator[Fault]:
    spec = as_mapping(body.get("spec"))
    schedule = spec.get("schedule")
    if isinstance(schedule, str):
        reason = cron.fault(schedule)
        if reason:
            hint = "Write minute, hour, day of month, month and day of week, such as `30 2 * * 1-5`."
            yield ("spec", "schedule"), f"`{schedule[:80]}`: {reason}", hint
    fields = ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    yield from at_least(spec, ("spec",), 0, *fields)
    yield from label_problems(body, ("spec", "jobTemplate", "spec", "template", "metadata"))
    yield from _job_spec(body, ("spec", "jobTemplate", "spec"))


def _pod(body: Body) -> Iterator[Fault]:
    yield from pod(as_mapping(body.get("spec")), ("spec",))


def _whole(rule: Rule) -> Rule:
    """Return a rule that skips objects without the required selector, which are patches more often than objects."""

    def check(body: Body) -> Iterator[Fault]:
        if "selector" in as_mapping(body.get("spec")):
            yield from rule(body)

    return check


RULES: Mapping[tuple[str, str], Rule] = {
    ("", "Pod"): _pod,
    ("apps", "Deployment"): _whole(_deployment),
    ("apps", "ReplicaSet"): _whole(_replica_set),
    ("apps", "StatefulSet"): _whole(_stateful_set),
    ("apps", "DaemonSet"): _whole(_daemon_set),
    ("batch", "Job"): _job,
    ("batch", "CronJob"): _cron_job,
}
