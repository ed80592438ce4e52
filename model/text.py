"""Text of others, made harmless to show."""


def visible(text: str) -> str:
    """Show each control character as one harmless sign, so that no text can steer the terminal."""
    return "".join(char if char == "\t" or char.isprintable() else _sign(char) for char in text)


def _sign(char: str) -> str:
    """Return the control picture (Unicode 2400..2421) of a character, or a replacement."""
    number = ord(char)
    if number < 32:
        return chr(0x2400 + number)
    return "\u2421" if number == 127 else "\ufffd"
