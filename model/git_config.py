"""Read Git's configuration (git-config(1), SYNTAX) for what it names that Git executes or reads.

Only what matters here: which programs, directories and further files a text names by path. Where a
condition decides (`includeIf`), it counts as met: to cover too much does no harm.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence

from jailoc.model.base import Model
from jailoc.model.path import clean
from jailoc.model.shell_line import bare, modules, searched, words

INCLUDES = ("include.path", "includeif.*.path")
"""Further files of configuration."""

EXEC_PATH = "environment.GIT_EXEC_PATH"
"""Stands for the variable, which no setting can replace: none is written with a line below."""
DIRECTORIES = ("core.hookspath", "init.templatedir", EXEC_PATH)
"""Directories of programs."""

_OPTIONAL = ":(optional)"
"""What may stand before a path, from Git 2.52 on (git-config(1), "pathname")."""
PREFIX = "%(prefix)/"
"""What Git reads at the beginning of one as where it is installed."""

FILES = (
    "core.attributesfile", "core.excludesfile", "commit.template", "blame.ignorerevsfile",
    "gpg.*.allowedsignersfile", "gpg.*.revocationfile", "mailmap.file", "format.signaturefile",
)  # fmt: skip
"""Files that choose among the programs, and files that Git copies, shows or believes: through a
link in the place of one it takes another file of the user's."""

PROGRAMS = (
    "core.fsmonitor", "core.sshcommand", "core.editor", "core.pager", "core.askpass",
    "core.gitproxy", "core.alternaterefscommand", "sequence.editor", "credential.helper",
    "credential.*.helper", "diff.external", "diff.*.command", "diff.*.textconv", "filter.*.clean",
    "filter.*.smudge", "filter.*.process", "gc.recentobjectshook", "gpg.program", "gpg.*.program",
    "gpg.*.defaultkeycommand", "hook.*.command", "interactive.difffilter", "merge.*.driver",
    "mergetool.*.cmd", "mergetool.*.path", "difftool.*.cmd", "difftool.*.path", "pager.*",
    "remote.*.receivepack", "remote.*.uploadpack", "tar.*.command", "trailer.*.cmd",
    "trailer.*.command", "uploadpack.packobjectshook",
)  # fmt: skip
"""Commands for a shell, or programs."""

TYPED = (
    "gui.editor", "lfs.customtransfer.*.args", "lfs.customtransfer.*.path",
    "lfs.extension.*.clean", "lfs.extension.*.smudge", "sendemail.sendmailcmd", "sendemail.tocmd",
    "sendemail.cccmd", "sendemail.headercmd", "sendemail.*.sendmailcmd", "sendemail.*.tocmd",
    "sendemail.*.cccmd", "sendemail.*.headercmd", "imap.tunnel", "imap.*.tunnel", "guitool.*.cmd",
    "instaweb.httpd", "instaweb.browser", "svn.authorsprog", "svn-remote.*.authorsprog",
    "browser.*.cmd", "browser.*.path", "man.*.cmd", "man.*.path", "web.browser", "help.browser",
)  # fmt: skip
"""The same, of commands that somebody types."""

SHELL = ("alias.*", "alias.*.command", "sendemail.smtpserver", "sendemail.*.smtpserver")
"""What is a command only if it begins with `!`, or a program only if it is a path."""

ADDRESSES = (
    "remote.*.url", "remote.*.pushurl", "submodule.*.url", "branch.*.remote", "branch.*.pushremote",
    "remote.pushdefault",
)  # fmt: skip
"""Addresses of repositories, which `ext::` makes a command (git-remote-ext(1))."""
EXT = "ext::"
REWRITES = ("url.*.insteadof", "url.*.pushinsteadof")
"""What makes an address of another one; the new one is in the key."""

ALLOWS = ("protocol.allow", "protocol.ext.allow")
"""Without one of them Git executes no `ext::`."""

HELPERS = ("remote.*.vcs",)
"""Names of programs `git-remote-NAME` (gitremote-helpers(7))."""

