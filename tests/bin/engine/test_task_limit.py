"""The kernel's count of refused tasks is read from the container's own cgroup, and no other."""

from pathlib import Path

import pytest

from jailoc.bin.engine.task_limit import count, refused

ID = "8e89" * 16


@pytest.mark.parametrize(
    ("membership", "place"),
    [
        (f"0::/system.slice/docker-{ID}.scope\n", f"system.slice/docker-{ID}.scope"),
        (f"0::/docker/{ID}\n", f"docker/{ID}"),
        (f"9:memory:/docker/{ID}\n5:pids:/docker/{ID}\n", f"pids/docker/{ID}"),
    ],
    ids=["systemd", "cgroupfs", "version 1"],
)
def test_the_count_of_the_containers_group_is_found(
    membership: str, place: str, tmp_path: Path
) -> None:
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "pids.events").write_text("max 12\n")
    assert count(membership, ID, tmp_path) == 12
    assert count(membership, "another", tmp_path) is None


def test_a_path_out_of_what_is_seen_here_is_not_followed(tmp_path: Path) -> None:
    assert count(f"0::/../{ID}\n", ID, tmp_path) is None


def test_who_does_not_run_has_no_count() -> None:
    assert refused(0, ID) is None
