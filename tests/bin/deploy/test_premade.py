"""What has the name of a workspace's volume or network, and is not its own, stops a start."""

import json
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from jailoc.bin.deploy import premade
from jailoc.bin.engine import containers, disk, network
from jailoc.bin.engine.named import MadeVolume
from jailoc.bin.engine.neighbours import Neighbour
from jailoc.bin.engine.volumes import proof
from jailoc.bin.host import files, records
from jailoc.generators.plan.inputs import Given
from jailoc.generators.plan.record import applied
from jailoc.model.bundle import Bundle
from jailoc.model.deployed import Deployed
from jailoc.model.diagnostic import Refused
from tests.strategies import bundle_of

MINE, OTHER, KEY = "jailoc-api", "app", b"key"
DATA, SECRETS, NETWORK = "jailoc-api_opencode-data-api", "jailoc-api_secrets", "jailoc-api_jailoc"
SHARED, TRUST = "jailoc_shared-pip", "jailoc-api_trust"
SERVICE = {"Labels": {"com.docker.compose.service": "opencode"}}
PLACE = "/home/me/p"


def bundle() -> Bundle:
    return bundle_of('[workspaces.api]\nvolumes = ["shared:pip:~/.cache/pip"]\n', "api")


def volume(
    kind: str = "", device: str | None = None, project: str = MINE, made: str = "", user: str = ""
) -> MadeVolume:
    where = kind if device is None else device
    return MadeVolume("local", kind, where, project, made, user)


def proven(name: str, key: bytes = KEY, device: str = "") -> MadeVolume:
    return volume(device=device, made=proof(name, key))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(each, str(tmp_path / each))
    monkeypatch.setattr(containers, "inspected", lambda _: [])


Engine = Callable[[list[tuple[str, str]], dict[str, MadeVolume]], None]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    def there(networks: list[tuple[str, str]], volumes: dict[str, MadeVolume]) -> None:
        every = {"network": networks, "volume": [(each, "") for each in volumes]}
        monkeypatch.setattr(
            premade, "named",
            lambda kind, part: [each for each in every[kind] if part in each[0]],
        )  # fmt: skip
        monkeypatch.setattr(premade, "made", lambda names: {name: volumes[name] for name in names})

    return there


@pytest.mark.parametrize(
    ("networks", "volumes", "told"),
    [
        ([], {}, ()),
        ([(NETWORK, MINE)], {DATA: proven(DATA)}, ()),
        ([], {SECRETS: volume("tmpfs")}, ()),
        ([], {"jailoc-api_else": volume(project=OTHER)}, ()),
        ([(NETWORK, OTHER)], {}, (f"network `{NETWORK}`",)),
        ([(NETWORK, ""), (NETWORK, MINE)], {}, ("network",)),
        ([], {DATA: volume(project=""), SECRETS: volume("tmpfs", project=OTHER)}, (DATA, SECRETS)),
        # The maker's own directory, with the right label.
        ([], {SECRETS: volume("none", PLACE)}, (SECRETS,)),
        ([], {SECRETS: volume("overlay", "tmpfs")}, (SECRETS,)),
        ([], {DATA: proven(DATA, device=PLACE)}, (DATA,)),
        # What labels say, anybody's compose file says.
        ([], {DATA: volume()}, (DATA,)),
        ([], {DATA: proven(DATA, b"else")}, (DATA,)),
        ([], {DATA: proven("jailoc-api_else")}, (DATA,)),
        ([], {DATA: volume(user="4242")}, (DATA,)),
        ([], {SHARED: proven(SHARED)}, ()),
        ([], {SHARED: volume()}, (SHARED,)),
        ([], {SHARED: proven(SHARED, device=PLACE)}, (SHARED,)),
        ([], {"jailoc_shared-npm": volume()}, ()),
        # Whose it is is told where it would be made.
        ([], {SHARED: volume(user="4242")}, ()),
    ],
)
def test_only_ones_own_is_taken(
    networks: list[tuple[str, str]],
    volumes: dict[str, MadeVolume],
    told: tuple[str, ...],
    engine: Engine,
) -> None:
    engine(networks, volumes)
    if not told:
        premade.untaken(bundle(), KEY)
        return
    with pytest.raises(Refused) as refused:
        premade.untaken(bundle(), KEY)
    (only,) = refused.value.diagnostics
    assert only.code == "foreign"
    for each in told:
        assert each in only.message


