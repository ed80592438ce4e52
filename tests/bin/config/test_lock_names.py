"""What keeps two runs apart for all workspaces is the lock of none of them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from jailoc.bin.commands import task
from jailoc.bin.config import append
from jailoc.bin.deploy import images
from jailoc.bin.host import files
from jailoc.model.sandbox import SANDBOX

NOTHING: Any = None


class Asked(Exception):  # noqa: N818 -- no error
    """A lock was asked for."""


def change() -> None:
    append.rewritten(NOTHING, str)


def tasks() -> None:
    with task._alone(NOTHING):
        pass


def build() -> None:
    with images.building():
        pass


@pytest.mark.parametrize("work", [change, tasks, build])
def test_no_workspace_is_called_as_what_all_of_them_share(
    monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]
) -> None:
    def locked(place: Path, *_: object, **__: object) -> NoReturn:
        raise Asked(place.name)

    monkeypatch.setattr(files, "locked", locked)
    with pytest.raises(Asked) as asked:
        work()
    name = str(asked.value)
    assert name.endswith(".lock")
    assert re.fullmatch(SANDBOX, name.removesuffix(".lock")) is None
    assert re.fullmatch(SANDBOX, "config"), "control"
