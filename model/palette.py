"""What a colour means, whoever shows it: the one list of meanings."""

from enum import StrEnum


class Meaning(StrEnum):
    """Why a piece of text looks as it does."""

    TITLE = "title"
    NOTES = "notes"
    """What is being done."""
    DONE = "done"
    """As it should be, or made so."""
    WARNS = "warns"
    FAILS = "fails"
    OPENS = "opens"
    """More becomes possible for an agent."""
    CLOSES = "closes"
    """Less becomes possible for an agent."""
    MUTED = "muted"
    """Another program's words, and what may be passed over."""
