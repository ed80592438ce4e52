"""Git repositories below a path that an agent can write, and what of them the host executes.

Git looks for hooks and configuration in the common directory, which the file `commondir` names
(gitrepository-layout(5)); so that file counts as much as they do. An ordinary repository has none,
and one that says `.` changes nothing: it is made, so that it can be mounted over.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from unicodedata import normalize

from pydantic import Field

from jailoc.model.base import Model
from jailoc.model.host import FileKind, Named, Repository

LISTED = ("hooks", "config", "config.worktree", "commondir", "info/attributes",
          "remotes", "branches", "objects/info/alternates")  # fmt: skip
"""What Git executes, or takes what it executes from, in any Git directory. `remotes` and `branches`
say what `git fetch` and `git push` talk to where the configuration names no remote
(gitrepository-layout(5)); the last one names other repositories, which Git takes objects from."""
DEEPER = {first: tuple(rest) for first, *rest in (each.split("/") for each in LISTED) if rest}
"""Those of them that lie deeper, as ways from their first directory."""

READ_BY_GIT = frozenset((".gitignore", ".gitattributes", ".gitmodules", ".mailmap", ".lfsconfig"))
"""What Git reads in a working tree, at any level."""
OF_A_WORKTREE = ("commondir", "gitdir", "config.worktree")
"""The same in `worktrees/NAME`, the Git directory of a linked working tree."""

HOOKS = (
    "applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit",
    "prepare-commit-msg", "commit-msg", "post-commit", "pre-rebase", "post-checkout", "post-merge",
    "pre-push", "pre-receive", "update", "proc-receive", "post-receive", "post-update",
    "reference-transaction", "push-to-checkout", "pre-auto-gc", "post-rewrite",
    "sendemail-validate", "fsmonitor-watchman", "p4-changelist", "p4-prepare-changelist",
    "p4-post-changelist", "p4-pre-submit", "post-index-change",
)  # fmt: skip
"""What Git itself executes of a directory of hooks (githooks(5))."""

MADE: dict[str, str | None] = {
    "commondir": ".\n", "config": "", "hooks": None, "remotes": None, "branches": None,
}  # fmt: skip
"""What is made where it is missing, with its text; None makes a directory. Whoever can make it in
their place says what Git executes."""

_IGNORED = dict.fromkeys(
    (
        0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810),
        *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x3164,
        *range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0, *range(0xFFF0, 0xFFF9),
        *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000),
    )
)  # fmt: skip
"""Characters that ext4's casefold directories pass over in a name, and so may those of f2fs and
tmpfs: Unicode's Default_Ignorable_Code_Point (fs/unicode of Linux). HFS+ does some of them, as in
Git's own check (utf8.c, next_hfs_char)."""


def fold(name: str) -> str:
    """Return a name as the most tolerant file system compares it.

    Names are always compared so, whatever the file system: APFS, HFS+, NTFS and ext4's casefold
    directories open `.git/hooks` for `.GIT/Hooks`, one tree may hold several of them, and where
    the case counts, a cover too many does no harm.
    """
    if name.isascii():
        return name.lower().rstrip(". ") or name
    plain = normalize("NFC", name.translate(_IGNORED)).casefold()
    return plain.rstrip(". ") or name


def digest(words: Iterable[str]) -> str:
    """Return what tells whether words that are not shown are the same: they are an agent's."""
    whole = "\0".join(words).encode(errors="surrogatepass")
    return sha256(whole).hexdigest()[:16]


class Wanted(Model):
    """A place that is to be read-only, or that cannot be."""

    path: str
    """On the host, absolute."""
    executes: tuple[str, ...] = ()
    """What the host would execute by it, in words from inside the sandbox."""
    trouble: str | None = None
    """Why it cannot be covered."""
    stops: bool = False
    """Whether nothing is started until somebody has looked at it."""
    hint: str | None = None
    """What to do about the trouble, if it is not what is to be done about others."""


class Placeholder(Model):
    """What is made on the host where nothing is, so that something can be mounted over it."""

    root: str
    """The writable path; on the way from there no link is followed."""
    path: str
    """Relative to it."""
    text: str | None
    """None makes a directory."""

    @property
    def place(self) -> str:
        """Return where it is."""
        return f"{self.root.rstrip('/')}/{self.path}"


class Made(Model):
    """A placeholder that was made, as it was then."""

    placeholder: Placeholder
    device: int
    inode: int

    @property
    def begun(self) -> bool:
        """Tell whether it was only about to be made: nobody knows whether it was."""
        return self.inode == 0


class Protection(Model):
    """What one repository needs."""

    wanted: tuple[Wanted, ...] = ()
    made: dict[str, str | None] = Field(default_factory=dict)
    """What is made where it is missing, by path in it, as in `MADE`. `HOOKS` is not `hooks`: where
    the case counts, Git does not look there."""


