"""`diff`: two configurations without an engine, as files, directories and Git revisions."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest

from jailoc.schemas import schema
from tests.bin.commands.test_files import NO_ENGINE
from tests.engine import world
from tests.engine.world import Result, User
from tests.generators.kubernetes.cluster import settings

BASE = '[workspaces.api]\npaths = ["~/src/api"]\n'
WIDER = BASE + "ssh_auth_sock = true\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    # It is the user's home, where jailoc runs.
    (tmp_path / "base.toml").write_text(BASE)
    (tmp_path / "head.toml").write_text(WIDER)
    return tmp_path


def diff(user: User, _place: Path, *arguments: str) -> Result:
    return user.run("diff", *arguments, **NO_ENGINE)


def test_two_files_are_compared(user: User, place: Path) -> None:
    found = diff(user, place, "base.toml", "head.toml")
    assert found.status == 0
    assert found.stdout.splitlines() == [
        "1 of 1 workspace may do more: 1 critical",
        "  api: 1 critical",
        "CRITICAL",
        "  api: holds the user's SSH agent: each key in it logs in as the user  [head.toml:3:17]",
        "new warning: the agent can sign and log in with every key that the SSH agent holds",
    ]
    same = diff(user, place, "base.toml", "base.toml")
    assert (same.status, same.stdout) == (0, "no power changes: the files are the same\n")


@pytest.mark.parametrize(("least", "status"), [("critical", 2), ("high", 2), ("any", 2), (None, 0)])
def test_the_status_says_whether_something_is_newly_possible(
    user: User, place: Path, least: str | None, status: int
) -> None:
    more = ["--fail-on", least] if least else []
    assert diff(user, place, "base.toml", "head.toml", *more).status == status
    assert diff(user, place, "head.toml", "base.toml", *more).status == 0


def test_a_lesser_rank_does_not_count(user: User, place: Path) -> None:
    (place / "low.toml").write_text(BASE + 'allowed_hosts = ["x.example.com"]\n')
    assert diff(user, place, "base.toml", "low.toml", "--fail-on", "medium").status == 0
    assert diff(user, place, "base.toml", "low.toml", "--fail-on", "low").status == 2


def test_json_meets_its_schema(user: User, place: Path) -> None:
    data = json.loads(diff(user, place, "base.toml", "head.toml", "--json").stdout)
    jsonschema.validate(data, schema("diff"))
    assert (data["worst"], data["quiet"]) == ("critical", False)
    assert [each["rule"] for each in data["findings"]] == ["hold.ssh-agent"]
    assert data["findings"][0]["workspaces"] == ["api"]


def test_markdown_has_the_words_of_the_screen(user: User, place: Path) -> None:
    text = diff(user, place, "base.toml", "head.toml", "--markdown").stdout
    assert text.startswith("### jailoc: 1 of 1 workspace may do more: 1 critical\n")
    assert "- `api`: `holds the user's SSH agent" in text


def test_sarif_stands_at_the_changed_line(user: User, place: Path) -> None:
    data = json.loads(diff(user, place, "base.toml", "head.toml", "--sarif").stdout)
    (run,) = data["runs"]
    (result,) = run["results"]
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "head.toml"
    assert location["region"] == {"startLine": 3, "startColumn": 17}
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "hold.ssh-agent"
    empty = json.loads(diff(user, place, "base.toml", "base.toml", "--sarif").stdout)
    assert empty["runs"][0]["results"] == []


def test_one_form_at_a_time(user: User, place: Path) -> None:
    refused = diff(user, place, "base.toml", "head.toml", "--json", "--sarif")
    assert refused.status == 1
    assert "forms of one output" in refused.stderr


def test_a_directory_stands_for_the_configuration_in_it(user: User, place: Path) -> None:
    for name, text in (("one", BASE), ("two", WIDER)):
        (place / name).mkdir()
        (place / name / "config.toml").write_text(text)
    assert "SSH agent" in diff(user, place, "one", "two").stdout
    (place / "none").mkdir()
    refused = diff(user, place, "none", "two")
    assert refused.status == 1
    assert "holds no configuration" in refused.stderr


def test_a_refused_configuration_is_named_by_its_part(user: User, place: Path) -> None:
    (place / "bad.toml").write_text(BASE + "nonsense = 1\n")
    refused = diff(user, place, "base.toml", "bad.toml")
    assert refused.status == 1
    assert "bad.toml:3:1" in refused.stderr
    assert "HEAD (bad.toml) is refused" in refused.stderr


def test_what_its_own_rules_do_not_hold_comes_first(user: User, place: Path) -> None:
    (place / "unmet.toml").write_text(
        BASE + 'allowed_networks = ["10.0.0.0/8"]\n[workspaces.api.expect]\nblock = ["10.1.0.1"]\n'
    )
    found = diff(user, place, "base.toml", "unmet.toml")
    assert found.status == 1
    first, second, *_ = found.stdout.splitlines()
    assert first.startswith("refused: workspace `api` is expected not to reach `10.1.0.1`")
    assert second == "1 of 1 workspace may do more: 1 critical; 1 thing less"


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_git_revisions_are_read_and_nothing_of_theirs_is_run(user: User, place: Path) -> None:
    repository = place / "repository"
    (repository / "sandboxes").mkdir(parents=True)
    config = repository / "sandboxes/config.toml"
    config.write_text(BASE)
    environment = {"HOME": str(user.home), "PATH": os.environ["PATH"]}

    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments],
            cwd=repository, env=environment, check=True, capture_output=True,
        )  # fmt: skip

    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--quiet", "--message", "one")
    git("tag", "one")
    (user.home / "touch").write_text("#!/bin/sh\ntouch ran\n")
    (user.home / "touch").chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "core.pager", "core.hooksPath"):
        git("config", key, str(user.home / "touch"))
    config.write_text(WIDER)
    arguments = ("--config", "repository/sandboxes/config.toml")
    found = user.run("diff", "one", *arguments, **NO_ENGINE)
    assert "SSH agent" in found.stdout, found.stderr
    assert "[repository/sandboxes/config.toml:3:17]" in found.stdout
    both = user.run("diff", "one", "one:repository/sandboxes/config.toml", *arguments, **NO_ENGINE)
    assert both.stdout == "no power changes: the files are the same\n", both.stderr
    missing = user.run("diff", "nosuch", *arguments, **NO_ENGINE)
    assert missing.status == 1
    assert "no Git revision" in missing.stderr
    # Whoever can add a file does not choose what is compared with what.
    (place / "one").mkdir()
    (place / "one/config.toml").write_text(WIDER)
    both = user.run("diff", "one", *arguments, **NO_ENGINE)
    assert both.status == 1
    assert "`one` is a file or directory here, and a Git revision as well" in both.stderr
    assert "SSH agent" in user.run("diff", "refs/tags/one", *arguments, **NO_ENGINE).stdout
    assert user.run("diff", "./one", *arguments, **NO_ENGINE).stdout.startswith("no power changes")
    option = user.run("diff", "--", "--output=x", *arguments[1:], **NO_ENGINE)
    assert option.status == 1
    assert not list(place.rglob("ran"))
    # Nor does a link in the place of a directory lead to another file of the revision.
    (repository / "wide").mkdir()
    (repository / "wide/config.toml").write_text(WIDER)
    for key in ("core.fsmonitor", "core.hooksPath"):
        git("config", "--unset-all", key)
    git("add", "--all")
    git("commit", "--quiet", "--message", "two")
    (repository / "sandboxes/config.toml").unlink()
    (repository / "sandboxes").rmdir()
    (repository / "sandboxes").symlink_to("wide")
    linked = user.run("diff", "refs/tags/one", *arguments, **NO_ENGINE)
    assert "SSH agent" in linked.stdout, linked.stdout + linked.stderr
    # What Git cannot read is not what the commit does not have: not a configuration that is gone.
    (repository / "sandboxes").unlink()
    git("checkout", "--", "sandboxes")
    pair = ("diff", "one:repository/sandboxes/config.toml", "main:repository/wide/config.toml")
    assert "SSH agent" in user.run(*pair, *arguments, **NO_ENGINE).stdout
    number = subprocess.run(
        ["git", "rev-parse", "main:wide/config.toml"], cwd=repository, env=environment,
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    lost = repository / ".git/objects" / number[:2] / number[2:]
    content = lost.read_bytes()
    lost.unlink()
    unread = user.run(*pair, *arguments, **NO_ENGINE)
    assert unread.status == 1
    assert "cannot be read" in unread.stderr
    lost.write_bytes(content)
    git("replace", number, "one:sandboxes/config.toml")
    assert "SSH agent" in user.run(*pair, *arguments, **NO_ENGINE).stdout
    # A policy that is not in the revision is none that holds nothing.
    policy = ("--policy", "refs/tags/one:repository/sandboxes/policy.toml")
    none = user.run("diff", "refs/tags/one", *arguments, *policy, **NO_ENGINE)
    assert none.status == 1
    assert "the revision has no such file" in none.stderr


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_a_dockerfile_and_a_certificate_beside_the_configuration_are_read(
    user: User, place: Path
) -> None:
    """Their texts are compared wherever each user has the repository."""
    repository = place / "repository"
    for each in ("sub", "docker"):
        (repository / each).mkdir(parents=True)
    file = repository / "sub/config.toml"
    built, trusted = repository / "docker/agent.Dockerfile", repository / "sub/ca.pem"
    file.write_text(
        '[base]\ndockerfile = "~/team/docker/agent.Dockerfile"\n'
        f'ca_certificates = ["~/team/sub/ca.pem"]\n{BASE}'
    )
    built.write_text("FROM debian\n")
    trusted.write_text("one")

    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments],
            cwd=repository, env={"HOME": str(user.home), "PATH": os.environ["PATH"]}, check=True,
        )  # fmt: skip

    for words in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "--message", "one")):
        git(*words)

    def told() -> str:
        return diff(user, place, "HEAD", "--config", str(file)).stdout

    assert told() == "no power changes: the files are the same\n"
    built.write_text("FROM debian\nRUN curl x | sh\n")
    trusted.write_text("two")
    assert "~/team/docker/agent.Dockerfile has another text" in told()
    assert "trusts another certificate at ~/team/sub/ca.pem" in told()

    def another(text: str | None, link: str = "") -> None:
        if built.is_dir() and not built.is_symlink():
            shutil.rmtree(built)
        built.unlink(missing_ok=True)
        if link:
            built.symlink_to(link)
        elif text is not None:
            built.write_text(text)

    def folder() -> None:
        another(None)
        built.mkdir()
        (built / "file").touch()

    for change in (
        lambda: another(None),
        lambda: another(None, link="/etc/hostname"),  # it could lead anywhere
        lambda: another(None, link="/etc/passwd"),
        folder,
        lambda: another(""),
        # What is meant may be either, wherever the user has the repository.
        lambda: (repository / "agent.Dockerfile").write_text("FROM debian\n"),
        lambda: (repository / "agent.Dockerfile").write_text("FROM other\n"),
    ):
        another("FROM debian\n")
        git("add", "--all")
        git("commit", "--quiet", "--allow-empty", "--message", "before")
        assert told() == "no power changes: the files are the same\n"
        change()
        assert "~/team/docker/agent.Dockerfile has another text" in told()
        assert diff(user, place, "HEAD", "--config", str(file), "--fail-on", "any").status == 2
        git("add", "--all")
        git("commit", "--quiet", "--allow-empty", "--message", "after")
        # What lies here is told as what a commit has.
        assert told() == "no power changes: the files are the same\n"
        git("diff", "--quiet", "HEAD")
    # What no commit has, as one that is ignored, is no other than what was.
    another(None)
    git("rm", "--quiet", "--cached", "-r", "agent.Dockerfile", "docker")
    git("commit", "--quiet", "--message", "none")
    (repository / "agent.Dockerfile").write_text("FROM debian\n")
    assert diff(user, place, "HEAD", "--config", str(file), "--fail-on", "any").status == 0


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_many_certificates_hide_no_change_of_one(user: User, place: Path) -> None:
    """What is named beyond those that are looked at is told to be so."""
    repository = place / "repository"
    repository.mkdir()
    file = repository / "config.toml"
    (repository / "z.pem").write_text("one")
    file.write_text(f'[base]\nca_certificates = ["~/z.pem"]\n{BASE}')
    author = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (("init", "-q"), ("add", "."), (*author, "commit", "-qm", "1")):
        subprocess.run(["git", *words], cwd=repository, check=True)
    (repository / "z.pem").write_text("two")
    many = ", ".join(f'"~/a{number}.pem"' for number in range(100))
    file.write_text(f'[base]\nca_certificates = [{many}, "~/z.pem"]\n{BASE}')
    found = json.loads(diff(user, place, "HEAD", "--config", str(file), "--json").stdout)
    assert "trusts another certificate at ~/z.pem" in json.dumps(found)


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
@pytest.mark.parametrize("linked", ["the folder", "the file", "the repository"])
def test_a_link_of_the_users_own_leads_to_what_is_compared(tmp_path: Path, linked: str) -> None:
    """A link in no repository, as from `~/.config/jailoc`, is the way and no file of a commit."""
    with world.home(f"diff-{tmp_path.name}-{os.getpid()}") as user:
        kept = user.home / "files/jailoc/config.toml"
        kept.parent.mkdir(parents=True)
        author = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        for text, words in ((BASE, ("init", "-q")), (BASE, ()), (WIDER, ())):
            kept.write_text(text)
            every = [words] if words else [("add", "."), (*author, "commit", "-qm", "1")]
            for each in every:
                subprocess.run(["git", *each], cwd=user.home / "files", check=True)
        place = user.home / ".config/jailoc/config.toml"
        place.parent.parent.mkdir(exist_ok=True)
        shutil.rmtree(place.parent, ignore_errors=True)
        if linked == "the repository":
            (user.home / "link").symlink_to("files")
            place = user.home / "link/jailoc/config.toml"
        elif linked == "the folder":
            place.parent.symlink_to(kept.parent)
        else:
            place.parent.mkdir()
            place.symlink_to("../../files/jailoc/config.toml")
        for pair in (("HEAD~1",), ("HEAD~1", "HEAD")):
            found = user.run("diff", *pair, "--config", str(place), **NO_ENGINE)
            assert "SSH agent" in found.stdout, found.stdout + found.stderr
            assert "added" not in found.stdout, "the workspace was there"
        lost = user.run("diff", "HEAD~1:files/no", "HEAD:files/no", **NO_ENGINE)
        assert lost.status == 1
        assert "neither `HEAD~1:files/no` nor `HEAD:files/no` has such a file" in lost.stderr


@pytest.mark.parametrize(
    "known", ["configured", "recorded, with a configuration that is wrong", "trusted by the agent"]
)
def test_no_git_of_an_agent_is_asked(tmp_path: Path, known: str) -> None:
    with world.home(f"diff-{tmp_path.name}-{os.getpid()}") as user:
        team = user.home / "team"
        (user.home / "project/bin").mkdir(parents=True)
        team.mkdir()
        (team / "config.toml").write_text(BASE)
        author = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        for words in (("init", "-q"), ("add", "."), (*author, "commit", "-qm", "1")):
            subprocess.run(["git", *words], cwd=team, check=True)
        mark = user.home / "mark"
        evil = user.home / "project/bin/git"
        evil.write_text(f'#!/bin/sh\necho run >>{mark}\nexec /usr/bin/git "$@"\n')
        evil.chmod(0o755)
        path = f"{evil.parent}:{os.environ['PATH']}"
        named: dict[str, str] = {}

        def compared() -> bool:
            """Compare with a revision; tell whether the agent's Git was run."""
            mark.unlink(missing_ok=True)
            words = ("diff", "HEAD:team/config.toml", "team/config.toml")
            done = user.run(*words, PATH=path, **named)
            assert (done.status, "no power changes" in done.stdout) == (0, True), done.stderr
            return mark.exists()

        user.write('[workspaces.other]\npaths = ["~/team"]\n')
        assert compared(), "the control: nobody knows of an agent there"
        if known == "configured":
            user.write('[workspaces.mine]\npaths = ["~/project"]\n')
        else:
            user.write("[workspaces.mine\n")
            if known == "trusted by the agent":
                named = {"JAILOC_CONFIG": str(user.home / "project/evil.toml")}
                (user.home / "project/evil.toml").write_text('trust = ["~/project/bin"]\n')
            record = user.home / ".local/share/jailoc/mine.applied.json"
            record.parent.mkdir(parents=True, exist_ok=True)
            mount = {"source": {"text": f"{user.home}/project"}, "mode": "rw"}
            record.write_text(
                json.dumps({"compose": {"services": {"opencode": {"mounts": [mount]}}}})
            )
            record.with_name("gone.applied.json").write_text("{")
        assert not compared()


