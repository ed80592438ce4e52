"""A program of the user's on jailoc's own streams."""

import errno
import os
from pathlib import Path

import pytest

from jailoc.bin.host import foreground


def test_its_number_is_told_before_it_is_there(tmp_path: Path) -> None:
    told, number = tmp_path / "told", tmp_path / "number"
    script = f"cp {told} {tmp_path}/before; echo $$ > {number}"

    def begun(process: int) -> None:
        told.write_text(f"{process}\n")

    assert foreground.run(["/bin/sh", "-c", script], begun) == 0
    assert (tmp_path / "before").read_text() == number.read_text()


def test_where_nobody_can_be_told_no_program_begins(tmp_path: Path) -> None:
    def begun(_: int) -> None:
        raise BrokenPipeError(errno.EPIPE, "gone")

    with pytest.raises(OSError, match="let the agents go on"):
        foreground.run(["/usr/bin/touch", str(tmp_path / "ran")], begun)
    assert not (tmp_path / "ran").exists()


def test_it_has_what_a_shell_has_opened_for_it(tmp_path: Path) -> None:
    (tmp_path / "given").write_text("given\n")
    descriptor = os.open(tmp_path / "given", os.O_RDONLY)
    own = os.open(tmp_path / "given", os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    script = f"cat /proc/self/fd/{descriptor} > {tmp_path}/got; test ! -e /proc/self/fd/{own}"
    try:
        assert foreground.run(["/bin/sh", "-c", script], lambda _: None) == 0
    finally:
        os.close(descriptor)
        os.close(own)
    assert (tmp_path / "got").read_text() == "given\n"
