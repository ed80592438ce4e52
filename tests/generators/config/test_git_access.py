"""What of Git a sandbox is given: its own working tree's repository, and nobody else's."""

from typing import Any

import pytest

from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.artefacts.compose_yaml import document
from jailoc.generators.config.load import load, warnings
from jailoc.model.compose import Bind, Tmpfs
from jailoc.model.document import Document
from jailoc.model.host import (
    FileKind,
    GitFacts,
    GitFile,
    GitLink,
    GitProgram,
    Host,
    Ids,
    Repository,
)
from jailoc.model.host import Tree as HostTree
from jailoc.model.permissions import Permissions
from jailoc.model.sandbox import AGENT

HOME = "/home/alice"
COMMON = f"{HOME}/code/app/.git"
FEAT = GitLink(
    file=f"{HOME}/code/feat/.git", directory=f"{COMMON}/worktrees/feat", common=COMMON,
    worktree=True, shared=("logs", "objects", "refs"),
)  # fmt: skip
PLAIN = '[workspaces.feat]\npaths = ["~/code/feat"]\n'


def host(*links: GitLink, **facts: Any) -> Host:
    return Host(
        home=HOME,
        kinds={
            f"{HOME}/code/feat": FileKind.DIRECTORY,
            f"{HOME}/code/app": FileKind.DIRECTORY,
            f"{HOME}/.gitconfig": FileKind.FILE,
        },
        git=GitFacts(links=links, **facts),
        trees={
            each.directory: HostTree(repositories=(Repository(
                directory=each.directory, linked=True,
                kinds=dict.fromkeys(("commondir", "gitdir"), FileKind.FILE),
            ),))
            for each in links
        },
        agent_socket="/run/agent.sock",
    )  # fmt: skip


def mounts(text: str, machine: Host, name: str = "feat") -> dict[str, str]:
    config = load(Document(text, "c"), machine)
    found = compile_workspace(config, name, machine).compose.services[AGENT].mounts
    return {
        each.target.text if isinstance(each, Bind) else each.target:
        each.mode.value if isinstance(each, Bind) else "memory"
        for each in found if isinstance(each, Bind | Tmpfs)
    }  # fmt: skip


def told(text: str, machine: Host) -> list[str]:
    written = Document(text, "c")
    found = warnings(written, load(written, machine), machine)
    return [f"{each.message} {each.hint}" for each in found if each.code.startswith("git-")]


def test_a_working_tree_gets_what_it_writes_and_a_view_of_the_rest() -> None:
    found = mounts(PLAIN, host(FEAT))
    assert {key.removeprefix(COMMON): value for key, value in found.items()
            if key.startswith(COMMON)} == {
        "": "memory", "/.host": "ro", "/worktrees": "ro", "/worktrees/feat": "rw",
        "/logs": "rw", "/objects": "rw", "/refs": "rw",
        "/worktrees/feat/commondir": "ro", "/worktrees/feat/gitdir": "ro",
    }  # fmt: skip
    assert told(PLAIN, host(FEAT)) == []


def test_one_that_is_not_to_write_git_gets_its_repository_read_only_as_it_is() -> None:
    found = mounts(f"{PLAIN}git_write = false\n", host(FEAT))
    assert {key: value for key, value in found.items() if key.startswith(COMMON)} == {COMMON: "ro"}
    # What it says wins over what all say, and the other way round.
    both = f"[defaults]\ngit_write = false\n{PLAIN}git_write = true\n"
    assert mounts(both, host(FEAT)) == mounts(PLAIN, host(FEAT))
    assert mounts(f"[defaults]\ngit_write = false\n{PLAIN}", host(FEAT)) == found


def test_a_place_with_a_dollar_is_none_of_composes_variables() -> None:
    link = FEAT.model_copy(update={"common": f"{HOME}/$x/.git",
                                   "directory": f"{HOME}/$x/.git/worktrees/feat"})  # fmt: skip
    machine = host(link)
    config = load(Document(PLAIN, "c"), machine)
    data = document(compile_workspace(config, "feat", machine).compose)
    targets = [each["target"] for each in data["services"][AGENT]["volumes"]]
    assert f"{HOME}/$$x/.git" in targets


