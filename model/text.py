"""Text of others, made harmless to show or read, and counts in words."""

_MARK = "\ufeff"


def without_mark(text: str) -> str:
    """Take off the byte order mark that some editors write before a text (Unicode, section 23.8).

    >>> without_mark("\ufeffA=1")
    'A=1'
    """
    return text.removeprefix(_MARK)


def number_of(count: int, what: str) -> str:
    """Write a number with its noun.

    >>> number_of(1, "workspace"), number_of(2, "workspace")
    ('1 workspace', '2 workspaces')
    """
    return f"{count} {what}{'s' * (count != 1)}"


def visible(text: str) -> str:
    """Show each control character as one harmless sign, so that no text can steer the terminal."""
    return "".join(char if char == "\t" or char.isprintable() else _sign(char) for char in text)


def _sign(char: str) -> str:
    """Return the control picture (Unicode 2400..2421) of a character, or a replacement."""
    number = ord(char)
    if number < 32:
        return chr(0x2400 + number)
    return "\u2421" if number == 127 else "\ufffd"
