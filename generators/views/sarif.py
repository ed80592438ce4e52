"""What is newly possible as SARIF 2.1.0, which forges show at the changed line.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import hashlib
import re

from pydantic import JsonValue

from jailoc import __version__
from jailoc.generators.powers.review import Finding, Review
from jailoc.generators.views.review import plainly
from jailoc.model.document import Document
from jailoc.model.power import Direction, Rank
from jailoc.model.power_rules import RULES

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Rank.CRITICAL: "error", Rank.HIGH: "error", Rank.MEDIUM: "warning", Rank.LOW: "note",
}  # fmt: skip
_SEVERITY = {Rank.CRITICAL: "9.5", Rank.HIGH: "8.0", Rank.MEDIUM: "5.0", Rank.LOW: "2.0"}
"""How GitHub sorts results of a security tool (`security-severity`)."""
_MOST = 1_000
"""Results, of which GitHub takes 25,000 and shows 5,000."""


def sarif(found: Review, document: Document) -> dict[str, JsonValue]:
    """Return what is newly possible as a log of one run.

    Args:
        found: What changes.
        document: The configuration that is looked at: every result stands in it.
    """
    widenings = found.of(Direction.WIDENS)[:_MOST]
    used = list(dict.fromkeys(each.change.rule for each in widenings))
    rules: list[JsonValue] = [
        {
            "id": name,
            "name": name.replace(".", "-"),
            "shortDescription": {"text": RULES[name].what},
            "fullDescription": {"text": RULES[name].when},
            "helpUri": "https://github.com/jailoc/jailoc/blob/main/docs/reference/powers.md",
            "defaultConfiguration": {"level": _LEVELS[RULES[name].ranks[0]]},
            "properties": {
                "tags": ["security"],
                "security-severity": _SEVERITY[RULES[name].ranks[0]],
            },
        }
        for name in used
    ]
    results: list[JsonValue] = [_result(each, used, document) for each in widenings]
    driver: dict[str, JsonValue] = {
        "name": "jailoc",
        "version": __version__,
        "informationUri": "https://github.com/jailoc/jailoc",
        "rules": rules,
    }
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }


def _result(each: Finding, used: list[str], document: Document) -> dict[str, JsonValue]:
    names = ", ".join(each.workspaces[:10])
    more = len(each.workspaces) - 10
    who = f"{names} and {more} more" if more > 0 else names
    line, column = _position(each.change.place, document)
    fingerprint = hashlib.sha256(
        f"{each.change.rule}\0{each.change.text}\0{who}".encode()
    ).hexdigest()
    return {
        "ruleId": each.change.rule,
        "ruleIndex": used.index(each.change.rule),
        "level": _LEVELS[each.change.rank],
        "message": {"text": f"{each.change.rank}: {who}: {plainly(each.change.text)}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(document.file)},
                    "region": {"startLine": line, "startColumn": column},
                }
            }
        ],
        "partialFingerprints": {"jailoc/v1": fingerprint},
        "properties": {"rank": each.change.rank.value, "workspaces": [*each.workspaces]},
    }


def _uri(path: str) -> str:
    """Write a path as a relative reference (RFC 3986, sections 2.1 and 4.2)."""
    return "".join(
        chr(byte) if chr(byte).isascii() and (chr(byte).isalnum() or chr(byte) in "-._~/")
        else f"%{byte:02X}"
        for byte in path.lstrip("/").encode(errors="surrogateescape")
    )  # fmt: skip


def _position(place: str | None, document: Document) -> tuple[int, int]:
    """Return line and column in the document; its first where the entry is not there any more."""
    match = re.fullmatch(r"(.*):(\d+):(\d+)", place or "")
    if match and match[1] == document.label:
        return int(match[2]), int(match[3])
    return 1, 1
