"""How snapshots of a workspace are bounded, merged from its own settings and the defaults."""

from collections.abc import Iterator

from jailoc.model.size import size
from jailoc.model.snapshots import Snapshots, SnapshotSettings

SIZES = ("larger_than", "size")
"""Settings that are amounts of bytes."""


def snapshots(mine: SnapshotSettings, defaults: SnapshotSettings) -> Snapshots:
    """Merge the two, each setting by itself; names to leave out add up."""
    given = {
        key: size(str(value)) if key in SIZES else value
        for key, value, _ in stated(mine, defaults)
        if key != "exclude"
    }
    left_out = tuple(dict.fromkeys((*defaults.exclude, *mine.exclude)))
    return Snapshots.model_validate(
        {**given, "exclude": left_out, "configured": bool(given or left_out)}
    )


def stated(
    mine: SnapshotSettings, defaults: SnapshotSettings
) -> Iterator[tuple[str, bool | int | str, str]]:
    """Yield each setting that one of the two has: key, value, and the place below its scope."""
    for index, name in enumerate(defaults.exclude):
        yield "exclude", name, f"defaults.snapshots.exclude[{index}]"
    for index, name in enumerate(mine.exclude):
        if name not in defaults.exclude:
            yield "exclude", name, f"snapshots.exclude[{index}]"
    for key in SnapshotSettings.model_fields:
        for layer, at in ((mine, "snapshots"), (defaults, "defaults.snapshots")):
            value = getattr(layer, key)
            if key != "exclude" and value is not None:
                yield key, value, f"{at}.{key}"
                break