MOST_SETTINGS = 10_000
"""Of one file; what comes after them is not read."""
MOST_TEXT = 2 << 20
"""Characters of the keys and values of one file: the name of a section is in each of its keys."""

MOST_VALUE = 1 << 16
"""Characters of one value that are understood."""

_SECTION = re.compile(r'\[\s*([A-Za-z0-9.-]+)(?:\s+"((?:[^"\\\n]|\\.)*)")?\s*\]')
_KEY = re.compile(r"([A-Za-z][A-Za-z0-9-]*)[ \t]*(=?)[ \t]*")
_ESCAPED = re.compile(r"\\(.)")
_BLANKS = " \t\r\n"
"""What Git takes for blanks (ctype.c); any other one is a part of a value."""
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b", '"': '"', "\\": "\\"}


class GitSetting(Model):
    """One setting: section and name in lower case, as Git compares them."""

    key: str
    """Such as `core.hookspath` or `filter.LFS.clean`."""
    value: str

    @property
    def pattern(self) -> str:
        """Return the key with `*` in the place of its middle part."""
        section, _, rest = self.key.partition(".")
        middle, dot, name = rest.rpartition(".")
        if section == "lfs":
            first, _, _ = middle.partition(".")
            section = f"{section}.{first}" if first in {"customtransfer", "extension"} else section
        return f"{section}.*.{name}" if dot else self.key


def parse(text: str) -> tuple[GitSetting, ...]:
    """Return the settings of a file in their order, within bounds (`cut` tells).

    What is malformed is passed over.

    Git itself refuses a file at the first error, so reading on finds no less than it would.
    """
    found: list[GitSetting] = []
    section, position = "", 1 if text.startswith("\ufeff") else 0
    left = MOST_TEXT
    while position < len(text) and len(found) < MOST_SETTINGS and left > 0:
        character = text[position]
        if character in " \t\r\n\f\v":
            position += 1
        elif character in "#;":
            position = _line_end(text, position)
        elif character == "[":
            match = _SECTION.match(text, position)
            if match is None:
                position = _line_end(text, position)
                continue
            section, position = _name_of(match), match.end()
        else:
            match = _KEY.match(text, position)
            if match is None or not section:
                position = _line_end(text, position)
                continue
            begin, key = match.end(), f"{section}.{match[1].lower()}"
            value, position = _value(text, begin) if match[2] else ("true", begin)
            found.append(GitSetting(key=key, value=value))
            left -= len(section) + len(value)
            # Which Git the host has is not asked: what either reads counts.
            if match[2] and ("\t" in value or "\r" in value):
                before, _ = _value(text, begin, blank=" ")
                found += [GitSetting(key=key, value=before)] if before != value else []
                left -= len(section) + len(before)
    return tuple(found)


def cut(settings: Sequence[GitSetting]) -> str | None:
    """Say why a file may have more settings than these; None if it has not."""
    if len(settings) >= MOST_SETTINGS:
        return f"{MOST_SETTINGS:,} settings or more"
    if any(len(each.value) >= MOST_VALUE for each in settings):
        return f"a value of {MOST_VALUE:,} characters or more"
    if sum(len(each.key) + len(each.value) for each in settings) >= MOST_TEXT:
        return f"settings of {MOST_TEXT:,} characters or more"
    return None


def _name_of(match: re.Match[str]) -> str:
    if match[2] is not None:
        return f"{match[1].lower()}.{_ESCAPED.sub(lambda each: each[1], match[2])}"
    # Git before 1.7 wrote [section.subsection], where the case does not count.
    return match[1].lower()


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end + 1


