"""The agent is whose files it works on, and never root."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.model.host import Host, Ids
from jailoc.model.permissions import Permissions
from jailoc.model.user import RESERVED, Reason, agent_user

HOST = Host(home="/home/alice")
IDS = st.sampled_from([0, 1, 1000, 1234, 65530, 65532, 65533, 65534, 100_000, 4_000_000_000])


def of(uid: int, gid: int, mode: int = 0o755) -> dict[str, Permissions]:
    return {"/code": Permissions(uid=uid, gid=gid, mode=mode)}


@pytest.mark.parametrize(
    ("facts", "user", "reason"),
    [
        ({}, "1000:1000", Reason.INVOKER),
        ({"uid": 1234, "gid": 1234}, "1234:1234", Reason.INVOKER),
        ({"uid": 1234, "gid": 100}, "1234:100", Reason.INVOKER),
        ({"uid": 1234, "gid": 0}, "1234:1234", Reason.INVOKER),
        ({"uid": 1234, "gid": 1234, "ids": Ids.SHIFTED}, "1000:1000", Reason.MAPPED),
        ({"uid": 501, "gid": 20, "ids": Ids.SHARED}, "1000:1000", Reason.MAPPED),
        ({"uid": 0, "gid": 0}, "1000:1000", Reason.NOBODY),
        ({"uid": 0, "gid": 0, "permissions": of(0, 0)}, "1000:1000", Reason.NOBODY),
        ({"uid": 0, "gid": 0, "permissions": of(1234, 50)}, "1234:50", Reason.OWNER),
        ({"uid": 0, "gid": 0, "permissions": of(1234, 0)}, "1234:1234", Reason.OWNER),
        (
            {"uid": 0, "gid": 0, "permissions": of(1234, 50), "sudo": (177, 78)},
            "1234:50",
            Reason.OWNER,
        ),
        ({"uid": 0, "gid": 0, "permissions": of(0, 0), "sudo": (177, 78)}, "177:78", Reason.SUDO),
        ({"uid": 0, "gid": 0, "sudo": (0, 0)}, "1000:1000", Reason.NOBODY),
        ({"uid": 65533, "gid": 65533}, "1000:1000", Reason.NOBODY),
        ({"uid": 65530, "gid": 65530}, "1000:1000", Reason.NOBODY),
        ({"uid": 0, "gid": 0, "permissions": of(33, 33)}, "1000:1000", Reason.NOBODY),
    ],
)  # fmt: skip
def test_the_agent_is_the_owner_of_what_it_works_on(
    facts: dict[str, object], user: str, reason: Reason
) -> None:
    found = agent_user(HOST.model_copy(update=facts), ("/code",))
    assert (found.text, found.reason) == (user, reason)


@pytest.mark.parametrize(
    ("permissions", "gid"),
    [
        (of(1234, 1234), 1234),
        (of(0, 2000, 0o775), 2000),
        (of(0, 2000, 0o755), 1234),  # the group may not write either
        (of(0, 3000, 0o775), 1234),  # not one of theirs
        (of(0, 0, 0o775), 1234),  # never root's group
        (of(1234, 2000, 0o775), 1234),  # not needed
    ],
)
def test_a_group_of_the_user_that_may_write_is_the_agents(
    permissions: dict[str, Permissions], gid: int
) -> None:
    host = HOST.model_copy(
        update={"uid": 1234, "gid": 1234, "groups": (0, 1234, 2000), "permissions": permissions}
    )
    assert agent_user(host, ("/code",)).gid == gid


@given(IDS, IDS, IDS, IDS, st.none() | st.tuples(IDS, IDS), st.sampled_from(Ids), st.lists(IDS))
def test_no_agent_is_root_or_a_user_of_the_sandbox_itself(
    uid: int, gid: int, owner: int, group: int, sudo: tuple[int, int] | None, ids: Ids,
    groups: list[int],
) -> None:  # fmt: skip
    facts = {"uid": uid, "gid": gid, "sudo": sudo, "ids": ids, "groups": tuple(groups),
             "permissions": of(owner, group, 0o775)}  # fmt: skip
    found = agent_user(HOST.model_copy(update=facts), ("/code",))
    assert not {found.uid, found.gid} & RESERVED
    assert found.uid >= 100
