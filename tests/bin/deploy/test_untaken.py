"""What has the name of a workspace's volume or network, and is not its own, stops a start."""

from collections.abc import Mapping

import pytest

from jailoc.bin.deploy import existence
from jailoc.model.diagnostic import Refused
from tests.strategies import bundle_of

MINE, OTHER = "jailoc-api", "app"
DATA, SECRETS = "jailoc-api_opencode-data-api", "jailoc-api_secrets"
TMPFS = {"type": "tmpfs", "device": "tmpfs", "o": "size=1,uid=7,mode=0700"}


@pytest.mark.parametrize(
    ("networks", "volumes", "made", "told"),
    [
        ([], [], {}, ()),
        ([("jailoc-api_jailoc", MINE)], [(DATA, MINE)], {DATA: {}}, ()),
        # Of another size or user, as an earlier configuration had it.
        ([], [(SECRETS, MINE)], {SECRETS: TMPFS}, ()),
        ([], [("jailoc-api_else", OTHER), ("jailoc-api_fix_secrets", OTHER)], {}, ()),
        ([("jailoc-api_jailoc", OTHER)], [], {}, ("network `jailoc-api_jailoc`",)),
        ([("jailoc-api_jailoc", ""), ("jailoc-api_jailoc", MINE)], [], {}, ("network",)),
        ([], [(DATA, ""), (SECRETS, OTHER)], {DATA: {}, SECRETS: TMPFS}, (DATA, SECRETS)),
        # The maker's own directory, with the right label.
        ([], [(SECRETS, MINE)], {SECRETS: {"type": "none", "device": "/home/me/p"}}, (SECRETS,)),
        ([], [(DATA, MINE)], {DATA: {"type": "none", "device": "/home/me/p"}}, (DATA,)),
    ],
)
def test_only_ones_own_is_taken(
    networks: list[tuple[str, str]],
    volumes: list[tuple[str, str]],
    made: Mapping[str, dict[str, str]],
    told: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = {"network": networks, "volume": volumes}
    monkeypatch.setattr(existence, "named", lambda kind, _: there[kind])
    monkeypatch.setattr(existence, "options", lambda names: {name: made[name] for name in names})
    bundle = bundle_of("[workspaces.api]\n", "api")
    if not told:
        existence.untaken(bundle)
        return
    with pytest.raises(Refused) as refused:
        existence.untaken(bundle)
    (only,) = refused.value.diagnostics
    assert only.code == "foreign"
    for each in told:
        assert each in only.message