def _value(text: str, position: int, blank: str = "") -> tuple[str, int]:
    """Return a value, and where it ends: quotes and escapes are resolved, comments cut off.

    Any blank outside of quotes is read as `blank`, if one is given, as Git does before 2.45.
    """
    found: list[str] = []
    kept = 0
    """Length without the blanks at the end, those in quotes aside."""
    quoted = False
    while position < len(text):
        character = text[position]
        position += 1
        if character == "\n" or (character == "\r" and text[position : position + 1] == "\n"):
            break
        if character == "\\":
            after = text[position : position + 1]
            if text.startswith("\r\n", position):
                position += 2
                continue
            position += 1
            if after == "\n":
                continue
            found.append(_ESCAPES.get(after, after))
            kept = len(found)
        elif character == '"':
            quoted = not quoted
            kept = len(found)
        elif character in "#;" and not quoted:
            position = _line_end(text, position)
            break
        elif found or quoted or character not in _BLANKS:
            plain = quoted or character not in _BLANKS
            found.append(character if plain else blank or character)
            if plain:
                kept = len(found)
    # Git's strings end at the first NUL.
    return "".join(found[:kept]).partition("\0")[0], position


def included(setting: GitSetting) -> bool:
    """Tell whether a setting names a further file of configuration."""
    return setting.pattern in INCLUDES


def is_true(value: str) -> bool:
    """Tell whether Git takes a value for yes where it wants a yes or a no (git-config(1))."""
    return value.lower() not in {"false", "no", "off", "0", ""}


def executes(setting: GitSetting) -> bool:
    """Tell whether a setting is about what Git executes."""
    if setting.pattern == "core.fsmonitor" and setting.value.lower() in {
        "true", "false", "yes", "no", "on", "off", "1", "0", "",
    }:  # fmt: skip
        return False
    if setting.key.lower() in ALLOWS:
        return setting.value.lower() != "never"
    return (
        _command(setting) is not None
        or _matches(setting, DIRECTORIES)
        or _matches(setting, HELPERS)
    )  # fmt: skip


def typed(setting: GitSetting) -> bool:
    """Tell whether a setting is about commands that nobody runs without typing them."""
    return _matches(setting, TYPED) or _matches(setting, SHELL)


def _command(setting: GitSetting) -> str | None:
    """Return the command that a setting gives, if it does."""
    value = setting.value
    if _matches(setting, PROGRAMS) or _matches(setting, TYPED):
        return value
    if _matches(setting, SHELL) and value.startswith(("!", "/", "~")):
        return value
    if setting.pattern == "submodule.*.update" and value.startswith("!"):
        return value
    if _matches(setting, ADDRESSES) and _is_ext(value):
        return value[len(EXT) :]
    address = setting.key.partition(".")[2].rpartition(".")[0]
    if _matches(setting, REWRITES) and _is_ext(address):
        return address[len(EXT) :]
    return None


def program(setting: GitSetting) -> str | None:
    """Return the program that a setting names, as it is looked up; None where it is no plain one.

    A helper of `credential` is a part of a name (gitcredentials(7)); a command may begin with `!`.
    """
    command = None if typed(setting) else _command(setting)
    if command is None or (setting.pattern == "core.fsmonitor" and not executes(setting)):
        return None
    first = next(words(command.removeprefix("!")[:MOST_VALUE]), "")
    if not _PROGRAM.fullmatch(first):
        return None
    helper = setting.pattern in {"credential.helper", "credential.*.helper"}
    if helper and not command.startswith(("!", "/", "~/")):
        return f"git-credential-{first}"
    return first if "/" not in first or first.startswith(("/", "~/")) else None


_PROGRAM = re.compile(r"~?[A-Za-z0-9._+/-]{1,200}")


def _is_ext(address: str) -> bool:
    # Where the case does not count, the program is found for any.
    return address[: len(EXT)].lower() == EXT


def _matches(setting: GitSetting, patterns: tuple[str, ...]) -> bool:
    section = setting.key.partition(".")[0]
    return setting.pattern in patterns or (
        section in {"pager", "alias"} and f"{section}.*" in patterns
    )


class Reference(Model):
    """A place that a setting may name."""

    key: str
    path: str
    """Absolute and clean."""
    spelt: str
    """The same with every `..`, which a link before it leads elsewhere than to the left."""
    directory: bool
    """Whether it is one that is looked through; else only a file counts."""
    sure: bool
    """Whether the setting can mean nothing else, so that it matters if the place is missing."""


