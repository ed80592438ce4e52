"""`explain` answers from the compiled rules, with the line of the file that decides."""

import json

import jsonschema
import pytest

from jailoc.schemas import schema
from tests.engine.world import User

FILE = """\
[defaults]
allowed_networks = ["10.1.0.0/16"]
[workspaces.api]
allowed_hosts = ["db.test:5432", "10.9.0.1"]
host_ports = [11434]
"""


@pytest.mark.parametrize(
    ("target", "words", "place"),
    [
        ("10.1.2.3:443", "open    10.1.2.3/32  tcp 443  because of defaults.allowed_networks[0]",
         "2:21"),
        ("10.9.0.1:1", "open    10.9.0.1/32  udp 1  because of workspaces.api.allowed_hosts[1]",
         "4:34"),
        ("db.test:5432", "open    db.test  port 5432  because of workspaces.api.allowed_hosts[0]",
         "4:18"),
        ("host.docker.internal:11434", "open    host.docker.internal  port 11434", "5:15"),
        ("10.2.0.1:443", "closed  10.2.0.1/32  tcp 443  because of private (RFC 1918)", ""),
        ("169.254.169.254:80", "closed  169.254.169.254/32  tcp 80", ""),
        ("1.1.1.1:443", "open    1.1.1.1/32  tcp 443  because of public", ""),
        ("[fd00::1]:443", "closed  fd00::1/128  tcp 443", ""),
        ("10.0.0.0/15:80", "closed  10.0.0.0/16  tcp 80  because of private", ""),
        ("10.0.0.0/15:80", "open    10.1.0.0/16  tcp 80", "2:21"),
    ],
)  # fmt: skip
def test_an_answer_names_the_rule_and_the_line(
    user: User, target: str, words: str, place: str
) -> None:
    user.write(FILE)
    lines = [line for line in user.ok("explain", "api", target).splitlines() if words in line]
    assert len(lines) == 1
    assert lines[0].endswith(f"({user.config}:{place})") == bool(place)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (
            "a.example.test:443",
            "open    *.example.test  port 443  because of defaults.allowed_hosts[0]",
        ),
        ("a.b.example.test", "open    *.example.test  port 443"),
        ("example.test:443", "closed"),
        ("1.1.1.1:443", "closed  1.1.1.1/32  tcp 443  because of workspaces.api.egress"),
        ("127.0.0.11:53", "closed  127.0.0.11/32  tcp 53  because of resolver of the engine"),
        ("127.0.0.1:80", "open    127.0.0.1/32  tcp 80  because of loopback"),
        ("10.1.2.3", "closed  10.1.2.3/32  icmp  because of private"),
    ],
)
def test_modes_wildcards_and_the_sandbox_itself(user: User, target: str, words: str) -> None:
    user.write(
        '[defaults]\nallowed_hosts = ["*.example.test:443"]\n'
        '[workspaces.api]\negress = "allowlist"\n'
    )
    result = user.run("explain", "api", target)
    assert words in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("vault.corp.test:443", "closed  vault.corp.test  every port  because of "
         "workspaces.api.denied_hosts[0]"),
        ("a.corp.test", "open    *.corp.test  every port  because of"),
        ("10.9.0.1:22", "closed  10.9.0.1/32  tcp 22  because of "
         "workspaces.api.denied_networks[0]"),
        ("10.8.0.1:22", "open    10.8.0.1/32  tcp 22  because of "
         "workspaces.api.allowed_networks[0]"),
    ],
)  # fmt: skip
def test_what_is_denied_is_closed_because_of_its_entry(user: User, target: str, words: str) -> None:
    user.write(
        '[workspaces.api]\nallowed_hosts = ["*.corp.test"]\nallowed_networks = ["10.0.0.0/8"]\n'
        'denied_hosts = ["vault.corp.test"]\ndenied_networks = ["10.9.0.0/16"]\n'
    )
    assert words in user.ok("explain", "api", target)
    data = json.loads(user.ok("explain", "api", target, "--json"))
    jsonschema.validate(data, schema("explain"))
    assert not data["undecided"]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (":3000", "open    127.0.0.1:3000  tcp to 3000 inside  because of workspaces.api.ports[0]"),
        (":80", "open    127.0.0.1:8080  tcp to 80 inside  because of workspaces.api.ports[1]"),
        (":8080", "open    127.0.0.1:8080  tcp to 80 inside"),
        (":4096", "open    127.0.0.1:4096  tcp to 4096 inside  because of published port"),
        (":81", "nothing on this machine leads to port 81 of `api`: closed"),
    ],
)
def test_a_port_alone_asks_what_leads_in(user: User, target: str, words: str) -> None:
    user.write('[workspaces.api]\negress = "none"\nports = ["3000", "8080:80"]\n')
    result = user.run("explain", "api", target)
    assert words in result.stdout + result.stderr
    jsonschema.validate(json.loads(user.ok("explain", "api", target, "--json")), schema("explain"))


