"""A configuration of twice the size is twice the work, and no workspace costs for the others."""

import pytest

from jailoc.generators.artefacts import portable
from jailoc.generators.config.load import load, warnings
from jailoc.model.document import Document
from tests.calls import calls
from tests.strategies import toml

SHARED = """
[defaults.credentials.all]
hosts = ["forge.example.com"]
from_command = ["/usr/bin/pass", "show", "forge"]
[defaults.credentials.filed]
hosts = ["models.example.com"]
from_file = "/home/me/.model-key"
"""


def document(count: int, more: str = "") -> Document:
    return Document(
        more
        + toml(
            {
                f"w{index:04d}": {
                    "paths": [f"/home/me/p{index}", f"~/q{index}"],
                    "allowed_hosts": [f"h{index}.example.com"],
                    "port": 20000 + index,
                }
                for index in range(count)
            }
        ),
        "config.toml",
    )


@pytest.mark.parametrize("more", ["", SHARED], ids=["plain", "credentials of all"])
def test_reading_is_linear_in_the_number_of_workspaces(more: str) -> None:
    def read(text: Document) -> None:
        host = portable.host(text)
        warnings(text, load(text, host), host)
        portable.check(text, "/home/me")

    few, many = document(40, more), document(160, more)
    read(few)  # what is made once is there
    assert calls(lambda: read(many)) < 4.4 * calls(lambda: read(few))


def test_a_workspace_costs_the_same_however_many_there_are() -> None:
    def work(count: int) -> int:
        text = document(count)
        host = portable.host(text)
        config = load(text, host)
        portable.compiled(host, config, "w0000")
        return calls(lambda: portable.compiled(host, config, "w0007"))

    assert work(160) < 1.02 * work(40)