def references(setting: GitSetting, base: str, holder: str, home: str) -> Iterator[Reference]:
    """Yield the places that a setting may name.

    Args:
        setting: The setting.
        base: Where Git runs hooks and commands: the top of the working tree. Empty where there is
            none; then only absolute places count.
        holder: Directory of the file that the setting is in, for what it includes.
        home: The user's home directory.
    """
    directory, command = _matches(setting, DIRECTORIES), _command(setting)
    if included(setting) or directory or _matches(setting, FILES):
        start = holder if included(setting) else base
        for value in dict.fromkeys((setting.value, setting.value.removeprefix(_OPTIONAL))):
            # Git knows no options here.
            name = f"./{value}" if value.startswith("-") else value
            if path := whole(name, start, home):
                yield Reference(
                    key=setting.key, path=clean(path), spelt=path, directory=directory, sure=True
                )
    elif setting.pattern.startswith("alias.") and command is None:
        # Options of Git's own name programs, too: `-c core.pager=./x log`, `rebase -x ./x`.
        every = (each for each in words(setting.value[:MOST_VALUE]) if "/" in each)
        yield from filter(None, (_maybe(setting, each, base, home) for each in every))
    elif command is not None:
        line = command.removeprefix("!")[:MOST_VALUE]
        alias = setting.pattern.startswith("alias.")
        yield from _searched(setting, line, base, home)
        for path in modules(line):
            if found := _maybe(setting, path, base, home):
                yield found
        before = ""
        for index, written in enumerate(words(line)):
            # The program itself is no option.
            word = f"./{written}" if index == 0 and written.startswith("-") else written
            before, last = word, before
            # An alias is full of Git's own words, and a file may be called like one.
            if alias and not ("/" in word or "." in word or last in _INTERPRETERS):
                continue
            # The first word is looked up in PATH unless it holds a slash.
            if index == 0 and "/" not in written:
                continue
            if found := _maybe(setting, word, base, home):
                yield found


def _searched(setting: GitSetting, line: str, base: str, home: str) -> Iterator[Reference]:
    """Yield where a line has programs looked for; of an alias, what it names there.

    What package managers fill cannot be read-only for what somebody types.
    """
    for folder in searched(line):
        if not setting.pattern.startswith("alias."):
            if path := whole(folder, base, home):
                yield Reference(
                    key=setting.key, path=clean(path), spelt=path, directory=True, sure=True
                )
            continue
        for each in bare(line):
            if found := _maybe(setting, f"{folder}/{each}", base, home):
                yield found


def _maybe(setting: GitSetting, word: str, base: str, home: str) -> Reference | None:
    if "/" not in word and word.endswith(_DATA):
        return None
    path = whole(word, base, home)
    if path is None:
        return None
    return Reference(key=setting.key, path=clean(path), spelt=path, directory=False, sure=False)


_INTERPRETERS = frozenset(
    {"sh", "bash", "dash", "zsh", "ksh", "fish", "python", "python3", "perl", "ruby", "node", ".",
     "source", "exec", "env"}
)  # fmt: skip
_DATA = (
    ".md", ".txt", ".json", ".jsonc", ".lock", ".toml", ".yml", ".yaml", ".ini", ".cfg", ".xml",
    ".html", ".css", ".csv",
)  # fmt: skip
"""Ends of files that a command reads, and nobody runs: the agent has to be able to work on them."""


def absolute(text: str, base: str, home: str) -> str | None:
    """Return the path that a value means; None if it is none, or relative and there is no base."""
    path = whole(text, base, home)
    return None if path is None else clean(path)


def whole(text: str, base: str, home: str) -> str | None:
    """Return the same with every `..` that it is written with."""
    if not text or "\0" in text or text.startswith("-"):
        return None
    if text.startswith("~/") or text == "~":
        return home + text[1:]
    if text.startswith("/"):
        return text
    return posixpath.join(base, text) if base else None
