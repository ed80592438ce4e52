"""What is said of a workspace that has started is short, true, and can be typed."""

from jailoc.generators.config.resolve import resolve
from jailoc.generators.views.started import started
from tests.strategies import HOST, Table, config_of, toml


def said(mine: Table) -> list[str]:
    return list(started(resolve(config_of(toml({"api": mine})), "api", HOST), HOST.home))


def test_the_address_the_command_and_what_is_open_are_a_line_each() -> None:
    assert said({"paths": ["~/code"], "allowed_networks": ["10.1.0.0/16", "10.2.0.1/32:22"],
                 "allowed_hosts": ["git.example.com:443"], "host_ports": [5432]}) == [
        "server: http://127.0.0.1:4096",
        "attach: jailoc ~/code",
        "open:   every public address; git.example.com:443, 10.1.0.0/16, 10.2.0.1:22; "
        "of this machine port 5432",
    ]  # fmt: skip


def test_published_ports_and_services_are_named_as_they_are_reached() -> None:
    text = """
[workspaces.api]
ports = ["3000", "8080:80"]
[workspaces.api.services.db]
image = "postgres:16"
ports = [5432]
healthcheck = ["pg_isready"]
user = "999:999"
"""
    assert list(started(resolve(config_of(text), "api", HOST), HOST.home))[2:4] == [
        "ports:  127.0.0.1:3000, 127.0.0.1:8080 (80 inside)",
        "beside: db:5432",
    ]


def test_what_is_closed_is_not_called_open() -> None:
    mine: Table = {"egress": "allowlist", "allowed_hosts": ["a.example:443"]}
    assert said(mine)[-1] == "open:   only a.example:443"
    for egress in ("allowlist", "none"):
        assert said({"egress": egress})[-1] == "open:   nothing"


def test_many_are_counted() -> None:
    hosts = [f"h{each}.example" for each in range(9)]
    assert said({"allowed_hosts": hosts})[-1].endswith("h3.example and 5 more")


def test_without_a_path_that_a_shell_takes_as_it_is_the_workspace_is_named() -> None:
    assert "attach: jailoc -w api" in said({"paths": ["/data/a b"]})
    assert said({"expose_port": False})[0] == "attach: jailoc -w api"
