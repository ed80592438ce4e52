"""How the configuration names an agent: a major version, or an exact one."""

import re
from typing import Annotated

from pydantic import AfterValidator

from jailoc.model.agents.agent import Agent, order
from jailoc.model.agents.known import AGENTS, DEFAULT
from jailoc.model.field_error import problem
from jailoc.model.schema_patterns import string

KEY = "opencode"
"""The key of `[defaults]` and of a workspace."""
CODE = "opencode-version"
_MAJORS = "|".join(each.major for each in AGENTS)
_CHOICE = re.compile(r"([0-9]{1,9})(?:\.[0-9]{1,9}\.[0-9]{1,9})?")
_ALLOWED = (
    ", ".join(f'"{each.major}"' for each in AGENTS) + f', or a version such as "{DEFAULT.version}"'
)


class UnknownAgentError(ValueError):
    """A choice that no known agent meets; its text says why."""


def named(text: str | None) -> Agent:
    """Return the agent that a choice names; none names the default.

    >>> named("1") is DEFAULT, named("1.18.33").version
    (True, '1.18.33')

    Raises:
        UnknownAgentError: there is none, or the version is older than what is known of it.
    """
    if text is None:
        return DEFAULT
    match = _CHOICE.fullmatch(text)
    if match is None:
        raise UnknownAgentError(f"`{text}` is neither a major version nor an exact one")
    found = next((each for each in AGENTS if each.major == match[1]), None)
    if found is None:
        known = " and ".join(each.major for each in AGENTS)
        raise UnknownAgentError(f"{DEFAULT.name} `{text}` is not known: this jailoc knows {known}")
    if text == found.major:
        return found
    if order(text) < order(found.oldest):
        raise UnknownAgentError(
            f"{found.name} `{text}` is older than {found.oldest}, the first that jailoc can run"
        )
    return found.at(text)


def _checked(value: str) -> str:
    try:
        named(value)
    except UnknownAgentError as error:
        raise problem(CODE, str(error), _ALLOWED) from None
    return value


AgentChoice = Annotated[
    str, AfterValidator(_checked), string(rf"^({_MAJORS})(\.[0-9]{{1,9}}\.[0-9]{{1,9}})?$")
]
