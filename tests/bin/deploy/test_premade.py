"""What has the name of a workspace's volume or network, and is not its own, stops a start."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from jailoc.bin.deploy import existence, observe, premade
from jailoc.bin.engine import containers, disk, network
from jailoc.bin.engine.docker import DockerError
from jailoc.bin.engine.named import MadeVolume
from jailoc.bin.engine.volumes import proof
from jailoc.bin.host import files
from jailoc.generators.plan.inputs import Given
from jailoc.generators.plan.record import applied
from jailoc.model.bundle import Bundle
from jailoc.model.deployed import Deployed
from jailoc.model.diagnostic import Refused
from jailoc.model.sandbox import COMPOSE_PROJECT, MADE_LABEL, SHARED_USER_LABEL
from tests.strategies import bundle_of

MINE, OTHER, KEY = "jailoc-api", "app", b"key"
DATA, SECRETS, NETWORK = "jailoc-api_opencode-data-api", "jailoc-api_secrets", "jailoc-api_jailoc"
SHARED = "jailoc_shared-pip"
TMPFS = {"type": "tmpfs", "device": "tmpfs", "o": "size=1,uid=7,mode=0700"}
BIND = {"type": "none", "device": "/home/me/p", "o": "bind"}


def bundle() -> Bundle:
    return bundle_of('[workspaces.api]\nvolumes = ["shared:pip:~/.cache/pip"]\n', "api")


def volume(
    options: Mapping[str, str] | None = None, project: str = MINE, **labels: str
) -> MadeVolume:
    return MadeVolume({COMPOSE_PROJECT: project, **labels}, dict(options or {}))


def proven(name: str, key: bytes = KEY, options: Mapping[str, str] | None = None) -> MadeVolume:
    return volume(options, MINE, **{MADE_LABEL: proof(name, key)})


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
        # Of another size or user, as an earlier configuration had it.
        ([], {SECRETS: volume(TMPFS)}, ()),
        ([], {"jailoc-api_else": volume(project=OTHER)}, ()),
        ([(NETWORK, OTHER)], {}, (f"network `{NETWORK}`",)),
        ([(NETWORK, ""), (NETWORK, MINE)], {}, ("network",)),
        ([], {DATA: volume(project=""), SECRETS: volume(TMPFS, OTHER)}, (DATA, SECRETS)),
        # The maker's own directory, with the right label.
        ([], {SECRETS: volume(BIND)}, (SECRETS,)),
        ([], {SECRETS: volume(TMPFS | {"type": "overlay"})}, (SECRETS,)),
        ([], {DATA: proven(DATA, options=BIND)}, (DATA,)),
        # What labels say, anybody's compose file says.
        ([], {DATA: volume()}, (DATA,)),
        ([], {DATA: proven(DATA, b"else")}, (DATA,)),
        ([], {DATA: proven("jailoc-api_else")}, (DATA,)),
        ([], {DATA: volume(None, MINE, **{SHARED_USER_LABEL: "4242"})}, (DATA,)),
        ([], {SHARED: proven(SHARED)}, ()),
        ([], {SHARED: volume()}, (SHARED,)),
        ([], {SHARED: proven(SHARED, options=BIND)}, (SHARED,)),
        ([], {"jailoc_shared-npm": volume()}, ()),
        # Whose it is is told where it would be made.
        ([], {SHARED: volume(None, MINE, **{SHARED_USER_LABEL: "4242"})}, ()),
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


@pytest.mark.parametrize("how", ["applied", "marked", "used"])
def test_so_is_what_the_last_start_had_and_what_its_user_says_is_his(
    how: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine([], {DATA: volume(), SHARED: volume()})
    if how == "applied":
        made = applied(
            bundle(), Given(config="c", names=("api",), key=KEY), Deployed(workspace="api")
        )
        place = observe.record("api")
        files.make_private(place.parent)
        place.write_text(
            json.dumps({"version": 0, **made.model_dump(mode="json", exclude={"version"})})
        )
    elif how == "used":
        mounts = [{"Name": each} for each in (DATA, SHARED)]
        own = {"NetworkSettings": {}, "Mounts": mounts}
        monkeypatch.setattr(containers, "inspected", lambda _: [own])
    else:
        files.make_private(existence.kept("api"))
    premade.untaken(bundle(), KEY)
    engine([], {SECRETS: volume(BIND), DATA: volume(BIND)})
    with pytest.raises(Refused, match=f"{DATA}.*{SECRETS}"):
        premade.untaken(bundle(), KEY)


def test_what_no_container_of_the_workspace_has_is_made_anew(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone: list[str] = []
    own = {"NetworkSettings": {"Networks": {NETWORK: {}}},
           "Mounts": [{"Type": "volume", "Name": SECRETS}, {"Type": "bind"}]}  # fmt: skip
    every = {SECRETS: volume(TMPFS), "jailoc-api_trust": volume(TMPFS), DATA: proven(DATA)}
    engine([(NETWORK, MINE)], every)
    monkeypatch.setattr(network, "remove", gone.append)
    monkeypatch.setattr(disk, "remove_volume", gone.append)
    monkeypatch.setattr(containers, "inspected", lambda _: [own])
    wanted = bundle_of(
        '[workspaces.api]\nallowed_hosts = ["a.example.com"]\n'
        '[workspaces.api.credentials.own]\nhosts = ["a.example.com"]\nfrom_env = "TOKEN"\n',
        "api",
    )
    premade.renew(wanted, KEY)
    assert gone == ["jailoc-api_trust"]
    gone.clear()
    monkeypatch.setattr(containers, "inspected", lambda _: [])
    premade.renew(wanted, KEY)
    assert gone == [NETWORK, SECRETS, "jailoc-api_trust"]

    def busy(name: str) -> None:
        raise DockerError("removing", [name], 1, "volume is in use")

    monkeypatch.setattr(disk, "remove_volume", busy)
    with pytest.raises(Refused, match=f"none of `api` has its volume `{SECRETS}`"):
        premade.renew(wanted, KEY)
