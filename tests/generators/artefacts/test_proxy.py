"""The proxy's configuration, and what a workspace with credentials is made of."""

import re
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from jailoc.generators.artefacts import proxy
from jailoc.generators.artefacts.compose_yaml import document
from jailoc.generators.config.resolve import resolve
from jailoc.model.bundle import Bundle
from jailoc.model.sandbox import AGENT, PROXY, WALL
from tests.strategies import HOST, bundle_of, config_of, file_of

CONFIG = """
[workspaces.a]
egress = "allowlist"
allowed_hosts = ["*.example.com"]
[workspaces.a.credentials.one]
hosts = ["a.example.com", "b.example.com:8443"]
from_env = "THE_TOKEN"
methods = ["GET"]
paths = ["/x/", "/y"]
env = ["API_KEY"]
[workspaces.a.credentials.two]
hosts = ["c.example.com"]
from_env = "OTHER_TOKEN"
scrub = false
"""


def made(config: str = CONFIG) -> Bundle:
    return bundle_of(config, "a")


def backend(text: str, name: str) -> str:
    found = re.search(rf"^backend credential-{name}\n((    .*\n)+)", text, re.MULTILINE)
    assert found
    return found[1]


def test_a_workspace_without_credentials_has_nothing_of_them() -> None:
    bundle = made("[workspaces.a]\n")
    assert PROXY not in bundle.compose.services
    assert not [each.path for each in bundle.files if "proxy" in each.path or "cred" in each.path]
    assert [each.name for each in bundle.compose.memory] == ["secrets"]


def test_each_host_has_a_backend_of_its_own_with_its_limits() -> None:
    text = file_of(made(), "proxy/haproxy.cfg")
    one, other, two = (backend(text, each) for each in ("one-0", "one-1", "two-0"))
    assert "server upstream a.example.com:443 ssl verify required" in one
    assert "verifyhost b.example.com" in other
    for each in (one, other):
        assert "acl allowed_method method GET" in each
        assert "path -m beg -- '/x/'" in each
        assert "path -m str -- '/y'" in each
        assert "filter lua.scrub" in each
    assert "acl" not in two
    assert "scrub" not in two
    # Whatever else it says: no value, no request.
    for each in (one, other, two):
        assert each.index("503") < each.index("set-header authorization")


def test_hosts_are_told_apart_by_name_and_port() -> None:
    lines = file_of(made(), "proxy/hosts.map").splitlines()
    assert lines == [
        "a.example.com:443 credential-one-0", "b.example.com:8443 credential-one-1",
        "c.example.com:443 credential-two-0",
    ]  # fmt: skip
    text = file_of(made(), "proxy/haproxy.cfg")
    assert "default_backend none" in text
    assert text.count("strict-sni alpn http/1.1") == 2


def test_the_wall_knocks_for_the_names_and_answers_them_with_the_proxy() -> None:
    bundle = made()
    names = file_of(bundle, "wall/names")
    assert [line.split()[0] for line in names.splitlines()] == [
        "*.example.com", "a.example.com", "b.example.com", "c.example.com",
    ]  # fmt: skip
    assert file_of(bundle, "wall/credential-names").split() == [
        "a.example.com", "b.example.com", "c.example.com",
    ]  # fmt: skip
    assert "/proxy_sockets.py" in file_of(bundle, "wall/firewall.sh")
    assert "/proxy_resolver.py" in file_of(bundle, "wall/firewall.sh")


def test_the_proxy_has_no_power_and_nothing_of_the_host() -> None:
    service = document(made().compose)["services"][PROXY]
    assert service["user"] == "65531:65531"
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["read_only"] is True
    assert {each["target"] for each in service["volumes"]} == {
        "/etc/jailoc", "/run/proxy", "/run/trust",
    }  # fmt: skip
    assert "environment" not in service or not service["environment"]


def test_the_agent_has_a_placeholder_and_whom_to_trust_and_no_more() -> None:
    data = document(made().compose)
    agent, wall = (data["services"][each] for each in (AGENT, WALL))
    assert agent["environment"]["API_KEY"] == "jailoc-one"
    assert agent["environment"]["NODE_EXTRA_CA_CERTS"] == "/run/trust/ca.pem"
    assert agent["environment"]["SSL_CERT_FILE"] == "/run/trust/bundle.pem"
    assert not [key for key in agent["environment"] if "TOKEN" in key]
    mounts = {each["source"]: each for each in agent["volumes"] if each["type"] == "volume"}
    assert "credentials" not in mounts
    assert mounts["trust"]["read_only"] is True
    held = {each["source"] for each in wall["volumes"] if each["target"].startswith("/held/")}
    assert held == {"credentials", "trust"}
    options = data["volumes"]["credentials"]["driver_opts"]["o"]
    assert options.startswith("size=")
    assert "uid=65531,gid=65531,mode=0700" in options


