"""A Dockerfile as far as jailoc must understand it: its instructions, and the images below it.

Follows https://docs.docker.com/reference/dockerfile/; what it does not understand it leaves to the
engine, which says so at the build.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from jailoc.model.base import Model


class Instruction(Model):
    """One instruction, its lines joined."""

    line: int
    """Where it begins, from 1."""
    word: str
    """Its name, in capitals."""
    value: str


class Parent(Model):
    """An image that something is built on or copied from, as a Dockerfile names it."""

    reference: str
    line: int


class _Stage(Model):
    name: str
    base: Parent | None
    """None where the name depends on what only the engine knows."""
    sources: tuple[Parent, ...] = ()


_DIRECTIVE = re.compile(r"#\s*(\w+)\s*=\s*(.*?)\s*")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)([A-Za-z_]\w*)\1")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^}]{0,1000}))?\})")
_FROM = re.compile(r"(?:^|[\s,])(?:--from=|from=)([^\s,]+)")


LONGEST = 4096
"""Characters that the variables of one text may become."""


@lru_cache(maxsize=16)
def instructions(text: str) -> tuple[Instruction, ...]:
    """Split a Dockerfile into its instructions."""
    lines = text.removeprefix("\ufeff").split("\n")
    escape = "`" if _directives(lines).get("escape") == "`" else "\\"
    found: list[Instruction] = []
    place = 0
    while place < len(lines):
        start = place
        parts: list[str] = []
        while place < len(lines):
            line = lines[place].strip()
            place += 1
            if line.startswith("#") or (not line and parts):
                continue
            parts.append(line.removesuffix(escape))
            if not line.endswith(escape):
                break
        joined = "".join(f"{each} " for each in parts).strip()
        if not joined:
            continue
        while lines[start].strip().startswith("#") or not lines[start].strip():
            start += 1
        word, _, value = joined.partition(" ")
        if word.upper() in {"RUN", "COPY", "ADD"}:
            for match in _HEREDOC.finditer(value):
                while place < len(lines) and lines[place].strip() != match[2]:
                    place += 1
                place += 1
        found.append(Instruction(line=start + 1, word=word.upper(), value=value.strip()))
    return tuple(found)


def _directives(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        match = _DIRECTIVE.fullmatch(line.strip())
        if not match:
            break
        found[match[1].lower()] = match[2]
    return found


def parents(text: str, arguments: dict[str, str]) -> tuple[Parent, ...]:
    """Return the images that the last stage of a Dockerfile needs, each once.

    Args:
        text: The Dockerfile.
        arguments: Build arguments that are given.
    """
    stages = tuple(_stages(text, arguments))
    places = {str(index): index for index in range(len(stages))}
    places |= {stage.name: index for index, stage in enumerate(stages) if stage.name}
    found: dict[str, Parent] = {}
    waiting, seen = [len(stages) - 1], set[int]()
    while waiting:
        index = waiting.pop()
        if index < 0 or index in seen:
            continue
        seen.add(index)
        stage = stages[index]
        for parent in (stage.base, *stage.sources):
            if parent is None:
                continue
            # Only a stage above can be meant; a number never names a base.
            place = places.get(parent.reference.lower())
            numbered = parent is stage.base and parent.reference.isdecimal()
            if place is not None and place < index and not numbered:
                waiting.append(place)
            elif parent.reference != "scratch":
                first = found.setdefault(parent.reference, parent)
                if parent.line < first.line:
                    found[parent.reference] = parent
    return tuple(sorted(found.values(), key=lambda each: each.line))


def _stages(text: str, arguments: dict[str, str]) -> Iterator[_Stage]:
    known: dict[str, str] = {}
    stage: _Stage | None = None
    sources: list[Parent] = []
    for each in instructions(text):
        if each.word == "FROM":
            if stage:
                yield stage.model_copy(update={"sources": tuple(sources)})
            words = [word for word in each.value.split() if not word.startswith("--")]
            named = len(words) == 3 and words[1].upper() == "AS"
            reference = expand(words[0].strip("\"'"), known) if words else None
            base = Parent(reference=reference, line=each.line) if reference else None
            stage, sources = _Stage(name=words[2].lower() if named else "", base=base), []
        elif each.word == "ARG" and stage is None:
            for word in each.value.split():
                name, given, default = word.partition("=")
                value = arguments.get(name, expand(default.strip("\"'"), known) if given else None)
                if value is not None:
                    known[name] = value
        elif each.word in {"COPY", "ADD", "RUN"}:
            flags = " ".join(_flags(each.value))
            sources += [
                Parent(reference=name, line=each.line)
                for name in _FROM.findall(flags)
                if "$" not in name
            ]
    if stage:
        yield stage.model_copy(update={"sources": tuple(sources)})


def _flags(value: str) -> Iterator[str]:
    for word in value.split():
        if not word.startswith("--"):
            break
        yield word


def expand(text: str, known: dict[str, str]) -> str | None:
    """Replace variables; None if one of them is not known here, or too much comes of them."""
    unknown, left = False, LONGEST

    def replace(match: re.Match[str]) -> str:
        nonlocal unknown, left
        value = replaced(match) if left >= 0 else ""
        # Each may be twice the one before it.
        left -= len(value)
        unknown = unknown or left < 0
        return value

    def replaced(match: re.Match[str]) -> str:
        nonlocal unknown
        name, operator, word = match[1] or match[2], match[3] or "", match[4] or ""
        value = known.get(name)
        # With the colon, empty counts as unset.
        there = value is not None and not (operator.startswith(":") and not value)
        if operator.endswith("+"):
            return word if there else ""
        if there:
            return value or ""
        unknown = unknown or not operator
        return word

    result = _VARIABLE.sub(replace, text)
    return None if unknown else result
