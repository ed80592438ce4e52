"""Each fact of a machine has a row: how it went, what it means, and what mends it."""

from typing import Any

import pytest

from jailoc.generators.runtime.doctor import failed, judge, report
from jailoc.model.doctor import EngineFacts, Machine, Place, PortUse, Row, State

HOME = "/home/alice"
CODE = Place(name="workspace secret-name", path=f"{HOME}/secret-project", kind="ext4",
             free=100 << 30, entries=1 << 20)  # fmt: skip
ENGINE = EngineFacts(
    address="unix:///var/run/docker.sock (default)", version="28.5", compose="2.40",
    name="Debian", cgroup="2", driver="overlay2", offset=0.2,
    folder=Place(name="images", path="/var/lib/docker", kind="ext4", free=100 << 30),
)  # fmt: skip
WELL: dict[str, Any] = {
    "jailoc": "1", "python": "3.13.1", "system": "Linux", "year": 2027, "config": "c: valid",
    "engine": ENGINE, "uid": 1000, "gid": 1000, "subuid": True, "namespaces": 15000,
    "places": (CODE,), "resolvers": ("10.0.0.1",), "ports": (PortUse(workspace="secret-name",
                                                                   port=4096, taken=False),),
}  # fmt: skip


def rows(**changes: Any) -> dict[str, Row]:
    return {each.check: each for each in judge(Machine.model_validate(WELL | changes))}


def engine(**changes: Any) -> dict[str, Any]:
    return {"engine": ENGINE.model_copy(update=changes)}


def place(**changes: Any) -> dict[str, Any]:
    return {"places": (CODE.model_copy(update=changes),)}


def test_a_machine_without_fault_has_nothing_to_mend() -> None:
    found = rows()
    assert {each.state for each in found.values()} == {State.OK}
    assert not any(each.mend or each.meaning for each in found.values())
    assert {"engine", "compose", "user namespaces", "AppArmor", "cgroups", "user", "names (DNS)",
            "proxy", "keyring", "ports", "clock", "configuration"} <= {*found}  # fmt: skip


FAULTS = [
    ("engine", State.FAIL, engine(trouble="Docker is not running", mend="start Docker")),
    ("engine's place", State.WARN, engine(local=False)),
    ("engine's user", State.WARN, engine(security=("name=rootless",))),
    ("subordinate ids", State.FAIL, engine(security=("name=rootless",)) | {"subuid": False}),
    ("image store", State.WARN, engine(driver="vfs")),
    ("cgroups", State.WARN, engine(memory_limits=False)),
    ("user namespaces", State.FAIL, {"namespaces": 0}),
    ("user namespaces", State.FAIL, {"unprivileged": False}),
    ("AppArmor", State.WARN, {"apparmor": True}),
    ("/dev/net/tun", State.FAIL, {"tunnels": False}),
    ("user", State.WARN, {"uid": 0}),
    ("files of workspace secret-name", State.WARN, place(exists=False)),
    ("files of workspace secret-name", State.FAIL, place(writable=False)),
    ("files of workspace secret-name", State.WARN, place(kind="nfs4")),
    ("files of workspace secret-name", State.WARN, place(kind="virtiofs")),
    ("files of workspace secret-name", State.WARN, place(kind="overlay")),
    ("files of workspace secret-name", State.WARN, place(folds=True)),
    ("room for workspace secret-name", State.WARN, place(free=500 << 20)),
    ("room for workspace secret-name", State.FAIL, place(free=0)),
    ("room for workspace secret-name", State.WARN, place(entries=3)),
    ("room for images", State.WARN, engine(folder=ENGINE.folder and ENGINE.folder.model_copy(
        update={"free": 3 << 30}))),
    ("names (DNS)", State.FAIL, {"resolvers": ()}),
    ("proxy", State.WARN, {"proxies": ("HTTPS_PROXY",)}),
    ("keyring", State.FAIL, {"keyring": "no keyring is there", "password_mode": "keyring"}),
    ("port", State.WARN, {"ports": (PortUse(workspace="a", port=4096, taken=True),)}),
    ("clock", State.FAIL, {"year": 1970}),
    ("clock", State.WARN, engine(offset=-120.0)),
    ("configuration", State.FAIL, {"config": "line 1: wrong", "config_valid": False}),
]  # fmt: skip


@pytest.mark.parametrize(("check", "state", "changes"), FAULTS)
def test_a_fault_is_one_row_with_its_meaning_and_what_mends_it(
    check: str, state: State, changes: dict[str, Any]
) -> None:
    machine = Machine.model_validate(WELL | changes)
    found = judge(machine)
    (row,) = (each for each in found if each.check == check)
    assert row.state is state
    assert row.meaning
    assert row.mend
    assert failed(found) == any(each.state is State.FAIL for each in found)


def test_a_report_names_nobody_and_nothing_of_the_users() -> None:
    machine = Machine.model_validate(
        WELL
        | engine(address="ssh://alice@build.example.com (DOCKER_HOST)")
        | {"proxies": ("HTTPS_PROXY",), "config": f"{HOME}/.config/jailoc/config.toml: valid"}
    )
    text = report(machine, judge(machine), HOME)
    for word in ("alice", "secret", "example", "10.0.0.1", "config.toml"):
        assert word not in text
    assert "| engine | ok | 28.5 at (ssh), Debian |" in text
    assert "HTTPS_PROXY" in text
