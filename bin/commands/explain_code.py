"""`explain CODE`: say why a message comes, and what to do about it."""

from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.catalogue import CATALOGUE


def known(word: str) -> bool:
    """Tell whether a word is the code of a message."""
    return word in CATALOGUE


def run(terminal: Terminal, code: str, as_json: bool) -> int:
    """Print the entry of a code."""
    entry = CATALOGUE[code]
    if as_json:
        terminal.data({"code": code, "cause": entry.cause, "remedy": entry.remedy})
        return 0
    terminal.heading(code)
    terminal.result(f"  why:  {entry.cause}\n  then: {entry.remedy}")
    return 0
