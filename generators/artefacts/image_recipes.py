"""The recipes of a workspace's images as a file, and what two of them say about a rebuild."""

import json

from pydantic import JsonValue, ValidationError

from jailoc.model.image import Build, Choice, Recipe

RECIPES = "images/recipes.json"
"""Where the recipes lie below the directory of a workspace: those of the last start."""
FOREIGN = "what the engine has under its tag was not built here"
"""Why an image is built whose recipe is as it was."""


def recipes(choice: Choice, builds: tuple[Build, ...]) -> str:
    """Write which image the agent runs, and what went into each that is built."""
    data = {
        "agent": choice.model_dump(mode="json"),
        "builds": [_plain(each.recipe) for each in builds],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _plain(recipe: Recipe) -> dict[str, JsonValue]:
    return recipe.model_dump(mode="json", exclude=None if recipe.arguments else {"arguments"})


def previous(text: str) -> dict[str, Recipe]:
    """Read such a file, by the names of images; one of another version of jailoc says nothing."""
    try:
        found = [
            Recipe.model_validate_json(json.dumps(each)) for each in json.loads(text)["builds"]
        ]
    except (ValueError, KeyError, TypeError, ValidationError):
        return {}
    return {each.name: each for each in found}


def why(build: Build, before: Recipe | None) -> str | None:
    """Say which inputs make an image another one than before; None if it is the same.

    Args:
        build: The image as it should be.
        before: The recipe of the image of that name at the last start, if there was one.
    """
    now = build.recipe
    if before is None:
        return "it is new"
    if now.tag == before.tag:
        return None
    found = [
        what
        for what, differs in (
            ("the Dockerfile", now.dockerfile != before.dockerfile),
            ("the image below it", now.bases != before.bases),
            ("the certificates", now.certificates != before.certificates),
            ("the context", now.context != before.context),
            ("the agent's user", now.arguments != before.arguments),
        )
        if differs
    ] or ["the place of the context"]
    *most, last = found
    return f"{', '.join(most)} and {last} have changed" if most else f"{last} {_has(last)} changed"


def _has(what: str) -> str:
    return "have" if what == "the certificates" else "has"


def decision(choice: Choice) -> str:
    """Say how the agent's image was decided, from the top down."""
    named = [
        f"{step.value} ({origin})"
        for step, origin in zip(choice.steps, choice.origins, strict=True)
    ]
    return " on ".join(reversed(named))