def locked(**digests: str) -> str:
    lines = "".join(f'"jailoc-{name}:{16 * "0"}" = "sha256:{64 * each}"\n'
                    for name, each in digests.items())  # fmt: skip
    return f"format = 1\n[images]\n{lines}"


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_the_lock_of_images_is_compared(user: User, place: Path) -> None:
    """What a cluster runs is said by it alone: the configuration stays as it is."""
    repository = place / "repository"
    (repository / "sub").mkdir(parents=True)
    file, lock = repository / "sub/config.toml", repository / "sub/images.lock"
    file.write_text(settings() + BASE)
    lock.write_text(locked(agent="a", wall="b"))
    # One at the top is another configuration's.
    (repository / "images.lock").write_text(locked(agent="c"))

    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments],
            cwd=repository, env={"HOME": str(user.home), "PATH": os.environ["PATH"]}, check=True,
        )  # fmt: skip

    def committed(name: str) -> None:
        git("add", "--all")
        git("commit", "--quiet", "--message", name)
        git("tag", name)

    def told(*sides: str) -> Result:
        return diff(user, place, *sides, "--config", str(file), "--fail-on", "any")

    git("init", "--quiet")
    committed("one")
    assert told("one").stdout == "no power changes: the files are the same\n"
    lock.write_text(locked(agent="d", wall="e"))
    (place / "other").mkdir()
    (place / "other/config.toml").write_text(settings() + BASE)
    (place / "other/images.lock").write_text(locked(agent="a", wall="b"))
    committed("two")
    for sides in (("one",), ("one", "two"), ("other",), ("other", f"two:{file}")):
        found = told(*sides)
        assert found.status == 2, sides
        assert "api: 2 high" in found.stdout
        for name, new, old in (("agent", "d", "a"), ("wall", "e", "b")):
            assert (f"another image as jailoc-{name}:{16 * '0'}, by images.lock: "
                    f"sha256:{20 * new} (it was sha256:{20 * old})") in found.stdout  # fmt: skip
    lock.unlink()
    gone = told("one")
    assert (gone.status, "no longer runs the image" in gone.stdout) == (0, True)
    # Nobody follows a link in a commit, and what is no lock is none that is empty.
    lock.symlink_to("../images.lock")
    committed("link")
    refused = told("one", "link")
    assert refused.status == 1
    assert "`sub/images.lock` of commit" in refused.stderr
    assert f"sha256:{20 * 'c'}" in told("one").stdout
    lock.unlink()
    lock.write_text("format = 9\n")
    committed("other-format")
    for sides in (("one",), ("one", "other-format")):
        refused = told(*sides)
        assert refused.status == 1
        assert "is no lock of images: its format is 9" in refused.stderr
    # Without a cluster the file is somebody else's.
    file.write_text(BASE)
    committed("none")
    assert told("none").status == 0
