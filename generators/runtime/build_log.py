"""What a build says while it runs, and which line of the Dockerfile a failure belongs to.

Reads the plain progress of BuildKit and the lines of the older builder; what it does not know is
text.
"""

import re
from collections import deque
from enum import StrEnum

from jailoc.model.base import Model
from jailoc.model.dockerfile import Instruction, instructions

KEPT = 20
"""Lines of each step that are remembered."""


class What(StrEnum):
    """What happened."""

    BEGUN = "begun"
    SAID = "said"
    DONE = "done"
    CACHED = "cached"
    FAILED = "failed"
    TEXT = "text"


class Event(Model):
    """One line of a build."""

    what: What
    step: str = ""
    """The step's name, as the builder writes it: `[2/5] RUN make`."""
    text: str = ""


class Failure(Model):
    """Why a build ended, as far as it says."""

    step: str
    """Empty if it never came to a step."""
    reason: str
    tail: tuple[str, ...]
    """The last lines of the step that failed."""
    line: int | None
    """Line of the Dockerfile."""


_LINE = re.compile(r"#(\d+) (.*)")
_END = re.compile(r"(DONE|CACHED|CANCELED|ERROR)(?:: (.*)| .*)?")
_SAID = re.compile(r"\d+\.\d+ ?(.*)")
_OLD = re.compile(r"Step (\d+/\d+) : (.*)")
_PARSE = re.compile(r"dockerfile parse error (?:on )?line (\d+): (.*)")
_PLACE = re.compile(r"\S*Dockerfile\S*:(\d+)")
_CODE = re.compile(r"(?:exit code: |returned a non-zero code: )(\d+)")
_WRAPPED = re.compile(
    r"ERROR: |failed to solve: |rpc error: code = \w+ desc = |"
    r"failed to solve with frontend [\w.]+: |failed to create LLB definition: "
)
_STEP = re.compile(r"\[(?:(\S+) +)?(\d+)/(\d+)\] (\w+) ?(.*)")


class BuildLog:
    """The lines of one build in their order."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._tails: dict[str, deque[str]] = {}
        self._errors: dict[str, str] = {}
        self._old = ""
        self._rest: deque[str] = deque(maxlen=KEPT)

    def read(self, line: str) -> Event | None:
        """Take the next line; None if it says nothing to people."""
        match = _LINE.fullmatch(line)
        if not match:
            return self._text(line)
        number, said = match[1], match[2]
        if number not in self._names:
            self._names[number] = "" if number == "0" else said
            self._tails[number] = deque(maxlen=KEPT)
            return None if number == "0" else Event(what=What.BEGUN, step=said)
        name = self._names[number]
        if end := _END.fullmatch(said):
            if end[1] == "ERROR":
                self._errors[number] = end[2] or ""
                return Event(what=What.FAILED, step=name, text=end[2] or "")
            what = What.CACHED if end[1] == "CACHED" else What.DONE
            return Event(what=what, step=name)
        if text := _SAID.fullmatch(said):
            # What a program has written over is not what it says.
            shown = text[1].rstrip("\r").rpartition("\r")[2]
            self._tails[number].append(shown)
            return Event(what=What.SAID, step=name, text=shown)
        return Event(what=What.SAID, step=name, text=said) if name else None

    def _text(self, line: str) -> Event | None:
        if not line.strip():
            return None
        self._rest.append(line)
        if old := _OLD.fullmatch(line):
            self._old = f"[{old[1]}] {old[2]}"
            self._rest.clear()
            return Event(what=What.BEGUN, step=self._old)
        return Event(what=What.TEXT, step=self._old, text=line)

    def failure(self, dockerfile: str) -> Failure:
        """Return why the build ended, once it has ended badly."""
        rest = "\n".join(self._rest)
        last = self._rest[-1] if self._rest else "it says no reason"
        if parse := _PARSE.search(rest):
            return Failure(step="", reason=parse[2], tail=(), line=int(parse[1]))
        number = next(iter(self._errors), None)
        step = self._old if number is None else self._names[number]
        error = last if number is None else self._errors[number]
        code = _CODE.search(error)
        placed = [match for each in self._rest if (match := _PLACE.fullmatch(each))]
        lines = self._rest if number is None and self._old else self._tails.get(number or "", ())
        return Failure(
            step=step,
            reason=f"exit code {code[1]}" if code else _WRAPPED.sub("", error),
            tail=tuple(lines),
            line=int(placed[-1][1]) if placed else located(step, dockerfile),
        )


def located(step: str, dockerfile: str) -> int | None:
    """Return the line of a Dockerfile on which the instruction of a step begins.

    A step is named by the text of its instruction; where variables have been replaced in that, by
    its number among those of its stage.
    """
    every = instructions(dockerfile)
    if match := re.fullmatch(r"\[internal\] load metadata for (\S+)", step):
        short = match[1].removeprefix("docker.io/library/").removeprefix("docker.io/")
        froms = [each for each in every if each.word == "FROM"]
        named = [each for each in froms if short in each.value]
        return (named or froms)[0].line if named or len(froms) == 1 else None
    match = _STEP.fullmatch(step)
    if not match:
        return None
    word, value = match[4], " ".join(match[5].split())
    same = [each.line for each in every
            if each.word == word and " ".join(each.value.split()) == value]  # fmt: skip
    if same:
        return same[0]
    place = int(match[2]) - 1
    found = [
        steps[place].line
        for names, steps in _stages(every)
        if match[1] in {None, *names} and len(steps) > place and steps[place].word == word
    ]
    return found[0] if len(found) == 1 else None


def _stages(every: tuple[Instruction, ...]) -> list[tuple[set[str], list[Instruction]]]:
    """Return each stage's names, and those of its instructions that the builder numbers."""
    found: list[tuple[set[str], list[Instruction]]] = []
    for each in every:
        if each.word == "FROM":
            _, named, name = each.value.lower().partition(" as ")
            found.append(({f"stage-{len(found)}", name.strip()} if named
                          else {f"stage-{len(found)}"}, [each]))  # fmt: skip
        elif found and each.word in {"RUN", "COPY", "ADD", "WORKDIR"}:
            found[-1][1].append(each)
    return found
