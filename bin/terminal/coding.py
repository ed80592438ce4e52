"""Whether a terminal reads UTF-8, and what it gets if nothing says so.

One that reads single bytes takes the last byte of many a character for a control: U+06DB ends in
0x9B, which begins a control sequence there (CSI, ECMA-48).
"""

import os
import re
import sys
import termios
from collections.abc import Mapping
from io import TextIOWrapper
from typing import TextIO

_IUTF8 = 0x4000
"""The input flag that terminals set which read and write UTF-8 (termios(3); Linux and macOS)."""
_UTF8 = re.compile(r"utf-?8", re.IGNORECASE)
_COERCED = {"C.UTF-8", "C.utf8", "UTF-8"}
"""What Python itself sets as LC_CTYPE where the locale is `C` (PEP 538); it then says so (540)."""


def reads_utf8(descriptor: int, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether a terminal, or else the user's locale, says that UTF-8 is read there."""
    try:
        if termios.tcgetattr(descriptor)[0] & _IUTF8:
            return True
    except termios.error:
        return True  # no terminal: bytes are kept as they are
    kind = environment.get("LC_CTYPE", "")
    if sys.flags.utf8_mode and kind in _COERCED:
        kind = ""
    declared = environment.get("LC_ALL") or kind or environment.get("LANG") or ""
    return bool(_UTF8.search(declared))


def fit(stream: TextIO | None) -> None:
    """Have a stream that leads to a terminal write what that reads, and the rest by its number."""
    if not isinstance(stream, TextIOWrapper) or not stream.isatty():
        return
    if stream.encoding.lower().replace("-", "") != "utf8":
        stream.reconfigure(errors="backslashreplace")
    elif not reads_utf8(stream.fileno()):
        stream.reconfigure(encoding="ascii", errors="backslashreplace")