@pytest.mark.parametrize(
    ("changes", "text", "words"),
    [
        ({"worktree": False}, PLAIN, "is not in the sandbox"),
        ({"trouble": "`x` is a symbolic link"}, PLAIN, "is a symbolic link"),
        ({"common": f"{HOME}/.ssh/r", "directory": f"{HOME}/.ssh/r/worktrees/x"}, PLAIN,
         "holds credentials"),
        ({}, PLAIN + '[workspaces.app]\npaths = ["~/code/app"]\n', "trust = "),
        ({}, PLAIN + '[workspaces.app]\nmounts = ["~/code/app:/app"]\n', "trust = "),
    ],
)  # fmt: skip
def test_what_is_not_handed_over_is_one_warning_at_the_path(
    changes: dict[str, Any], text: str, words: str
) -> None:
    machine = host(FEAT.model_copy(update=changes))
    assert not any(place.startswith(COMMON) for place in mounts(text, machine))
    (line,) = told(text, machine)
    assert words in line


def test_neither_is_one_that_an_agent_of_another_configuration_could_exchange() -> None:
    plain = host(FEAT)
    assert f"{COMMON}/objects" in mounts(PLAIN, plain), "control"
    machine = plain.model_copy(update={"started": (("theirs", f"{HOME}/code/app"),)})
    assert not any(place.startswith(COMMON) for place in mounts(PLAIN, machine))
    (line,) = told(PLAIN, machine)
    assert "which the agent of workspace `theirs` could exchange for another one" in line
    trusted = f'trust = ["{COMMON}"]\n{PLAIN}'
    assert f"{COMMON}/objects" in mounts(trusted, machine)


def test_neither_is_one_that_an_agent_could_have_made_for_a_repository_that_still_knows_it() -> (
    None
):
    machine = host(FEAT.model_copy(update={"late": True}))
    assert not any(place.startswith(COMMON) for place in mounts(PLAIN, machine))
    (line,) = told(PLAIN, machine)
    assert "came where an agent could have made it" in line
    assert f"{COMMON}/objects" in mounts(f'trust = ["{COMMON}"]\n{PLAIN}', machine)


def test_a_repository_in_another_agents_reach_is_handed_over_by_name_only() -> None:
    text = f'trust = ["{COMMON}"]\n{PLAIN}[workspaces.app]\npaths = ["~/code/app"]\n'
    assert f"{COMMON}/objects" in mounts(text, host(FEAT))
    assert told(text, host(FEAT)) == []


def shared(text: str, machine: Host) -> list[tuple[int, str]]:
    written = Document(text, "c")
    found = warnings(written, load(written, machine), machine)
    return [(each.order[0], each.message) for each in found if each.code == "path-shared"]


def test_working_trees_of_one_repository_join_their_agents() -> None:
    """Over a socket in `refs` one hands the other a directory: its covers hold nothing there."""
    other = FEAT.model_copy(
        update={"file": f"{HOME}/code/fix/.git", "directory": f"{COMMON}/worktrees/fix"}
    )
    two = f'{PLAIN}[workspaces.fix]\npaths = ["~/code/fix"]\n'
    assert shared(two, host(FEAT, other)) == [
        (4, f"`{COMMON}` can be written by the agents of `feat` and `fix`")
    ]
    whole = f'trust = ["{COMMON}"]\n{PLAIN}[workspaces.app]\npaths = ["~/code/app"]\n'
    assert shared(whole, host(FEAT)) == [
        (3, f"`{COMMON}` can be written by the agents of `app` and `feat`")
    ]
    # Its own are no others', nor is what it is not given.
    own = PLAIN.replace('feat"]', 'feat", "~/code/fix"]')
    assert shared(own, host(FEAT, other)) == []
    assert shared(whole.partition("\n")[2], host(FEAT)) == []


@pytest.mark.parametrize(
    "more",
    ['paths = ["~/code/feat", "~/code/app"]', f'mounts = ["{HOME}/code/app:{HOME}/code/app"]'],
)
def test_where_the_repository_is_there_nothing_is_added_and_nothing_said(more: str) -> None:
    text = (
        PLAIN.replace('paths = ["~/code/feat"]', more) if "paths" in more else PLAIN + more + "\n"
    )
    assert not any(place.endswith("/.host") for place in mounts(text, host(FEAT)))
    assert told(text, host(FEAT)) == []


def test_a_part_of_a_repository_names_the_whole() -> None:
    machine = host(enclosing={f"{HOME}/code/feat": f"{HOME}/code"})
    (line,) = told(PLAIN, machine)
    assert f"add `{HOME}/code` to `paths`" in line
    both = PLAIN.replace('"]', '", "~/code"]')
    assert told(both, machine) == []


FILES = (
    GitFile(path=f"{HOME}/.config/git/config", written="~/.config/git/config"),
    GitFile(path=f"{HOME}/more", written="more", holder=f"{HOME}/.gitconfig", key="include.path"),
    GitFile(path="/srv/team", written="/srv/team", holder=f"{HOME}/more", key="include.path"),
    GitFile(path="/srv/deep", written="deep", holder="/srv/team", key="include.path"),
    GitFile(path=f"{HOME}/.ssh/include", written="~/.ssh/include", key="include.path"),
    GitFile(path=f"{HOME}/code/feat/x", written="~/code/feat/x", key="include.path"),
    GitFile(path=f"{HOME}/.ssh/id.pub", written="~/.ssh/id.pub", key="user.signingkey"),
)


