"""What an agent may not use of the host is told with its line, its owner, and a way out."""

import pytest

from jailoc.generators.config.load import load, warnings
from jailoc.generators.config.ownership import inaccessible
from jailoc.model.document import Document
from jailoc.model.host import FileKind, Host, Ids
from jailoc.model.permissions import Permissions

TEXT = """[workspaces.api]
paths = ["~/code", "~/more"]
mounts = ["~/tools:~/tools:ro", "~/out:~/out"]
"""
PLACES = ("code", "more", "tools", "out")


def host(user: int = 1234, **owners: tuple[int, int, int]) -> Host:
    """Return a machine of a user, where places not named are that user's."""
    home = "/home/alice"
    found = {each: owners.get(each, (user, user, 0o755)) for each in PLACES}
    return Host(
        home=home,
        uid=user,
        gid=user,
        kinds={f"{home}/{each}": FileKind.DIRECTORY for each in found},
        permissions={
            f"{home}/{each}": Permissions(uid=uid, gid=gid, mode=mode)
            for each, (uid, gid, mode) in found.items()
        },
    )


def told(machine: Host) -> list[str]:
    document = Document(TEXT, "config.toml")
    found, _ = inaccessible(document, load(document, machine), "api", machine)
    return [f"{each.position.line if each.position else 0}: {each.message}" for each in found]


def able(machine: Host) -> bool:
    document = Document(TEXT, "config.toml")
    return inaccessible(document, load(document, machine), "api", machine)[1]


@pytest.mark.parametrize("user", [501, 1000, 1234])
def test_of_ones_own_files_nothing_is_said(user: int) -> None:
    assert told(host(user)) == []
    assert able(host(user))


@pytest.mark.parametrize("owner", [(0, 0, 0o777), (0, 1234, 0o775), (7, 1234, 0o070)])
def test_of_what_others_let_the_agent_write_nothing_is_said(owner: tuple[int, int, int]) -> None:
    assert told(host(code=owner)) == []


def test_each_place_is_told_with_its_line_and_owner() -> None:
    machine = host(code=(501, 20, 0o755), tools=(0, 0, 0o700), out=(0, 0, 0o755))
    assert told(machine) == [
        "2: the agent cannot write `/home/alice/code`, which is UID 501's, group 20, mode 0755: it "
        "works as UID 1234, who runs jailoc",
        "3: the agent cannot read `/home/alice/tools`, which is root's, group 0, mode 0700: it "
        "works as UID 1234, who runs jailoc",
        "3: the agent cannot write `/home/alice/out`, which is root's, group 0, mode 0755: it "
        "works as UID 1234, who runs jailoc",
    ]
    assert able(machine), "one of its paths is left"


def test_an_agent_that_can_write_no_path_cannot_work() -> None:
    assert not able(host(code=(0, 0, 0o755), more=(0, 0, 0o755)))


def test_a_read_only_file_system_is_called_that() -> None:
    machine = host()
    place = machine.permissions["/home/alice/code"].model_copy(update={"read_only": True})
    machine = machine.model_copy(
        update={"permissions": machine.permissions | {"/home/alice/code": place}}
    )
    (line,) = told(machine)
    assert line.endswith("its file system is read-only")


def test_on_an_engine_that_shifts_ids_who_is_behind_the_agent_counts() -> None:
    shifted = host().model_copy(update={"ids": Ids.SHIFTED, "shifted": (100999, 100999)})
    assert len(told(shifted)) == 3
    assert "UID 100999 of this machine" in told(shifted)[0]
    assert not able(shifted)
    unknown = shifted.model_copy(update={"shifted": None})
    assert told(unknown) == []
    assert able(unknown)


def test_in_a_virtual_machine_owners_say_nothing() -> None:
    machine = host(501, code=(0, 0, 0o700)).model_copy(update={"ids": Ids.SHARED})
    assert told(machine) == []


def test_a_load_warns() -> None:
    machine = host(code=(501, 20, 0o755))
    document = Document(TEXT, "config.toml")
    found = warnings(document, load(document, machine), machine)
    assert [each.code for each in found] == ["permission"]
