"""A sandbox of another user than 1000 names that one everywhere, and nobody else's changes."""

import re

import pytest

from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.artefacts.compose_yaml import document
from jailoc.generators.artefacts.images import BUILT_IN
from jailoc.generators.artefacts.validate import InvalidOutputError, validate_compose
from jailoc.generators.config.load import load
from jailoc.generators.runtime.image_check import END, unsuitable
from jailoc.generators.runtime.verify import processes
from jailoc.model.agents.opencode1 import OPENCODE_1
from jailoc.model.bundle import Bundle
from jailoc.model.document import Document
from jailoc.model.host import FileKind, Host
from jailoc.model.sandbox import AGENT
from jailoc.model.user import AgentUser

HOST = Host(home="/home/alice", ipv6=True)
OTHER = HOST.model_copy(update={"uid": 1234, "gid": 50})
TEXT = '[workspaces.api]\npaths = ["~/code"]\n'


def bundle(host: Host, text: str = TEXT) -> Bundle:
    return compile_workspace(load(Document(text, "config.toml"), host), "api", host)


def test_no_file_that_runs_names_the_usual_user_where_the_agent_is_another() -> None:
    made = bundle(OTHER)
    assert made.user == "1234:50"
    found = {
        (each.path, line.strip())
        for each in made.files
        for line in each.text.splitlines()
        if not each.path.startswith("images/") and re.search(r"\b1000\b", line)
    }
    assert found == {
        ("wall/resolver.py", "MOST_SEEN = 1000"),
        *((path, line) for path, line in found if path == "dind/dind.sh"),  # whose data it was
    }
    rules = next(each.text for each in made.files if each.path == "wall/rules.v4")
    assert "! --uid-owner 1234 " in rules
    texts = {each.path: each.text for each in made.files}
    assert "*) owner=1234:50 ;;" in texts["wall/firewall.sh"]
    assert "chgrp 50 " in texts["wall/secrets.sh"]
    assert not re.search("@[A-Z]+@", texts["wall/firewall.sh"] + texts["wall/secrets.sh"])


def test_the_images_of_two_users_are_two_and_those_that_name_no_user_are_one() -> None:
    mine, theirs = bundle(HOST), bundle(OTHER)
    tags = {each.name: each.tag for each in mine.builds}
    assert [each.name for each in theirs.builds if each.tag != tags[each.name]] == ["agent"]
    assert [each.arguments for each in theirs.builds if each.name == "agent"] == [
        {"AGENT_UID": "1234", "AGENT_GID": "50"}
    ]


def test_a_dockerfile_is_told_the_user_only_if_it_asks() -> None:
    asking = "FROM debian\nARG AGENT_UID=1000\n"
    for text, arguments in (
        (asking, {"AGENT_UID": "1234"}),
        (
            "FROM debian\narg A=1 \\\n AGENT_UID AGENT_GID\n",
            {"AGENT_UID": "1234", "AGENT_GID": "50"},
        ),
        ("FROM debian\n# ARG AGENT_UID\nARG AGENT_UID_2\n", {}),
        # What would be looked through once for each of its lines takes as long as it is.
        ("FROM debian\n" + "ARG A\n" * 100_000 + "\n" * 300_000, {}),
    ):
        host = OTHER.model_copy(
            update={"files": {"/home/alice/Dockerfile": text},
                    "kinds": {"/home/alice/Dockerfile": FileKind.FILE}}
        )  # fmt: skip
        made = bundle(host, '[base]\ndockerfile = "~/Dockerfile"\n' + TEXT)
        (base,) = (each for each in made.builds if each.name == "base")
        assert base.arguments == arguments
        assert base.origin != BUILT_IN


@pytest.mark.parametrize("user", ["0:0", "0:1000", "1000:0", "65533:65533", "1000:65532", "root"])
def test_no_document_has_an_agent_that_is_root_or_the_walls(user: str) -> None:
    model = bundle(HOST).compose
    validate_compose(document(model))
    agent = model.services[AGENT].model_copy(update={"user": user})
    wrong = model.model_copy(update={"services": model.services | {AGENT: agent}})
    with pytest.raises(InvalidOutputError):
        validate_compose(document(wrong))


def test_a_process_of_the_usual_user_is_a_difference_where_the_agent_is_another() -> None:
    lines = "Pid:\t1\nPPid:\t0\nUid:\t{0}\t{0}\t{0}\t{0}\nGid:\t50\t50\t50\t50\n"
    wrong = [each.subject for each in processes(lines.format(1000), "1234:50") if not each.ok]
    right = [each.subject for each in processes(lines.format(1234), "1234:50") if not each.ok]
    assert set(wrong) - set(right) == {"Uid"}


def test_an_image_without_the_user_is_refused_with_the_way_to_lay_one_over() -> None:
    user = AgentUser(uid=1234, gid=50)
    refusal = unsuitable("x:1", None, OPENCODE_1, ["user", END], user)
    assert refusal
    (found,) = refusal.diagnostics
    assert found.message == "image `x:1` has no user with UID 1234"
    assert "--uid ${AGENT_UID}" in str(found.hint)
    assert "ARG AGENT_UID" in str(found.hint)