def test_the_users_files_are_where_git_looks_for_them() -> None:
    found = mounts(PLAIN, host(files=FILES))
    mine = {
        place for place in found if place.startswith(("/home/agent/.", "/srv", "/home/agent/m"))
    }
    assert mine >= {
        "/home/agent/.gitconfig", "/home/agent/.config/git/config", "/home/agent/more",
        "/srv/team", "/srv/deep", "/home/agent/.ssh/id.pub",
    }  # fmt: skip
    assert "/home/agent/.ssh/include" not in found, "it lies beside credentials"
    assert "/home/agent/code/feat/x" not in found, "the agent could exchange it"
    assert all(found[place] == "ro" for place in mine)
    without = mounts(PLAIN + "git_config = false\n", host(files=FILES))
    assert not any("git" in place for place in without if place.startswith("/home/agent"))


CHAIN = (
    GitFile(path="/srv/team", written="/srv/team", holder=f"{HOME}/.gitconfig", key="include.path"),
    GitFile(path=f"{HOME}/.netrc", written="~/.netrc", holder="/srv/team", key="include.path"),
    GitFile(path=f"{HOME}/.hist", written="~/.hist", holder="/srv/team", key="core.excludesfile"),
    GitFile(path=f"{HOME}/b", written="~/b", holder="/srv/team", key="include.path"),
    GitFile(path=f"{HOME}/deep", written="~/deep", holder=f"{HOME}/b", key="commit.template"),
    GitFile(path=f"{HOME}/.ssh/x.pub", written="~/.ssh/x.pub", holder="/srv/team",
            key="user.signingkey"),
)  # fmt: skip
NAMED = {f"/home/agent/{each}" for each in (".netrc", ".hist", "b", "deep", ".ssh/x.pub")}


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (PLAIN.replace('"]', '", "/srv"]'), {}),
        (PLAIN + '[workspaces.other]\npaths = ["/srv"]\n', {}),
        (PLAIN + '[workspaces.other]\nmounts = ["/srv:/srv"]\n', {}),
        (PLAIN, {"changeable": ("/srv/team",)}),
        (PLAIN, {"changeable": (f"{HOME}/.gitconfig",)}),
    ],
)
def test_what_an_agent_writes_names_nothing_that_is_mounted(
    text: str, facts: dict[str, Any]
) -> None:
    machine = host(files=CHAIN, **facts)
    assert not NAMED & set(mounts(text, machine))
    place = facts.get("changeable", ("/srv/team",))[0]
    (line,) = [each for each in told(text, machine) if "is handed what that names" in each]
    assert f"`{place}`" in line
    # Control: the same where no agent writes, or by name.
    assert set(mounts(PLAIN, host(files=CHAIN))) >= NAMED
    assert told(PLAIN, host(files=CHAIN)) == []
    if not facts:
        trusting = f'trust = ["/srv/team"]\n{text}'
        assert set(mounts(trusting, machine)) >= NAMED
        assert told(trusting, machine) == []


def test_what_the_users_own_file_names_too_is_still_theirs() -> None:
    mine = CHAIN[3].model_copy(update={"holder": f"{HOME}/.gitconfig"})
    found = set(mounts(PLAIN, host(files=(*CHAIN, mine), changeable=("/srv/team",))))
    assert found & NAMED == {"/home/agent/b", "/home/agent/deep"}


def test_where_no_agent_has_the_users_configuration_nothing_is_said_of_it() -> None:
    machine = host(files=CHAIN, changeable=("/srv/team",))
    assert told(PLAIN + "git_config = false\n", machine) == []


def test_a_condition_about_the_home_directory_is_told() -> None:
    file = GitFile(
        path=f"{HOME}/work", written="~/work", holder=f"{HOME}/.gitconfig",
        key="includeif.gitdir:~/code/.path",
    )  # fmt: skip
    (line,) = told(PLAIN, host(files=(file,)))
    assert f"`gitdir:{HOME}/code/`" in line
    away = file.model_copy(update={"key": "includeif.gitdir:~/else/.path"})
    assert told(PLAIN, host(files=(away,))) == []