def started(unproven: tuple[str, ...] | None) -> None:
    """Write down that a start had the volumes."""
    given = Given(config="c", names=("api",), key=KEY)
    made = applied(bundle(), given, Deployed(workspace="api"))
    made = made.model_copy(update={"unproven": unproven})
    place = records.record("api")
    files.make_private(place.parent)
    place.write_text(
        json.dumps({"version": 0, **made.model_dump(mode="json", exclude={"version"})})
    )


@pytest.mark.parametrize("how", ["applied", "applied without a proof", "marked", "used"])
def test_so_is_what_the_last_start_had_and_what_its_user_says_is_his(
    how: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine([], {DATA: volume(), SHARED: volume()})
    if how.startswith("applied"):
        started((DATA, SHARED) if "without" in how else None)
    elif how == "used":
        mounts = [{"Name": each} for each in (DATA, SHARED)]
        own = {"Id": "1", "Config": SERVICE, "NetworkSettings": {}, "Mounts": mounts}
        monkeypatch.setattr(containers, "inspected", lambda _: [own])
    else:
        for each in (DATA, SHARED):
            files.make_private(premade.mark("api", each))
    premade.untaken(bundle(), KEY)
    engine([], {SECRETS: volume("none", PLACE), DATA: volume("none", PLACE)})
    with pytest.raises(Refused, match=f"{DATA}.*{SECRETS}"):
        premade.untaken(bundle(), KEY)


def test_what_was_made_in_the_place_of_one_with_a_proof_is_nobodys(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that the last start had is no proof where what it had was one."""
    monkeypatch.setattr(premade, "neighbours", lambda *_: ())
    started((SHARED,))
    engine([], {DATA: proven(DATA), SHARED: volume()})
    premade.untaken(bundle(), KEY)
    assert premade.renew(bundle(), KEY) == {SHARED}
    engine([], {DATA: volume(), SHARED: volume()})
    # Nor is it because a container has it that calls itself the workspace's.
    own = {"Id": "1", "Config": SERVICE, "NetworkSettings": {}, "Mounts": [{"Name": DATA}]}
    monkeypatch.setattr(containers, "inspected", lambda _: [own])
    with pytest.raises(Refused, match=f"has not made volume `{DATA}`, which"):
        premade.untaken(bundle(), KEY)


def test_what_no_container_of_the_workspace_has_is_made_anew(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone: list[str] = []
    own = {"Id": "1", "Config": SERVICE, "NetworkSettings": {"Networks": {NETWORK: {}}},
           "Mounts": [{"Type": "volume", "Name": SECRETS}, {"Type": "bind"}]}  # fmt: skip
    every = {SECRETS: volume("tmpfs"), TRUST: volume("tmpfs"), DATA: proven(DATA)}
    engine([(NETWORK, MINE)], every)
    asked: list[tuple[Collection[str], Collection[str]]] = []
    others: list[Neighbour] = []

    def beside(containers: Collection[str], names: Collection[str]) -> list[Neighbour]:
        asked.append((containers, names))
        return others

    monkeypatch.setattr(premade, "neighbours", beside)
    monkeypatch.setattr(network, "remove", gone.append)
    monkeypatch.setattr(disk, "remove_volume", gone.append)
    monkeypatch.setattr(containers, "inspected", lambda _: [own])
    wanted = bundle_of(
        '[workspaces.api]\nallowed_hosts = ["a.example.com"]\n'
        '[workspaces.api.credentials.own]\nhosts = ["a.example.com"]\nfrom_env = "TOKEN"\n',
        "api",
    )
    premade.renew(wanted, KEY)
    assert gone == [TRUST]
    # One that is not there yet can be named beforehand, too; what holds data may be in a backup.
    assert asked == [({"1"}, {TRUST, "jailoc-api_credentials"})]
    gone.clear()
    monkeypatch.setattr(containers, "inspected", lambda _: [])
    premade.renew(wanted, KEY)
    assert gone == [NETWORK, SECRETS, TRUST]
    # What is none of its services is beside it, too, whatever it calls itself.
    own["Config"] = {"Labels": {"com.docker.compose.service": "web"}}
    monkeypatch.setattr(containers, "inspected", lambda _: [own])
    premade.renew(wanted, KEY)
    assert asked[-1][0] == set()
    gone.clear()
    others.append(Neighbour("web", (NETWORK,)))
    with pytest.raises(Refused, match=f"`web` .{NETWORK}. would be beside"):
        premade.renew(wanted, KEY)
    assert gone == []
