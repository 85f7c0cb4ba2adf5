"""Recipes: several routing profiles in one config, of which clients choose one by the name that they send as model.

Models are shared; signals and decisions are a recipe's own, as in the stock router (``canonical_recipes.go``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vsr_runtime.decision.program.program import Program
from vsr_runtime.errors import check_unique, config_error
from vsr_schemas.routerconfig import v0_4_0 as contract

DEFAULT = "default"
"""The recipe of the auto names. It is the top-level ``routing``, unless ``recipes`` has one of this name."""


def profiles(config: contract.RouterConfig) -> tuple[contract.RouterConfig, Mapping[str, contract.RouterConfig]]:
    """Return the config of the default recipe, and those of the others by name, each as a config without recipes.

    The auto names of a recipe are the names of its entrypoints. The names of its decisions begin with its own, so that
    cached responses, metrics and logs tell recipes apart.

    Raises:
        UserError: a name is duplicated or unknown.
    """
    recipes = {recipe.name: recipe for recipe in config.recipes or ()}
    check_unique("recipes", [recipe.name for recipe in config.recipes or ()])
    names = _entry_names(config, recipes)
    own = config.routing
    if DEFAULT in recipes:
        if (
            own.signals.model_dump(exclude_none=True, exclude_defaults=True)
            or own.projections
            or own.decisions
            or own.strategy
        ):
            raise config_error(
                f"recipes: {DEFAULT}", "conflicts with the decisions or signals under routing; keep one of them"
            )
        own = _routing(config, recipes[DEFAULT], "")
    auto = [*config.global_.router.auto_model_names, *names.get(DEFAULT, ())]
    others = {
        name: _profile(config, _routing(config, recipe, f"{name}/"), names.get(name, ()))
        for name, recipe in recipes.items()
        if name != DEFAULT
    }
    return _profile(config, own, auto), others


def with_recipes(program: Program, recipes: Mapping[str, Program]) -> Program:
    """Return the program with those of its recipes, by the names that clients send."""
    by_name = {name: recipe for recipe in recipes.values() for name in recipe.auto_names}
    return program.with_recipes(by_name) if recipes else program


def _entry_names(config: contract.RouterConfig, recipes: Mapping[str, contract.Recipe]) -> Mapping[str, Sequence[str]]:
    names: dict[str, list[str]] = {}
    for i, entrypoint in enumerate(config.entrypoints or ()):
        if entrypoint.recipe not in recipes and entrypoint.recipe != DEFAULT:
            raise config_error(f"entrypoints[{i}].recipe", f"recipe {entrypoint.recipe!r} is not defined under recipes")
        names.setdefault(entrypoint.recipe, []).extend(entrypoint.model_names)
    every = [name for listed in names.values() for name in listed]
    check_unique("entrypoints", every)
    taken = {model.name for model in config.providers.models} | set(config.global_.router.auto_model_names)
    taken |= {lora.name for card in config.routing.modelCards for lora in card.loras or ()}
    for name in every:
        if name in taken:
            raise config_error("entrypoints", f"{name!r} is also a model or an auto name; use another name")
    return names


def _routing(config: contract.RouterConfig, recipe: contract.Recipe, prefix: str) -> contract.Routing:
    own = recipe.routing
    return contract.Routing(
        modelCards=config.routing.modelCards,
        signals=own.signals,
        projections=own.projections,
        decisions=[decision.model_copy(update={"name": prefix + decision.name}) for decision in own.decisions],
        strategy=own.strategy or config.routing.strategy,
    )


def _profile(config: contract.RouterConfig, routing: contract.Routing, names: Sequence[str]) -> contract.RouterConfig:
    router = config.global_.router.model_copy(update={"auto_model_names": list(names)})
    shared = config.global_.model_copy(update={"router": router})
    changed = {"routing": routing, "global_": shared, "recipes": None, "entrypoints": None}
    return config.model_copy(update=changed)