def pairs(text: str, machine: Host) -> list[tuple[str, str]]:
    config = load(Document(text, "c"), machine)
    found = compile_workspace(config, "feat", machine).compose.services[AGENT].environment
    every = {key: value.text for key, value in found.items() if key.startswith("GIT_CONFIG_")}
    count = int(every.get("GIT_CONFIG_COUNT", "0"))
    return [(every[f"GIT_CONFIG_KEY_{each}"], every[f"GIT_CONFIG_VALUE_{each}"])
            for each in range(count)]  # fmt: skip


def variables(text: str, machine: Host) -> dict[str, str]:
    return dict(pairs(text, machine))


SIGNED = {"commit.gpgsign": "true"}
SSH = {**SIGNED, "gpg.format": "ssh", "user.signingkey": "~/.ssh/id.pub"}


@pytest.mark.parametrize(
    ("settings", "more", "expected"),
    [
        ({}, "", {}),
        ({"commit.gpgsign": "false"}, "", {}),
        (SIGNED, "", {"commit.gpgsign": "false"}),
        ({**SIGNED, "tag.gpgsign": "yes"}, "", {"commit.gpgsign": "false", "tag.gpgsign": "false"}),
        (SIGNED, "ssh_auth_sock = true", {"commit.gpgsign": "false"}),
        (SIGNED, "git_config = false", {}),
        (SIGNED, 'env = ["GIT_CONFIG_COUNT=0"]', {}),
        (SIGNED, 'env = ["GNUPGHOME=/data/gnupg"]', {}),
        (SIGNED, 'mounts = ["/srv/keys:/home/agent/.gnupg"]', {}),
        (SSH, "", {"commit.gpgsign": "false"}),
        (SSH, "ssh_auth_sock = true", {}),
        ({**SSH, "gpg.ssh.program": "/opt/1Password/op-ssh-sign"}, "ssh_auth_sock = true",
         {"gpg.ssh.program": "ssh-keygen"}),
        ({**SIGNED, "gpg.format": "ssh"}, "ssh_auth_sock = true", {"commit.gpgsign": "false"}),
        ({**SSH, "user.signingkey": "/srv/keys/id"}, 'mounts = ["/srv/keys:/srv/keys"]', {}),
    ],
)  # fmt: skip
def test_git_signs_where_a_key_can_be_reached_and_nowhere_else(
    settings: dict[str, str], more: str, expected: dict[str, str]
) -> None:
    assert variables(f"{PLAIN}{more}\n", host(user=settings, files=FILES)) == expected


def test_a_key_whose_public_half_is_not_there_signs_nothing() -> None:
    text = f"{PLAIN}ssh_auth_sock = true\n"
    assert variables(text, host(user=SSH)) == {"commit.gpgsign": "false"}
    literal = SSH | {"user.signingkey": "key::ssh-ed25519 AAAA"}
    assert variables(text, host(user=literal)) == {}


def test_a_repository_that_wants_signatures_counts_too() -> None:
    assert variables(PLAIN, host(repositories=SIGNED)) == {"commit.gpgsign": "false"}


def test_programs_are_asked_for_where_git_runs_them_by_itself() -> None:
    machine = host(
        user=SIGNED,
        programs=(GitProgram(name="delta", key="core.pager"),
                  GitProgram(name="gpg2", key="gpg.program"),
                  GitProgram(name="code", key="core.editor")),
        repository_programs=(GitProgram(name="git-lfs", key="filter.lfs.process"),),
    )  # fmt: skip
    config = load(Document(PLAIN, "c"), machine)
    found = compile_workspace(config, "feat", machine).programs
    assert [each.name for each in found] == ["delta", "git-lfs"]


TRUSTED = [("safe.directory", f"{HOME}/code/feat"), ("safe.directory", f"{HOME}/code/feat/*")]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"uid": 1234, "gid": 1234}, []),
        ({"uid": 1235, "gid": 1235, "groups": (2000,)}, TRUSTED),
        ({"uid": 0, "gid": 0}, []),
        ({"uid": 0, "gid": 0, "sudo": (1000, 1000)}, []),
        ({"uid": 1234, "ids": Ids.SHIFTED, "shifted": (200999, 200999)}, TRUSTED),
        ({"uid": 1234, "ids": Ids.SHIFTED}, TRUSTED),
        ({"uid": 1000, "ids": Ids.SHARED}, []),
    ],
)
def test_git_works_in_what_is_another_users(
    facts: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    place = Permissions(uid=1234, gid=2000, mode=0o775)
    machine = host().model_copy(update={"permissions": {f"{HOME}/code/feat": place}} | facts)
    assert pairs(PLAIN, machine) == expected
    signed = machine.model_copy(update={"git": GitFacts(user=SIGNED)})
    assert pairs(PLAIN, signed) == [("commit.gpgsign", "false"), *expected]
