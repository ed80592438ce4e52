"""Git's configuration is read as Git reads it."""

import re
import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.model.git_config import (
    MOST_SETTINGS,
    GitSetting,
    executes,
    parse,
    program,
    references,
)
from jailoc.model.git_tokens import token

PIECES = (
    "[core]", '[filter "a b"]', '[filter "Q\\"q\\\\"]', "[Branch.Sub]", "[", "]", "hooksPath",
    "x-y", "=", " = ", "\n", "\r\n", "\t", " ", "#c", ";c", '"', "\\n", "\\\\", '\\"', "\\\n",
    "value", "/p", "true", "é", "\u00a0", "\u3000", "\x0b", "\0", "9", "..", "\\z",
)  # fmt: skip


def git(text: str) -> list[GitSetting] | None:
    """Return what Git reads; None if it refuses the text."""
    done = subprocess.run(
        ["git", "config", "--file", "-", "--list", "-z"],
        input=text.encode(), capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        return None
    found = []
    for each in done.stdout.decode().split("\0")[:-1]:
        key, equals, value = each.partition("\n")
        if "." not in key:
            continue  # before any section, which means nothing to Git
        found.append(GitSetting(key=key, value=value if equals else "true"))
    return found


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_what_git_accepts_is_read_alike(text: str) -> None:
    wanted = git(text)
    if wanted is not None:
        found = parse(text)
        assert all(each in found for each in wanted)
        assert [*dict.fromkeys(map(blank, found))] == [*dict.fromkeys(map(blank, wanted))]


def blank(setting: GitSetting) -> GitSetting:
    """Return a setting as it is whichever Git reads it: before 2.45 a tab is a blank in a value."""
    return setting.model_copy(update={"value": re.sub(r"[\t\r]", " ", setting.value)})


@pytest.mark.parametrize(("text", "values"), [
    ("a\tb", ["a\tb", "a b"]), ("a\rb", ["a\rb", "a b"]), ("a\t \tb", ["a\t \tb", "a   b"]),
    ('"a\tb"', ["a\tb"]), ("a\\tb", ["a\tb"]), ('"a\tb"\tc', ["a\tb\tc", "a\tb c"]),
    ("a\t", ["a"]),
])  # fmt: skip
def test_a_blank_in_a_value_is_what_any_git_takes_it_for(text: str, values: list[str]) -> None:
    found = parse(f"[include]\npath = {text}\n")
    assert [each.value for each in found] == values


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert len(parse(text)) <= MOST_SETTINGS


@pytest.mark.parametrize(
    "value",
    ["/e\u00a0", "/e\u3000", "/e\x0b", "/e\x0c", "/e\u2028", "\u00a0/e", "\x0b/e", "/e\0f", "\r/e",
     " \r /e", "\\\n \t/e", '"" /e', "/e \r", "/e\u0085;x"],
)  # fmt: skip
@pytest.mark.parametrize("key", ["hooksPath", "fsmonitor"])
def test_blanks_and_ends_of_values_are_those_of_git(key: str, value: str) -> None:
    text = f"[core]\n\t{key} ={value}\n"
    wanted = git(text)
    assert wanted
    assert list(parse(text)) == wanted


def test_what_comes_after_an_error_is_read_all_the_same() -> None:
    assert parse("[core]\n?\nhooksPath = x\n") == (GitSetting(key="core.hookspath", value="x"),)


def places(key: str, value: str, base: str = "/p") -> list[tuple[str, bool]]:
    setting = GitSetting(key=key, value=value)
    return [(each.path, each.sure) for each in references(setting, base, "/etc", "/home/u")]


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("core.hookspath", ".githooks", [("/p/.githooks", True)]),
        ("core.hookspath", "~/hooks", [("/home/u/hooks", True)]),
        ("core.hookspath", "-hooks", [("/p/-hooks", True)]),
        ("core.hookspath", ":(optional)h", [("/p/:(optional)h", True), ("/p/h", True)]),
        ("core.fsmonitor", "-d/x", [("/p/-d/x", False), ("/x", False)]),
        ("core.hookspath", "../../x", [("/x", True)]),
        ("include.path", "more", [("/etc/more", True)]),
        ("includeif.gitdir:/x/.path", "/more", [("/more", True)]),
        ("core.fsmonitor", "tools/watch", [("/p/tools/watch", False)]),
        ("core.fsmonitor", "watchman", []),
        ("filter.x.clean", "sh ci/clean.sh --x=ci/y %f",
         [("/p/ci/clean.sh", False), ("/p/ci/y", False), ("/p/%f", False)]),
        ("diff.x.textconv", "'a b/c'", [("/p/a b/c", False), ("/p/b/c", False)]),
        ("diff.x.textconv", "$(git rev-parse --show-toplevel)/t/a",
         [("/p/rev-parse", False), ("/p/t/a", False)]),
        ("filter.x.clean", 'sh -c "cd t && ./a"',
         [("/p/cd t && ./a", False), ("/p/t", False), ("/p/a", False), ("/p/t/a", False)]),
        ("gpg.ssh.defaultkeycommand", "./k", [("/p/k", False)]),
        ("pager.log", "./less", [("/p/less", False)]),
        ("credential.https://x.y.helper", "!./c 'unclosed",
         [("/p/c", False), ("/p/'unclosed", False)]),
        ("remote.origin.url", "../other", []),
        ("remote.origin.url", "ext::sh ./x", [("/p/x", False)]),
        ("url.ext::./x .insteadof", "https://", [("/p/x", False)]),
        ("submodule.a.b.update", "!./x", [("/p/x", False)]),
        ("remote.origin.uploadpack", "./x", [("/p/x", False)]),
        ("alias.x", "!./x", [("/p/x", False)]),
    ],
)  # fmt: skip
def test_the_places_that_a_setting_names(
    key: str, value: str, wanted: list[tuple[str, bool]]
) -> None:
    assert places(key, value) == wanted


