"""Compare what a team has committed with what its configuration becomes: values, powers, texts."""

import difflib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from jailoc.generators.artefacts.compose_yaml import document
from jailoc.generators.artefacts.iptables import restore
from jailoc.generators.artefacts.portable import HOME, bare
from jailoc.generators.powers.difference import changes as power_changes
from jailoc.model.bundle import File
from jailoc.model.document import dotted
from jailoc.model.golden import (
    BUNDLE_FILE,
    Difference,
    FileDifference,
    FileState,
    Snapshot,
    State,
    ValueChange,
)

Folder = Mapping[str, str]
"""The texts of a workspace's folder by their paths."""


def read(text: str | None) -> Snapshot | None:
    """Read the models of a workspace; None if the text holds none that this jailoc knows."""
    if text is None:
        return None
    try:
        return Snapshot.model_validate_json(text)
    except ValidationError:
        return None


def compare(
    name: str, folder: Folder, wanted: tuple[File, ...], snapshot: Snapshot | None
) -> Difference:
    """Compare the committed folder of a workspace with what is compiled.

    Args:
        name: The workspace.
        folder: What is committed: every file that is wanted, or was once generated.
        wanted: What is compiled; nothing if the workspace is not in the configuration any more.
        snapshot: The models of what is compiled, if it is.
    """
    old = read(folder.get(BUNDLE_FILE))
    found = tuple(_files(folder, wanted, old))
    if BUNDLE_FILE in folder and old is None:
        return Difference(name=name, state=State.UNREADABLE, files=found)
    if old and snapshot:
        state = State.CHANGED if found else State.SAME
    else:
        state = State.ADDED if snapshot else State.REMOVED
    return Difference(
        name=name,
        state=state,
        powers=power_changes(
            old.sides if old else bare(), snapshot.sides if snapshot else None, HOME
        ),
        changes=changes(old, snapshot) if old and snapshot else (),
        files=found,
    )


def _files(
    folder: Folder, wanted: Iterable[File], old: Snapshot | None
) -> Iterator[FileDifference]:
    texts = {each.path: each.text for each in wanted}
    once = {each.path: each.sha256 for each in old.files} if old else {}
    if BUNDLE_FILE in folder:
        once[BUNDLE_FILE] = _digest(folder[BUNDLE_FILE])
    for path in sorted(texts.keys() | once.keys()):
        before, after = folder.get(path), texts.get(path)
        if before == after:
            continue
        if before is None:
            state = FileState.MISSING
        elif after is None:
            state = FileState.STALE
        else:
            known = once.get(path) in {None, _digest(before)}
            state = FileState.CHANGED if known else FileState.EDITED
        yield FileDifference(path=path, state=state, before=before or "", after=after or "")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def changes(before: Snapshot, after: Snapshot) -> tuple[ValueChange, ...]:
    """Return every value of the models that differs, by its place."""
    # Heavy, and for two commands alone: what shows a plan shares the words of this module.
    from deepdiff import DeepDiff
    from deepdiff.helper import NotPresent

    def value(there: Any) -> Any:
        return None if isinstance(there, NotPresent) else there

    found = DeepDiff(_values(before), _values(after), view="tree", threshold_to_diff_deeper=0)
    rows = [
        ValueChange(
            path=dotted(tuple(each.path(output_format="list"))),
            before=value(each.t1),
            after=value(each.t2),
        )
        for group in found.values()
        for each in group
    ]
    return tuple(sorted(rows, key=lambda each: each.path))


def _values(snapshot: Snapshot) -> dict[str, Any]:
    """Return the models as data in which equal things have equal places.

    Mounts are known by where they are, rules by their text, images by their names.
    """
    compose = document(snapshot.compose)
    for service in compose["services"].values():
        if "volumes" in service:
            service["volumes"] = {each["target"]: _mount(each) for each in service["volumes"]}
    return {
        "compose": compose,
        "firewall": {
            "egress": snapshot.firewall.egress.value,
            "ipv4": restore(snapshot.firewall.ipv4).split("\n"),
            "ipv6": restore(snapshot.firewall.ipv6).split("\n"),
            "names": [each.model_dump(mode="json") for each in snapshot.firewall.names],
            "denied_names": [
                each.model_dump(mode="json") for each in snapshot.firewall.denied_names
            ],
            "host_ports": [each.model_dump(mode="json") for each in snapshot.firewall.host_ports],
        },
        "images": {each.name: each.model_dump(mode="json") for each in snapshot.builds},
        "powers": {f"{each.rule} {each.subject}": each.value for each in snapshot.stated},
    }


def _mount(mount: dict[str, Any]) -> str:
    """Return a mount as one value, since all of it changes together."""
    if mount["type"] == "tmpfs":
        return f"memory, {mount['tmpfs']['size']} bytes, mode {mount['tmpfs']['mode']:o}"
    mode = "read-only" if mount.get("read_only") else "writable"
    return f"{mount['type']} {mount['source']}, {mode}"


def unified(name: str, file: FileDifference) -> str:
    """Write the difference of one file as a unified diff."""
    return "".join(
        difflib.unified_diff(
            _lines(file.before),
            _lines(file.after),
            "/dev/null" if file.state is FileState.MISSING else f"a/{name}/{file.path}",
            "/dev/null" if file.state is FileState.STALE else f"b/{name}/{file.path}",
        )
    )


def _lines(text: str) -> list[str]:
    return [f"{each}\n" for each in text.removesuffix("\n").split("\n")] if text else []