def test_the_workspace_may_be_left_out(user: User) -> None:
    user.write(FILE)
    assert user.ok("explain", "10.1.2.3", "-w", "api") == user.ok("explain", "api", "10.1.2.3")


def test_the_answer_as_data(user: User) -> None:
    user.write(FILE)
    data = json.loads(user.ok("explain", "api", "10.1.2.3:443", "--json"))
    jsonschema.validate(data, schema("explain"))
    assert [each["open"] for each in data["answers"]] == [True, True]
    assert data["answers"][0]["place"] == f"{user.config}:2:21"


def test_it_answers_also_where_an_expectation_fails(user: User) -> None:
    user.write(FILE + '[workspaces.api.expect]\nblock = ["10.1.2.3"]\n')
    result = user.run("validate")
    assert (result.status, "is expected not to reach `10.1.2.3`" in result.stderr) == (1, True)
    assert "open " in user.ok("explain", "api", "10.1.2.3")


@pytest.mark.parametrize("target", ["10.0.0.0/33", "a b!", "10.0.0.1:0"])
def test_what_is_no_target_is_refused(user: User, target: str) -> None:
    user.write(FILE)
    result = user.run("explain", "api", target)
    assert (result.status, result.stdout) == (1, "")
    assert target in result.stderr


@pytest.mark.parametrize(
    ("egress", "target", "undecided"),
    [
        ("public", "nosuch.invalid", True),
        ("public", "nosuch.invalid:443", True),
        ("allowlist", "nosuch.invalid", False),
        ("none", "nosuch.invalid", False),
        ("public", "db.invalid:5432", False),
        ("public", "db.invalid:5433", True),
        ("public", "db.invalid", True),
        ("public", "all.invalid", False),
        ("public", "host.docker.internal", False),
        ("public", "10.1.2.3", False),
    ],
)
def test_a_name_that_cannot_be_looked_up_is_closed_only_where_that_is_known(
    user: User, egress: str, target: str, undecided: bool
) -> None:
    allows = "" if egress == "none" else 'allowed_hosts = ["db.invalid:5432", "all.invalid"]\n'
    user.write(f'[workspaces.api]\negress = "{egress}"\n{allows}')
    data = json.loads(user.ok("explain", "api", target, "--json"))
    jsonschema.validate(data, schema("explain"))
    assert data["undecided"] == undecided
    said = user.run("explain", "api", target).stderr
    assert ("open if its addresses are public, closed if not" in said) == undecided


def test_an_answer_names_the_power_that_it_belongs_to(user: User) -> None:
    user.write(FILE)
    lines = user.ok("explain", "api", "10.1.2.3:443").splitlines()
    # Said once for the protocols that share it.
    assert [each.strip() for each in lines if "reach.network" in each] == [
        "reach.network 10.1.0.0/16, high: in the range 10.0.0.0/8, private (RFC 1918)"
    ]
    told = json.loads(user.ok("explain", "api", "host.docker.internal:11434", "--json"))
    assert told["answers"][0]["power"]["rule"] == "reach.machine"
    assert told["answers"][0]["power"]["rank"] == "high"
    jsonschema.validate(told, schema("explain"))
