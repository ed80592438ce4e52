"""Each fact of a machine has a row: how it went, what it means, and what mends it."""

from typing import Any

import pytest

from jailoc.generators.runtime.doctor import failed, judge, report
from jailoc.model.doctor import (
    CheckState,
    EngineFacts,
    Machine,
    MachinePlace,
    PortUse,
    Row,
)

HOME = "/home/alice"
CODE = MachinePlace(name="workspace secret-name", path=f"{HOME}/secret-project", kind="ext4",
             free=100 << 30, entries=1 << 20)  # fmt: skip
ENGINE = EngineFacts(
    address="unix:///var/run/docker.sock (default)", version="28.5", compose="2.40",
    name="Debian", cgroup="2", driver="overlay2", offset=0.2,
    folder=MachinePlace(name="images", path="/var/lib/docker", kind="ext4", free=100 << 30),
)  # fmt: skip
COMPANY = {"authorities": ("/usr/local/company.crt",)}
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
    assert {each.state for each in found.values()} == {CheckState.OK}
    assert not any(each.mend or each.meaning for each in found.values())
    assert {"engine", "compose", "user namespaces", "AppArmor", "cgroups", "user", "names (DNS)",
            "proxy", "keyring", "ports", "clock", "configuration"} <= {*found}  # fmt: skip


def test_a_machine_with_authorities_of_its_own_gets_the_whole_line_to_write() -> None:
    file = f"{HOME}/.config/jailoc/config.toml"
    row = rows(**COMPANY, file=file)["certificates"]
    assert (
        row.mend == f'write `ca_certificates = ["/usr/local/company.crt"]` below [base] in {file}'
    )
    assert rows(**COMPANY, certificates=True)["certificates"].state is CheckState.OK
    assert "certificates" not in rows()
    text = report(Machine.model_validate(WELL | COMPANY | {"file": file}), (row,), HOME)
    assert "company" not in text


FAULTS = [
    ("engine", CheckState.FAIL, engine(trouble="Docker is not running", mend="start Docker")),
    ("engine's place", CheckState.WARN, engine(local=False)),
    ("engine's user", CheckState.WARN, engine(security=("name=rootless",))),
    ("subordinate ids", CheckState.FAIL, engine(security=("name=rootless",)) | {"subuid": False}),
    ("image store", CheckState.WARN, engine(driver="vfs")),
    ("cgroups", CheckState.WARN, engine(memory_limits=False)),
    ("user namespaces", CheckState.FAIL, {"namespaces": 0}),
    ("user namespaces", CheckState.FAIL, {"unprivileged": False}),
    ("AppArmor", CheckState.WARN, {"apparmor": True}),
    ("services", CheckState.WARN, {"reverse_path": False}),
    ("/dev/net/tun", CheckState.FAIL, {"tunnels": False}),
    ("user", CheckState.WARN, {"uid": 0}),
    ("file system of workspace secret-name", CheckState.WARN, place(exists=False)),
    ("file system of workspace secret-name", CheckState.FAIL, place(writable=False)),
    ("file system of workspace secret-name", CheckState.WARN, place(kind="nfs4")),
    ("file system of workspace secret-name", CheckState.WARN, place(kind="virtiofs")),
    ("file system of workspace secret-name", CheckState.WARN, place(kind="overlay")),
    ("file system of workspace secret-name", CheckState.WARN, place(folds=True)),
    ("room for workspace secret-name", CheckState.WARN, place(free=500 << 20)),
    ("room for workspace secret-name", CheckState.FAIL, place(free=0)),
    ("room for workspace secret-name", CheckState.WARN, place(entries=3)),
    ("room for images", CheckState.WARN, engine(folder=ENGINE.folder and ENGINE.folder.model_copy(
        update={"free": 3 << 30}))),
    ("names (DNS)", CheckState.FAIL, {"resolvers": ()}),
    ("certificates", CheckState.WARN, COMPANY),
    ("proxy", CheckState.WARN, {"proxies": ("HTTPS_PROXY",)}),
    ("keyring", CheckState.FAIL, {"keyring": "no keyring is there", "password_mode": "keyring"}),
    ("port", CheckState.WARN, {"ports": (PortUse(workspace="a", port=4096, taken=True),)}),
    ("clock", CheckState.FAIL, {"year": 1970}),
    ("clock", CheckState.WARN, engine(offset=-120.0)),
    ("configuration", CheckState.FAIL, {"config": "line 1: wrong", "config_valid": False}),
]  # fmt: skip


@pytest.mark.parametrize(("check", "state", "changes"), FAULTS)
def test_a_fault_is_one_row_with_its_meaning_and_what_mends_it(
    check: str, state: CheckState, changes: dict[str, Any]
) -> None:
    machine = Machine.model_validate(WELL | changes)
    found = judge(machine)
    (row,) = (each for each in found if each.check == check)
    assert row.state is state
    assert row.meaning
    assert row.mend
    assert failed(found) == any(each.state is CheckState.FAIL for each in found)


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
