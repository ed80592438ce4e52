"""What lets an agent act as the user is told at its line, and other secrets are silent."""

import pytest

from jailoc.generators.config.load import load, warnings
from jailoc.model.document import Document
from jailoc.model.host import Host


def told(text: str, **host: object) -> list[tuple[str, int, str]]:
    machine = Host.model_validate({"home": "/home/alice", **host})
    document = Document(text, "config.toml")
    found = warnings(document, load(document, machine), machine)
    return [
        (each.code, each.position.line if each.position else 0, each.message)
        for each in found
        if each.code in {"secret-identity", "ssh-agent"}
    ]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("~/.ssh/id_rsa", "credentials"),
        ("~/.aws/credentials", "credentials"),
        ("~/.local/share/jailoc/b/password", "controls the sandbox"),
        ("/run/user/1000/podman/podman.sock", "engine's socket"),
        ("~/.npm-token", ""),
        ("/etc/ssl/private/agent.pem", ""),
    ],
)
def test_a_secret_that_is_the_users_identity_is_told(path: str, said: str) -> None:
    found = told(f'[workspaces.a.secrets.env.T]\nfrom_file = "{path}"\n')
    assert [each[:2] for each in found] == ([("secret-identity", 2)] if said else [])
    assert all(said in each[2] for each in found)


def test_the_ssh_agent_is_told_of_once_and_where_there_is_none() -> None:
    text = "[defaults]\nssh_auth_sock = true\n[workspaces.a]\n[workspaces.b]\n"
    ((_, line, message),) = told(text, agent_socket="/run/agent.sock")
    assert (line, "every key" in message) == (2, True)
    ((_, line, message),) = told(text)
    assert (line, "there is no SSH agent" in message) == (2, True)
    ((_, line, _),) = told("[workspaces.a]\nssh_auth_sock = true\n", engine="Docker Desktop")
    assert line == 2
    assert told("[workspaces.a]\nssh_auth_sock = false\n") == []
