"""The reference of powers, from the one table of rules and the table of keys."""

from jailoc.generators.powers.coverage import NONE, POWERS
from jailoc.model.power import PowerKind
from jailoc.model.power_rules import RULES

_HEAD = """# Powers

What a sandbox may do is a set of values, computed from what is compiled for it: its containers, its
rules, and what the configuration says of sources and guards. `plan`, `golden check`, `diff`, their
Markdown and JSON, and [policies](policy.md) speak through these. This page is generated from
`model/power_rules.py` and `generators/powers/coverage.py`.

A change *widens* where a power is there that neither was there nor is held by a wider one; it
*narrows* the other way. What widens from A to B narrows from B to A. A guard (`guard.*`) holds the
others back: its loss widens.

| Rank | At stake |
|---|---|
| critical | root or execution on the host, credentials of the user, a private network as a whole |
| high | much of a network, what is built or run, secrets, agreed guards |
| medium, low | less of it |
| note | nothing: limits, places, plain variables |
"""


def powers_page() -> str:
    """Return the page as Markdown."""
    parts = [_HEAD]
    for kind in PowerKind:
        rows = [
            f"| `{name}` | {rule.what} | {', '.join(each.value for each in rule.ranks)} "
            f"| {rule.when} |\n"
            for name, rule in RULES.items()
            if name.partition(".")[0].replace("-", " ") == kind.value
        ]
        parts.append(
            f"\n## {kind.value.capitalize()}\n\n| Power | What | Rank | What decides, and why |\n"
            f"|---|---|---|---|\n{''.join(rows)}"
        )
    keys = "".join(
        f"| `{key}` | {', '.join(f'`{each}`' for each in rules)} |\n"
        for key, rules in POWERS.items()
    )
    keys += "".join(f"| `{key}` | none: {why} |\n" for key, why in NONE.items())
    parts.append(
        "\n## Keys of the configuration\n\n"
        "`scope.` stands for `[defaults]` and for a workspace.\n\n"
        f"| Key | Powers |\n|---|---|\n{keys}"
    )
    return "".join(parts)
