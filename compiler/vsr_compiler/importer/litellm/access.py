"""Who may use the proxy, and how much: the master key, virtual keys, budgets and limits."""

from __future__ import annotations

from typing import Any

from vsr_compiler.diagnostics import Severity
from vsr_compiler.importer.family import Job
from vsr_compiler.importer.litellm.deployments import Deployment, groups
from vsr_compiler.importer.litellm.models import Models
from vsr_compiler.importer.litellm.settings import ACCESS, AMOUNTS, STRATEGIES, WINDOWS
from vsr_compiler.importer.providers import NeededSecrets, credential
from vsr_compiler.importer.values import Fields
from vsr_compiler.syntax.nodes import Scalar

MASTER = "litellm-master-key"
_ENFORCED = "enforce_model_rate_limits"
_HINT = "Write it under `limits`, and the teams and users under `identity`."


def write_access(general: Fields, environment: Fields, job: Job, needed: NeededSecrets) -> None:
    """Write ``identity``. Without the master key LiteLLM serves everybody, and so does a policy without it."""
    key = general.take("master_key")
    if key is None and environment.has("LITELLM_MASTER_KEY"):
        key = environment.take("LITELLM_MASTER_KEY")
    stored = [name for name in ("database_url", "store_model_in_db") if general.has(name)]
    if "DATABASE_URL" in environment.node.entries:
        stored.append("DATABASE_URL")
    if isinstance(key, Scalar):
        secret = credential(key, MASTER, job.losses, needed) or {"secret": MASTER, "key": "apiKey"}
        needed.names.setdefault(secret["secret"], key.span)
        job.draft.sections["identity"] = {"apiKeys": [{**secret, "user": "master"}]}
        hint = "Add each key under `identity.apiKeys` by a reference to its Secret, or use `identity.jwt`."
        what = (
            "clients need the master key; virtual keys of the database are not in the file"
            if stored
            else ("clients need the master key, as the user `master`")
        )
        severity = Severity.WARNING if stored else Severity.NOTE
        job.losses.add("VSR547", what, key.span, hint, severity)
    elif stored:
        where = general.at(stored[0]) if stored[0] in general.node.entries else environment.at(stored[0])
        hint = "Write them under `models` and `identity`."
        job.losses.add("VSR547", "models, keys and teams of the database are not in the file", where, hint)
    for name, what in ACCESS.items():
        if general.has(name) and general.text(name).lower() not in {"false", "0"}:
            hint = "Write `identity` (tokens, keys or a front end), or restrict it at the gateway."
            severity = Severity.WARNING if isinstance(key, Scalar) else Severity.ERROR
            job.losses.add("VSR547", f"`{name}` {what}: this is lost", general.at(name), hint, severity)


def write_limits(deployments: list[Deployment], sections: dict[str, Fields], models: Models, job: Job) -> None:
    """Write the limits that the file has in full; report the others."""
    router = sections["router_settings"]
    strategy = router.text("routing_strategy")
    if strategy not in STRATEGIES:
        hint = "Endpoints of a model share its traffic by weight; pools choose by load."
        message = f"`routing_strategy: {strategy[:60]}` is replaced by weights"
        job.losses.add("VSR548", message, router.value_at("routing_strategy"), hint)
    enforced = _ENFORCED in router.texts("optional_pre_call_checks")
    for group, members in groups(deployments):
        if group not in models.names:
            continue
        if enforced:
            _rate(group, members, models, job)
        for item in members:
            _budget(item, models, job)
    for path, what in AMOUNTS.items():
        section, _, key = path.partition(".")
        if sections[section].has(key):
            sections[section].taken.add(key)
            job.losses.add("VSR548", f"`{key}` is {what}, which is not carried over", sections[section].at(key), _HINT)


def _rate(group: str, members: list[Deployment], models: Models, job: Job) -> None:
    """Write the requests and tokens per minute of a group, where LiteLLM enforces them."""
    for key, unit in (("rpm", "requests"), ("tpm", "tokens")):
        amounts = [item.params.number(key) for item in members]
        total = sum(amount for amount in amounts if amount is not None)
        if all(amount is not None for amount in amounts) and 1 <= total <= 10**12:
            entry = {"per": "model", "for": {"model": models.names[group][0]}, unit: int(total), "window": "1m"}
            job.draft.append("limits", entry)


def _budget(item: Deployment, models: Models, job: Job) -> None:
    """Write the budget of a deployment."""
    budget = item.params.number("max_budget")
    if budget is None or budget <= 0:
        return
    window = WINDOWS.get(item.params.text("budget_duration"), "")
    span = item.params.at("max_budget")
    if not window or item.group not in models.priced:
        why = "its price is not in the file" if window else "a window is 1m, 1h, 1d or 30d"
        job.losses.add("VSR548", f"the budget of `{item.group}` is not carried over: {why}", span, _HINT)
        return
    entry: dict[str, Any] = {
        "per": "model",
        "for": {"model": models.names[item.group][0]},
        "dollars": budget,
        "window": window,
    }
    job.draft.append("limits", entry)
