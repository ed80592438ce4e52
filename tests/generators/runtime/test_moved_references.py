"""Which branches an undo moves, in words."""

from jailoc.generators.runtime.moved_references import moves

A, B = "a" * 40, "b" * 64


def test_what_moves_is_said_from_where_to_where() -> None:
    old = {"refs/heads/main": A, "refs/heads/lost": A, "refs/heads/same": A}
    new = {"refs/heads/main": B, "refs/jailoc/api/fix": B, "refs/heads/same": A}
    assert list(moves(old, new)) == [
        "branch lost comes back, at aaaaaaaa",
        "branch main returns from bbbbbbbb to aaaaaaaa",
        "refs/jailoc/api/fix goes, which is at bbbbbbbb",
    ]
    many = {f"refs/heads/{number:02}": A for number in range(20)}
    assert list(moves({}, many))[-1] == "... and 12 more branches or references"
