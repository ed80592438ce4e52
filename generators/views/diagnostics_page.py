"""The reference of diagnostics, from the one catalogue of codes."""

from jailoc.model.catalogue import SECTIONS

_HEAD = """# Diagnostics

Every message of jailoc that refuses or warns ends with its code in brackets; `--json` has it as
`code`, the log too. A code stays what it is for good. `jailoc explain CODE` prints its row. The
message itself says more: the file, the line, what is allowed there, a hint. This page is generated
from `model/catalogue`.
"""


def diagnostics_page() -> str:
    """Return the page as Markdown."""
    parts = [_HEAD]
    for title, entries in SECTIONS.items():
        rows = "".join(
            f"| `{code}` | {entry.cause} | {entry.remedy} |\n" for code, entry in entries.items()
        )
        parts.append(f"\n## {title}\n\n| Code | Why | What to do |\n|---|---|---|\n{rows}")
    return "".join(parts)
