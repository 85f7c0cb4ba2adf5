"""Which model of a table a policy chooses for each prompt, in the decision code of the runtime."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from vsr_compiler.review.local_router import LocalRouter, Undecidable
from vsr_compiler.value.measure import NONE
from vsr_compiler.value.records import TableError
from vsr_compiler.value.table import Table
from vsr_runtime.decision.request.events import ImmediateResponse
from vsr_schemas import apis


def columns(models: Iterable[str], table: Table, names: Mapping[str, str]) -> dict[str, int]:
    """Return the column of each model of a policy.

    Args:
        models: The models of the policy.
        table: The table.
        names: Names of models in the table by their names in the policy; others are called the same in both.

    Raises:
        TableError: No model of the policy is in the table, or a name is of neither.
    """
    known, own = {name: index for index, name in enumerate(table.models)}, list(models)
    wrong = [f"{policy}={column}" for policy, column in names.items() if policy not in own or column not in known]
    if wrong:
        raise TableError(
            f"{', '.join(wrong)}: write POLICY-MODEL=TABLE-MODEL; the policy has {', '.join(own)}, the table "
            f"{', '.join(table.models)}"
        )
    found = {model: known[names.get(model, model)] for model in own if names.get(model, model) in known}
    if not found:
        raise TableError(
            f"no model of the policy ({', '.join(own)}) is in the table ({', '.join(table.models)}): say which is "
            "which by --map POLICY-MODEL=TABLE-MODEL"
        )
    return found


def chosen(router: LocalRouter, prompts: Sequence[tuple[str, str]], known: Mapping[str, int]) -> list[int]:
    """Return the column that a policy chooses for each prompt; ``NONE`` where it answers by itself.

    Args:
        router: The policy's router.
        prompts: Ids, by which splits are drawn, and prompts.
        known: The columns of the policy's models.

    Raises:
        TableError: A decision takes a model that is not here, or ends at a model that is not in the table.
    """
    auto = router.machine.program.auto_names[0]
    found = []
    for number, prompt in prompts:
        body = {"model": auto, "messages": [{"role": "user", "content": prompt}]}
        data = json.dumps(body, ensure_ascii=False).encode(errors="surrogatepass")
        action = router.decide(apis.CHAT, (), data, number)
        if isinstance(action, Undecidable):
            raise TableError(f"prompt {number} cannot be decided here: {action.missing or 'a model is not available'}")
        if isinstance(action, ImmediateResponse):
            found.append(NONE)
        elif action.model in known:
            found.append(known[action.model])
        else:
            raise TableError(
                f"prompt {number} goes to {action.model}, which is not in the table: say which it is by "
                f"--map {action.model}=TABLE-MODEL"
            )
    return found
