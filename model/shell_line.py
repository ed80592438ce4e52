"""What may be a path in a line for a shell (sh(1)), without running it.

It is a guess that rather finds too much: what is no file is none. What programs print, and what a
script does in turn, cannot be known.
"""

import posixpath
import re
import shlex
from collections.abc import Iterator
from itertools import islice

LONGEST = 4096
"""Characters of a directory (PATH_MAX)."""
_TOP = re.compile(
    r"\"?(?:\$\(\s*git rev-parse [^()`]*--show-toplevel[^()`]*\)"
    r"|`\s*git rev-parse --show-toplevel\s*`|\$\(\s*pwd[^()`]*\)|`\s*pwd\s*`"
    r"|\$\{?(?:PWD|GIT_WORK_TREE)\b\}?)\"?"
)
"""The top of the working tree, where Git runs what its configuration names (githooks(5))."""
_GIT = re.compile(
    r"\"?(?:\$\(\s*git rev-parse [^()`]*--(?:absolute-)?git-(?:common-)?dir[^()`]*\)"
    r"|`\s*git rev-parse --git-(?:common-)?dir\s*`"
    r"|\$\{GIT_(?:COMMON_)?DIR:?-[^{}]*\}|\$\{?GIT_(?:COMMON_)?DIR\b\}?)\"?"
)
_HOME = re.compile(r"\"?\$\{?HOME\b\}?\"?")
_GIVEN = re.compile(r"(?:^|[\s;&|(\"'])([A-Za-z_]\w{0,50})=([\w./~-]{1,200})(?=[\s;&|\"']|$)")
"""A variable and its plain value."""
_SEARCHED = re.compile(r"(?:^|[\s;&|(\"'])(?:PATH|GIT_EXEC_PATH)=([^\s;&|()]{1,4096})")
"""Where a shell, or Git, looks for programs by their names."""
_MODULE = re.compile(
    r"\b(?:python|pypy)[\w.]{0,20}[\"']?(?:\s[^;&|]{0,200})?\s-[A-Za-z]{0,10}m[\s\"']{0,5}"
    r"([A-Za-z_]\w{0,100}(?:\.[A-Za-z_]\w{0,100}){0,5})"
)
"""A module that Python is to run (python(1), `-m`)."""
_IMPORTED = re.compile(
    r"(?:^|[\s;&|(\"'])(?:PYTHONPATH=|(?:cd|pushd|chdir|-C|--chdir)[\s=]{1,5})"
    r"([^\s;&|()]{1,4096})"
)
"""Where Python looks for one (PYTHONPATH), or is started."""
_VARIABLE = re.compile(r"\$\{?\w+\}?")
_UNKNOWN = re.compile(r"\$\([^()]*\)|`[^`]*`|\$\{?\w+\}?")
_BRACES = re.compile(r"\{([^\s{}]{1,1000})\}")
_BEFORE, _BEHIND = re.compile(r"[^\s;&|(){}\"'`]*\Z"), re.compile(r"[^\s;&|(){}\"'`]*")
_BETWEEN = re.compile(r"[\s;&|()<>\"'`$={},:]+")
_WITHIN = re.compile(r"[\s;&|()<>\"'`${}]")
_QUOTES = re.compile("[\"']")
_OPEN = re.compile(r"[$`{}]")
_JOINED = re.compile(r"-[A-Za-z][^-=]*/")
"""An option of one letter with its value, as `ssh -Ftools/config`."""
_ENTERS = frozenset({"cd", "pushd", "chdir", "-C", "--chdir"})
"""What a directory follows in which the rest is looked for."""


def modules(line: str) -> Iterator[str]:
    """Yield the files of modules that a line has Python run: it looks first where it is started.

    Where that is, or what PYTHONPATH names, counts from the top of the working tree on.

    >>> list(modules('"/usr/bin/python3" -W ignore -m strip.out --x'))
    ['strip.py', 'strip/__init__.py', 'strip/__main__.py', 'strip/out.py', 'strip/out/__main__.py']
    """
    names = dict.fromkeys(_MODULE.findall(line))
    folders = ("", *_imported(line)) if names else ()
    for name in names:
        top, *_ = name.split(".")
        path = name.replace(".", "/")
        files = (
            f"{top}.py", f"{top}/__init__.py", f"{top}/__main__.py", f"{path}.py",
            f"{path}/__main__.py",
        )  # fmt: skip
        yield from dict.fromkeys(
            posixpath.join(folder, each) for folder in folders for each in files
        )


