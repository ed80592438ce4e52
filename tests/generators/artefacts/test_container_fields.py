"""What an engine tells of a container is read alike, however it spells it."""

from typing import Any

import pytest

from jailoc.generators.artefacts.container_fields import expected, found
from jailoc.model.compose import Tmpfs
from jailoc.model.sandbox import WALL
from tests.strategies import bundle_of


def inspected(**host: Any) -> dict[str, Any]:
    """Return the least that `docker inspect` says, with more of how the container was made."""
    return {
        "Config": {"Image": "wall:1"},
        "HostConfig": {"NetworkMode": "bridge", **host},
        "NetworkSettings": {"Networks": {}},
    }


def test_a_file_system_in_memory_is_the_same_on_docker_and_on_podman() -> None:
    wall = bundle_of("[workspaces.a]", "a").compose.services[WALL]
    (memory,) = (each for each in wall.mounts if isinstance(each, Tmpfs))
    wanted = expected(wall, "jailoc-a")[f"mounts.{memory.target}"].value
    docker = inspected(
        Mounts=[
            {
                "Type": "tmpfs",
                "Target": memory.target,
                "TmpfsOptions": {"SizeBytes": memory.size, "Mode": memory.mode},
            }
        ]
    )
    options = f"size={memory.size},mode={memory.mode:o},rw,rprivate,nosuid,nodev,tmpcopyup"
    podman = inspected(Mounts=None, Tmpfs={memory.target: options})
    for each in (docker, podman):
        assert found(each, None)[f"mounts.{memory.target}"] == wanted


@pytest.mark.parametrize("options", ["", "rw", "size=,mode=", "size=50%,mode=rwx", "size=1k"])
def test_options_of_any_other_form_are_another_file_system(options: str) -> None:
    facets = found(inspected(Tmpfs={"/run/jailoc": options}), None)
    assert facets["mounts./run/jailoc"] != "tmpfs 4194304 0755"


@pytest.mark.parametrize(
    ("mode", "networks", "told"),
    [
        ("jailoc-a_jailoc", ["jailoc-a_jailoc"], "jailoc-a_jailoc"),
        ("jailoc-a_jailoc", ["other", "jailoc-a_jailoc"], "jailoc-a_jailoc, other"),
        ("jailoc-a_jailoc", [], "none"),  # somebody has disconnected it
        ("host", [], "host"),
        ("container:1", [], "service:firewall"),
        ("container:2", [], "container:2"),
    ],
)
def test_a_container_is_in_the_networks_that_it_has(
    mode: str, networks: list[str], told: str
) -> None:
    data = inspected(NetworkMode=mode)
    data["NetworkSettings"]["Networks"] = dict.fromkeys(networks)
    assert found(data, "1")["network"] == told


@pytest.mark.parametrize(
    ("key", "value", "facet"),
    [
        ("Dns", ["10.87.60.9"], "dns"),
        ("DnsSearch", ["evil.test"], "dns.search"),
        ("DeviceRequests", [{"Count": -1}], "devices.asked"),
        ("DeviceCgroupRules", ["c 1:* rwm"], "devices.rules"),
        ("OomKillDisable", True, "memory.killer"),
        ("Ulimits", [{"Name": "core", "Hard": -1, "Soft": -1}], "ulimits"),
    ],
)
def test_what_nobody_asked_for_is_seen(key: str, value: object, facet: str) -> None:
    wall = expected(bundle_of("[workspaces.a]", "a").compose.services[WALL], "jailoc-a")
    assert facet not in wall
    empty = found(inspected(**{key: None}), None)
    assert found(inspected(**{key: value}), None).keys() - empty.keys() == {facet}
    assert facet not in empty


def test_the_servers_of_names_that_a_service_asks_for_are_as_the_engine_tells_of_them() -> None:
    text = """[workspaces.a.services.db]
image = "postgres:17"
ports = [5432]
user = "999:999"
healthcheck = ["pg_isready"]
"""
    service = bundle_of(text, "a").compose.services["db"]
    assert service.dns
    told = found(inspected(Dns=[*service.dns]), None)
    assert told["dns"] == expected(service, "jailoc-a")["dns"].value


def test_other_names_of_a_container_are_seen() -> None:
    data: dict[str, Any] = inspected()
    data |= {"Name": "/jailoc-a-firewall-1", "Id": "0123456789abcdef"}
    data["Config"]["Labels"] = {"com.docker.compose.service": "firewall"}
    usual = ["jailoc-a-firewall-1", "firewall", "0123456789ab"]
    nothing: tuple[Any, ...] = ({"Aliases": usual, "Links": None}, None)
    for more in nothing:
        data["NetworkSettings"]["Networks"] = {"jailoc-a_jailoc": more}
        assert "network.names" not in found(data, None)
    for more in ({"Aliases": [*usual, "allow.test"]}, {"Links": ["evil:allow.test"]}):
        data["NetworkSettings"]["Networks"] = {"jailoc-a_jailoc": more}
        assert "allow.test" in found(data, None)["network.names"]