def test_another_host_is_another_authority_and_another_limit_is_not() -> None:
    def agent(config: str) -> str:
        return made(config).compose.services[AGENT].labels["dev.jailoc.files"]

    more = CONFIG.replace('"a.example.com"', '"a.example.com", "d.example.com"')
    assert agent(more) != agent(CONFIG)
    assert proxy.NAMES_FILE in {each.path for each in made().rules}


def test_a_value_is_found_by_what_it_came_for_alone() -> None:
    def asked(config: str) -> str:
        found = re.search(
            r"str\((one/[0-9a-f]{16})\),map", file_of(made(config), "proxy/haproxy.cfg")
        )
        assert found
        return found[1]

    (one, *_) = resolve(config_of(CONFIG), "a", HOST).credentials
    assert asked(CONFIG) == proxy.held_as(one)
    for old, new in (
        ('"a.example.com"', '"d.example.com"'),
        ('methods = ["GET"]', 'methods = ["GET", "POST"]'),
        ('paths = ["/x/", "/y"]', ""),
        ('env = ["API_KEY"]', 'scheme = "header"\nheader = "X-Key"'),
        ('env = ["API_KEY"]', "scrub = false"),
    ):
        assert asked(CONFIG.replace(old, new)) != asked(CONFIG), new
    # Whence it comes, and what the agent has in its place, limit nothing.
    for old, new in (("THE_TOKEN", "ANOTHER"), ('env = ["API_KEY"]', "")):
        assert asked(CONFIG.replace(old, new)) == asked(CONFIG)


TAKES = """
exit(-S "admin" ? 0 : 1) if @ARGV;
open(my $file, "<", "values.map") or die; my $text = join "", <$file>;
die "cut off\\n" if $text =~ /fails/ && ! -e "mended";
open(my $proxy, ">", "held") or die; print $proxy $text;
"""
"""Stands for what has the running proxy take the values over; it holds them then."""


def feeding(folder: str) -> str:
    """Return the program that takes values, at work in a folder."""
    text = file_of(made(), "proxy/feed.sh").replace("/run/proxy", folder)
    return text.replace("/etc/jailoc/feed.pl", f"{folder}/feed.pl")


def test_values_that_were_not_taken_over_are_handed_over_again() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as admin:
        place = Path(folder)
        (place / "feed.pl").write_text(TAKES)
        (place / "values.map").write_text("")
        program = feeding(folder).replace("left=200", "left=0")

        def feed(values: str) -> tuple[int, str]:
            given = f"{values}\nend\n"
            ended = subprocess.run(
                ["/bin/sh", "-c", program], input=given, capture_output=True, text=True, check=False
            )
            return ended.returncode, ended.stdout.strip()

        assert feed("one first") == (0, "changed")  # nobody listens: it is read at the start
        admin.bind(f"{folder}/admin")
        assert feed("one second") == (0, "changed")
        assert feed("one second") == (0, "same")  # control
        assert (place / "held").read_text() == "one second\n"
        # It is killed, or the proxy does not answer, after the file has come.
        assert feed("one fails")[0] != 0
        assert (place / "held").read_text() == "one second\n"
        (place / "mended").touch()
        assert feed("one fails") == (0, "changed")
        assert (place / "held").read_text() == "one fails\n"
        assert feed("one fails") == (0, "same")


def test_values_that_come_while_a_proxy_starts_are_not_lost() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as admin:
        place = Path(folder)
        (place / "feed.pl").write_text(TAKES)
        (place / "values.map").write_text("one old\n")
        # It has read what was there, and its socket is not there yet.
        (place / "held").write_text("one old\n")
        with subprocess.Popen(
            ["/bin/sh", "-c", feeding(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as running:
            assert running.stdin is not None
            running.stdin.write(b"one new\nend\n")
            running.stdin.close()
            time.sleep(0.5)
            (place / "new").unlink(missing_ok=True)  # as its first program does
            admin.bind(f"{folder}/admin")
            assert running.stdout is not None
            assert running.stdout.read() == b"changed\n"
        assert running.returncode == 0
        assert (place / "held").read_text() == "one new\n"


def test_whether_a_proxy_serves_is_what_its_socket_says() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as admin:
        place = Path(folder, "feed.pl")
        place.write_text(file_of(made(), "proxy/feed.pl").replace("/run/proxy", folder))

        def serves() -> bool:
            asked = ["perl", str(place), "serves"]
            return subprocess.run(asked, check=False, timeout=20).returncode == 0

        assert not serves()
        admin.bind(f"{folder}/admin")
        assert not serves(), "one that is left from before"
        admin.listen()
        assert serves()
