"""What is looked at from outside is known in full, or not at all."""

import pytest

from jailoc.bin.engine import witness
from jailoc.bin.engine.docker import DockerError

WHOLE = "1 0 0:1 / / rw - overlay overlay rw\n==\nPid:\t1\nPPid:\t0\n==\n"


@pytest.mark.parametrize("cut", ["", WHOLE[:10], WHOLE[:-20], WHOLE[:-3], "mounts\n==\n==\n"])
def test_an_answer_that_is_cut_off_is_asked_for_again(
    cut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [cut, cut, WHOLE]
    monkeypatch.setattr(witness, "run", lambda words, **more: answers.pop(0))
    assert witness.look("agent", "wall") == (
        "1 0 0:1 / / rw - overlay overlay rw\n",
        "Pid:\t1\nPPid:\t0\n",
    )
    assert not answers


def test_an_answer_that_never_ends_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "run", lambda words, **more: WHOLE[:-3])
    with pytest.raises(DockerError) as raised:
        witness.look("agent", "wall")
    assert "no end" in raised.value.tail
