"""Text of others within Markdown (GitHub Flavored Markdown, CommonMark)."""

import re


def folded(title: str, body: str) -> str:
    """Write a section that is shut until somebody opens it."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def code(text: str) -> str:
    """Write text so that nothing in it is Markdown, a mention or a link.

    >>> code("a`b")
    '`` a`b ``'
    """
    shown = plain(text)
    most = longest(shown)
    fence = "`" * (most + 1)
    padding = " " if most or shown != shown.strip() or not shown else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def plain(text: str) -> str:
    """Show each control character as one sign; a line of text has none but tabs."""
    return "".join(
        char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def longest(text: str) -> int:
    """Return how many backticks stand in a row."""
    return max((len(each) for each in re.findall("`+", text)), default=0)