def test_without_a_working_tree_only_absolute_places_are_named() -> None:
    assert places("core.hookspath", "x", base="") == []
    assert places("core.hookspath", "/x", base="") == [("/x", True)]


def test_what_is_executed_is_told_from_what_is_not() -> None:
    told = {"core.fsmonitor": "x", "core.hookspath": "x", "filter.a.b.clean": "x"}
    assert all(executes(GitSetting(key=key, value=value)) for key, value in told.items())
    silent = {"core.fsmonitor": "true", "core.bare": "true", "remote.x.url": "x"}
    assert not any(executes(GitSetting(key=key, value=value)) for key, value in silent.items())


@pytest.mark.parametrize(
    ("key", "value", "other"),
    [
        ("protocol.ext.allow", "always", "never"),
        ("protocol.allow", "user", "NEVER"),
        ("remote.x.url", "ext::sh -c evil", "https://example.org/ext::x"),
        ("remote.x.url", "EXT::sh -c evil", "next::x"),
        ("remote.x.pushurl", "ext::sh -c evil", "x"),
        ("submodule.x.url", "ext::sh -c evil", "../x"),
        ("branch.x.remote", "ext::sh -c evil", "origin"),
        ("remote.pushdefault", "ext::sh -c evil", "origin"),
        ("submodule.x.update", "!evil", "rebase"),
    ],
)
def test_an_address_or_a_way_to_update_may_be_a_command(key: str, value: str, other: str) -> None:
    assert executes(GitSetting(key=key, value=value))
    assert not executes(GitSetting(key=key, value=other))


@pytest.mark.parametrize(
    "key",
    [
        "core.gitproxy", "remote.x.uploadpack", "remote.x.receivepack", "remote.x.vcs",
        "url.ext::sh -c evil.insteadof", "url.ext::sh -c evil.pushinsteadof",
        "gc.recentobjectshook", "tar.x.command",
    ],
)  # fmt: skip
def test_these_are_commands_whatever_they_say(key: str) -> None:
    assert executes(GitSetting(key=key, value="x"))


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("alias.st", "!touch hit", True),
        ("alias.st", "status", False),
        ("lfs.customtransfer.x.path", "./evil", True),
        ("lfs.extension.x.clean", "evil", True),
        ("lfs.url", "https://example.com", False),
        ("sendemail.work.tocmd", "evil", True),
        ("sendemail.smtpserver", "/srv/evil", True),
        ("sendemail.smtpserver", "mail.example.com", False),
        ("imap.tunnel", "evil", True),
        ("guitool.x.cmd", "evil", True),
        ("browser.x.cmd", "evil", True),
        ("man.x.cmd", "evil", True),
    ],
)
def test_what_runs_when_somebody_types_a_command_executes(
    key: str, value: str, wanted: bool
) -> None:
    setting = GitSetting(key=key, value=value)
    assert executes(setting) is wanted
    assert program(setting) is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[http "https://forge.test/"]\nextraHeader = Authorization: Basic c2VjcmV0\n',
         "http.https://forge.test/.extraheader"),
        ('[url "https://me:sesame@forge.test/"]\ninsteadOf = https://forge.test/\n',
         "url.https://…@forge.test/.insteadof"),
        ("[http]\nproxy = http://me:sesame@proxy.test:3128\n", "http.proxy"),
        ("[sendemail]\nsmtpPass = sesame\n", "sendemail.smtppass"),
        ('[url "https://ghp_sesame1234567890abcdef@forge.test/"]\ninsteadOf = x:\n',
         "url.https://…@forge.test/.insteadof"),
        ("[github]\noauth-token = sesame\n", "github.oauth-token"),
        ('[credential "https://forge.test"]\noauthClientSecret = sesame\n',
         "credential.https://forge.test.oauthclientsecret"),
    ],
)  # fmt: skip
def test_a_setting_that_holds_a_password_is_told_without_it(text: str, key: str) -> None:
    (setting,) = parse(text)
    assert token(setting) == key
    assert "sesame" not in key


@pytest.mark.parametrize(
    "text",
    ['[url "https://forge.test/"]\ninsteadOf = f:\n', "[user]\nname = a:b@c\n",
     '[url "ssh://git@forge.test/"]\ninsteadOf = f:\n',
     '[url "https://me@forge.test/"]\ninsteadOf = f:\n',
     '[url "https://some-engineering-team@forge.test/"]\ninsteadOf = f:\n',
     "[core]\naskPass = /usr/bin/ksshaskpass\n",
     '[url "https://my-organization-name1@forge.test/"]\ninsteadOf = f:\n',
     "[alias]\nsecret = !git secret\n",
     "[url \"ssh://a-user-with-a-long-name@forge.test/\"]\ninsteadOf = f:\n",
     "[http]\nextraHeader =\n"],
)  # fmt: skip
def test_others_hold_none(text: str) -> None:
    assert [each for each in map(token, parse(text)) if each] == []


def test_an_address_is_read_in_the_time_of_its_length() -> None:
    """One of a mebibyte, which an agent has written where a user's file includes it."""
    (setting,) = parse(f'[remote "o"]\nurl = https://{":" * (1 << 20)}\n')
    started = time.monotonic()
    assert token(setting) is None
    assert time.monotonic() - started < 5
    (setting,) = parse('[remote "o"]\nurl = https://me:a:b@example.com/x\n')
    assert token(setting) == "remote.o.url"
