"""An organisation's policy refuses and asks, and nothing in a configuration switches it off."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.artefacts import portable
from jailoc.generators.config.load import load
from jailoc.generators.powers.policy import read, verdict
from jailoc.model.diagnostic import Refused, Severity
from jailoc.model.document import Document

TODAY = date(2026, 11, 26)
PLAIN = '[workspaces.api]\npaths = ["~/code/api"]\n'


def said(policy: str, text: str) -> list[tuple[str, str, int]]:
    document = Document(text, "config.toml")
    host = portable.host(document)
    config = load(document, host)
    sides = {name: portable.sides(config, name, host) for name in config.workspaces}
    found = verdict([read(policy, "policy.toml")], document, config, host, sides, TODAY)
    return [
        (each.severity.value, each.message, each.position.line if each.position else 0)
        for each in found
    ]


@pytest.mark.parametrize(
    ("policy", "line", "essence"),
    [
        ('[[forbid]]\npower = "be.privileged"\n', "dind_privileged = true", "privileged"),
        ('[[forbid]]\npower = "hold.*"\nabout = ["SSH*"]\n', "ssh_auth_sock = true", "SSH agent"),
        ('[[forbid]]\npower = "reach.network"\nto = ["10.9.0.0/16"]\n',
         'allowed_networks = ["10.0.0.0/8:443"]', "may reach 10.9.0.0/16"),
        ('[[forbid]]\npower = "reach.name"\nabout = ["*.ngrok*"]\n',
         'allowed_hosts = ["a.ngrok.io:443"]', "a.ngrok.io port 443"),
        ('[[forbid]]\npower = "write.path"\nabout = ["~/.config*"]\n',
         'mounts = ["~/.config/nvim:/x"]', "~/.config/nvim"),
        ('[[require]]\npower = "run.image"\nonly = ["registry.example.com/*"]\n',
         "image = 'debian'", "docker.io/library/debian:latest"),
        ('[[require]]\npower = "reach.*"\nuntil_within_days = 90\n',
         "allowed_hosts = [{ to = 'a.example', until = 2027-06-01 }]",
         "does not end by 2027-02-24"),
        ('[[require]]\npower = "reach.*"\nreason = true\n',
         "allowed_hosts = [{ to = 'a.example', until = 2026-12-01 }]", "has no `why`"),
    ],
)  # fmt: skip
def test_a_rule_refuses_at_the_line_of_both_files(policy: str, line: str, essence: str) -> None:
    found = said(policy, PLAIN + line)
    assert [each[0] for each in found] == ["error"]
    assert essence in found[0][1]
    assert "by policy.toml:1" in found[0][1]
    assert found[0][2] == 3
    if "forbid" in policy:
        assert said(policy, PLAIN) == []


def test_what_is_required_has_to_be_there() -> None:
    block = '[[require]]\npower = "guard.block"\nabout = ["169.254.169.254/32"]\n'
    assert len(said(block, PLAIN)) == 1
    expect = "[workspaces.api.expect]\nblock = ['169.254.169.254']\n"
    assert said(block, PLAIN + expect) == []
    egress = '[[require]]\npower = "guard.egress"\nworkspaces = ["web-*"]\n'
    assert said(egress, PLAIN) == []
    web = PLAIN.replace("api]", "web-1]")
    assert len(said(egress, web)) == 1
    assert said(egress, web + "egress = 'none'") == []


def test_what_is_asked_is_no_refusal() -> None:
    found = said(
        '[[ask]]\npower = "hold.ssh-agent"\nwhy = "keys"\n', PLAIN + "ssh_auth_sock = true"
    )
    assert [each[0] for each in found] == [Severity.WARNING.value]
    assert "(keys)" in found[0][1]


@pytest.mark.parametrize(
    "text",
    ['[[forbid]]\npower = "be.nice"\n', "[[allow]]\n", '[[forbid]]\nabout = ["*"]\n',
     '[[forbid]]\npower = "reach.network"\nto = ["10.0.0.1/8"]\n', "forbid = 1\n"],
)  # fmt: skip
def test_a_policy_that_is_wrong_stops_everything(text: str) -> None:
    """There is no word that allows, and none that is passed over."""
    with pytest.raises(Refused) as caught:
        read(text, "policy.toml")
    assert caught.value.diagnostics[0].file == "policy.toml"


LINES = (
    "ssh_auth_sock = true", "dind_privileged = true", 'env_file = ["~/x.env"]',
    'allowed_networks = ["10.0.0.0/8"]', 'allowed_hosts = ["a.example"]', "host_ports = [80]",
    'mounts = ["~/x:/x"]',
)  # fmt: skip
EVERYTHING = "".join(
    f'[[forbid]]\npower = "{kind}.*"\n' for kind in ("hold", "be", "reach", "write", "trust")
) + '[[forbid]]\npower = "reach.network"\nto = ["10.9.0.0/16"]\n'  # fmt: skip


@given(st.sets(st.sampled_from(LINES)), st.sets(st.sampled_from(LINES)))
def test_more_power_never_means_fewer_refusals(less: set[str], more: set[str]) -> None:
    def refusals(lines: set[str]) -> set[str]:
        return {each[1] for each in said(EVERYTHING, PLAIN + "\n".join(sorted(lines)))}

    assert refusals(less) <= refusals(less | more)


@given(st.sets(st.sampled_from(LINES)))
def test_another_rule_never_means_fewer_refusals(lines: set[str]) -> None:
    text = PLAIN + "\n".join(sorted(lines))
    first = '[[forbid]]\npower = "hold.*"\n'
    one, both = ({each[1] for each in said(policy, text)} for policy in (first, first + EVERYTHING))
    assert one <= both
