"""How each meaning looks on a terminal."""

from jailoc.model.palette import Meaning

SGR = {
    Meaning.TITLE: "1",
    Meaning.NOTES: "36",
    Meaning.DONE: "32",
    Meaning.WARNS: "33",
    Meaning.FAILS: "31",
    Meaning.OPENS: "31",
    Meaning.CLOSES: "32",
    Meaning.MUTED: "2",
}
"""Parameters of Select Graphic Rendition (ECMA-48, 8.3.117)."""
RICH = {Meaning.NOTES: "cyan", Meaning.MUTED: "dim"}
"""The same for rich, which draws a build."""