def _imported(line: str) -> Iterator[str]:
    """Yield the directories that modules are looked for in, beside the first one."""
    before = ""
    for match in islice(_IMPORTED.finditer(_known(line)), _MOST_GIVEN):
        for each in _QUOTES.sub("", match[1]).split(":"):
            if each and not _OPEN.search(each):
                yield each
                if before:
                    yield posixpath.join(before, each)
                before = posixpath.join(before, each)[:LONGEST]


def words(line: str) -> Iterator[str]:
    """Yield what may be a path in a line, each once: as it is, or from the top of the working tree.

    The first word comes first, as it is: it is looked up in PATH if it holds no slash.

    >>> list(words('cd tools && ./fmt $HOME/x'))[4:]
    ['$HOME/x', 'tools/fmt', '~/x', 'tools/~/x']
    >>> list(words('sh -c "${X:-f2/g}"'))[3:]
    ['f2/g']
    """
    seen: set[str] = set()
    for word in _every(line):
        if word not in seen:
            seen.add(word)
            yield word


def _every(line: str) -> Iterator[str]:
    try:
        plain = shlex.split(line)
    except ValueError:
        plain = line.split()
    # An option's value counts, too.
    for word in plain:
        yield word.rpartition("=")[2] if word.startswith("-") or "=" in word else word
        if _JOINED.match(word):
            yield word[2:]
    if not _WITHIN.search(line):
        return
    # Without what quotes its parts, too: `to''ols/fmt` is one word.
    for text in dict.fromkeys((line, " ".join(plain))):
        known = _known(text)
        yield from _chosen(known)
        known = known.replace(":-", " ")
        yield from _parts(_UNKNOWN.sub("", known))
        # What a substitution runs counts, too.
        yield from _parts(_VARIABLE.sub("", known))


def searched(line: str) -> Iterator[str]:
    """Yield the directories that a line has programs looked for in, each once.

    >>> list(searched('PATH="$PWD/tools:$PATH" fmt'))
    ['./tools']
    """
    # An empty one is where one stands.
    every = (
        each or "."
        for match in _SEARCHED.finditer(_known(line))
        for each in _QUOTES.sub("", match[1]).split(":")
        if not _OPEN.search(each)
    )
    yield from dict.fromkeys(islice(every, _MOST_GIVEN))


def bare(line: str) -> Iterator[str]:
    """Yield what may be the name of a program that is looked for, each once."""
    yield from dict.fromkeys(each for each in _BETWEEN.split(line) if each and "/" not in each)


def _known(text: str) -> str:
    """Return a line with the values of what it says itself."""
    for name, value in _GIVEN.findall(text)[:_MOST_GIVEN]:
        text = re.sub(rf"\$\{{?{name}\b\}}?", value, text)
    return _HOME.sub("~", _GIT.sub(".git", _TOP.sub(".", text)))


_MOST_GIVEN, _MOST_BESIDE = 10, 200


def _chosen(text: str) -> Iterator[str]:
    """Yield what braces stand for: `a{b,c}d` is `abd` and `acd` for most shells."""
    for match in _BRACES.finditer(text):
        before = _BEFORE.findall(text[max(0, match.start() - _MOST_BESIDE) : match.start()])[0]
        behind = _BEHIND.findall(text[match.end() : match.end() + _MOST_BESIDE])[0]
        for each in match[1].split(",") if "," in match[1] else ():
            yield f"{before}{each}{behind}"


def _parts(text: str) -> Iterator[str]:
    enters, folder = False, ""
    for word in filter(None, _BETWEEN.split(text)):
        if word in _ENTERS:
            enters = True
            continue
        if word.startswith("-"):
            continue
        if enters:
            folder, enters = posixpath.join(folder, word)[:LONGEST], False
            yield word
            continue
        if not ("/" in word or "." in word or folder):
            continue
        # What stood before it, and is not known, may have been the top.
        for each in (word, word.lstrip("/")):
            yield each
            if folder and each:
                # Whatever leads up is left: where a link was before it decides where that is.
                yield posixpath.join(folder, each.removeprefix("./"))