def protection(repository: Repository, *, whole: bool = False) -> Protection:
    """Return what has to be read-only in a repository, and what has to be made for that.

    Args:
        repository: The repository.
        whole: Whether all of it has to be; then nothing has to be made.
    """
    found = _protection(repository)
    if not whole:
        return found
    executed = tuple(dict.fromkeys(told for each in found.wanted for told in each.executes))
    held = Wanted(path=repository.directory, executes=executed)
    return Protection(wanted=(held, *(each for each in found.wanted if each.trouble is not None)))


def _protection(repository: Repository) -> Protection:
    at = repository.directory
    found: list[Wanted] = []
    listed = OF_A_WORKTREE if repository.linked else LISTED
    for name in sorted(repository.kinds):
        folded = _folded(name)
        if folded in listed or _of_a_worktree(folded):
            told = _told(repository, folded)
            found.append(Wanted(path=f"{at}/{name}", executes=told))
    for name in sorted(repository.links):
        told = _told(repository, _folded(name))
        reason = "a symbolic link leads to it"
        found.append(Wanted(path=f"{at}/{name}", executes=told, trouble=reason, stops=True))
    usual = {} if repository.linked else MADE
    needed = usual | {f"{each}/config.worktree".removeprefix("./"): "" for each in repository.trees}
    # Also what is there: a bundle is the same before and after it was made.
    made = {} if repository.sealed else {
        name: text for name, text in needed.items() if name not in repository.links
    }  # fmt: skip
    found += (
        Wanted(path=f"{at}/{name}", executes=_told(repository, name))
        for name in made
        if name not in repository.kinds
    )
    found += [
        Wanted(path=f"{at}/{name}", trouble=f"it leads Git to another repository, `{target}`")
        for name, target in sorted(repository.elsewhere.items())
    ]  # fmt: skip
    return Protection(wanted=tuple(found), made=made)


def _folded(path: str) -> str:
    return "/".join(map(fold, path.split("/")))


def _of_a_worktree(name: str) -> bool:
    parts = name.split("/")
    return len(parts) == 3 and parts[0] == "worktrees" and parts[2] in OF_A_WORKTREE


def _told(repository: Repository, name: str) -> tuple[str, ...]:
    if name == "hooks":
        return repository.hooks
    if name.endswith("/alternates"):
        return repository.alternates
    if name in repository.remotes:
        return repository.remotes[name]
    return repository.settings.get(name, ())


def named(
    references: Iterable[Named], roots: dict[str, str], tops: Iterable[str]
) -> Iterator[Wanted]:
    """Yield what Git's configuration names inside of writable paths.

    Args:
        references: What it names.
        roots: Writable paths with their real places.
        tops: Working trees: what holds one cannot be read-only as a whole.
    """
    trees = tuple(tops)
    for each in references:
        told = (f"{each.key} = {each.text}", *each.hooks)
        for path in _spellings(each.path, each.real, roots):
            root = max((one for one in roots if _holds(one, path)), key=len)
            if each.kind is None:
                if each.sure:
                    trouble = f"`{each.key}` names it, and it does not exist yet"
                    yield Wanted(path=path, executes=told, trouble=trouble)
            elif each.followed and each.kind is FileKind.DIRECTORY:
                # Read-only as a whole it could be what the agent has to work on.
                yield Wanted(path=path, trouble=f"`{each.key}` leads to it", hint=_COPY)
            elif any(_holds(path, top) for top in (root, *trees)):
                if each.kind is FileKind.DIRECTORY and each.sure:
                    trouble = f"`{each.key}` names it, and a whole working tree lies in it"
                    yield Wanted(path=path, executes=told, trouble=trouble)
            elif each.real != moved(path, root, roots[root]):
                yield Wanted(path=path, executes=told, trouble=_LINKED)
            else:
                yield Wanted(path=path, executes=told)
        if each.path == each.real or not any(_holds(root, each.path) for root in roots):
            yield from (Wanted(path=path, executes=told, trouble=_CROSSED)
                        for path in _crossed(each.hops, roots))  # fmt: skip


def _crossed(hops: Iterable[str], roots: dict[str, str]) -> Iterator[str]:
    """Yield what of a way an agent could exchange."""
    for hop in hops:
        above, _, name = hop.rpartition("/")
        if name != ".git":  # what is covered in it holds it in place
            for path in _spellings(above or "/", above or "/", roots):
                yield f"{path}/{name}"


_LINKED = "a symbolic link leads to it"
_COPY = "look at it before the host obeys it, or put a copy in the place of what leads there"
_CROSSED = "the way to what is named leads over it, and a symbolic link can be put there"


def _spellings(path: str, real: str, roots: dict[str, str]) -> Iterator[str]:
    """Yield the writable places that a path is, each as its writable path calls it.

    Either may be spelt by way of a link.
    """
    found = [path] if any(_holds(root, path) for root in roots) else []
    found += (moved(real, place, root) for root, place in roots.items() if _holds(place, real))
    yield from dict.fromkeys(found)


def moved(path: str, source: str, target: str) -> str:
    """Return a path in one directory as the same one in another directory."""
    return (target.rstrip("/") + path[len(source.rstrip("/")) :]) or "/"


def _holds(directory: str, path: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")
