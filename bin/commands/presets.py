"""`presets`: show sets of hosts, and read one from a package client of this machine."""

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from jailoc.bin.config import append, facts
from jailoc.bin.config.session import Session
from jailoc.bin.host import regular
from jailoc.bin.terminal import prompt
from jailoc.generators.assets import set_names
from jailoc.generators.config.edit import put_set
from jailoc.generators.config.host_sets import known, sources
from jailoc.generators.config.registries import hosts
from jailoc.model.allow_entry import HostEntry
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.host_set import HostSet
from jailoc.model.palette import Meaning
from jailoc.model.text import meant, number_of

_FILES = {
    "npm": ("~/.npmrc", "/usr/local/etc/npmrc", "/etc/npmrc"),
    "pip": ("~/.config/pip/pip.conf", "~/.pip/pip.conf", "/etc/pip.conf"),
    "apt": ("/etc/apt/sources.list", "/etc/apt/sources.list.d/*"),
    "cargo": ("~/.cargo/config.toml", "~/.cargo/config"),
}
"""The user's first: all of them count."""
CLIENTS = tuple(_FILES)
_NAMED = {
    "npm": ("NPM_CONFIG_USERCONFIG", "npm_config_userconfig"),
    "pip": ("PIP_CONFIG_FILE",),
    "apt": (),
    "cargo": (),
}
"""Variables that name a further file."""
_URLS = {
    "npm": ("NPM_CONFIG_REGISTRY", "npm_config_registry"),
    "pip": ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"),
    "apt": (),
    "cargo": (),
}
_ASK = {
    "npm": "`npm config get registry` says it",
    "pip": "`pip install --help` says it, beside --index-url",
    "apt": "`apt-get indextargets` says it",
    "cargo": "its manual says it",
}


def listed(session: Session, as_json: bool) -> int:
    """List every set."""
    every = known(session.source().config)
    if as_json:
        session.terminal.data([_data(name, each) for name, each in sorted(every.items())])
        return 0
    for name, each in sorted(every.items()):
        whose = "shipped" if name in set_names() else "yours"
        day = f" of {each.as_of}" if each.as_of else ""
        session.terminal.colored(
            f"@{name}  {number_of(len(each.hosts), 'host')}, {whose}{day}", Meaning.TITLE
        )
        if each.about:
            session.terminal.told(f"    {each.about}")
    return 0


def show(session: Session, name: str, as_json: bool) -> int:
    """Show one set.

    Raises:
        Refused: there is no such set.
    """
    every, name = known(session.source().config), name.removeprefix("@")
    if name not in every:
        raise unknown(name, every)
    if as_json:
        session.terminal.data(_data(name, every[name]))
        return 0
    public = sources(name) if name in set_names() else {}
    for each in every[name].hosts:
        text = _text(each)
        session.terminal.told(f"{text}  {each.why or ''}".rstrip())
        if text in public:
            session.terminal.result(f"    {public[text]}")
    return 0


def unknown(name: str, every: Iterable[str]) -> Refused:
    """Return the refusal of a name that no set has."""
    known_ones = sorted(every)
    return refuse(
        "set-unknown",
        f"there is no set `@{name}`",
        allowed=", ".join(f"@{each}" for each in known_ones),
        hint=meant(name, known_ones, mark="@"),
    )


def _text(entry: HostEntry) -> str:
    ports = ",".join(map(str, entry.ports))
    name = f"[{entry.name}]" if ":" in entry.name and ports else entry.name
    return f"{name}:{ports}" if ports else name


def _data(name: str, each: HostSet) -> dict[str, object]:
    public = sources(name) if name in set_names() else {}
    return {
        "name": name,
        "shipped": name in set_names(),
        "about": each.about,
        "as_of": str(each.as_of) if each.as_of else None,
        "hosts": [
            {"to": _text(one), "why": one.why, "source": public.get(_text(one))}
            for one in each.hosts
        ],
    }


def import_(session: Session, client: str, yes: bool) -> int:
    """Show what a client's own configuration fetches from, and write it as a set.

    Raises:
        Refused: it names nothing, or nobody has agreed.
    """
    read = dict(_texts(client))
    urls = tuple(url for name in _URLS[client] for url in os.environ.get(name, "").split())
    found = hosts(client, tuple(read.values()), urls)
    if not found:
        raise refuse(
            "import",
            f"the configuration of {client} on this machine names nothing that it fetches from",
            hint=f"what it uses without being told is in no file ({_ASK[client]}): "
            f"write it into [sets.{client}] by hand",
        )
    day = datetime.fromtimestamp(session.clock(), UTC).date()
    value = {"about": f"what {client} fetches from, by its own configuration", "as_of": day,
             "hosts": list(found)}  # fmt: skip
    for place in read:
        session.terminal.say(f"read {place}")
    new = put_set("", client, value).strip()
    for line in new.splitlines():
        session.terminal.colored(f"+ {line}", Meaning.OPENS, whole=True)
    if client in {"pip", "cargo"}:
        session.terminal.say("some indexes name other hosts for the files: `jailoc blocked` shows "
                             "what is missing", Meaning.WARNS)  # fmt: skip
    mine = session.source().config.sets.get(client)
    if mine is not None and tuple(map(_text, mine.hosts)) == found:
        session.terminal.say(f"[sets.{client}] is that already", Meaning.DONE)
        return 0
    if not yes and not prompt.agreed(session.terminal, f"write it into {session.path}?",
                                     "that", "give --yes"):  # fmt: skip
        return 0
    append.host_set(session, client, value)
    session.terminal.told(f'written; a workspace has it with allow = ["@{client}"]')
    return 0


def _texts(client: str) -> Iterator[tuple[str, str]]:
    """Yield the files of a client's configuration that can be read."""
    names = [os.environ[name] for name in _NAMED[client] if os.environ.get(name)]
    places: list[Path] = []
    for each in (*names, *_FILES[client]):
        path = Path(each.replace("~", facts.home(), 1) if each.startswith("~") else each)
        places += sorted(path.parent.glob("*")) if path.name == "*" else [path]
    for path in dict.fromkeys(places):
        if client == "apt" and path.suffix not in {".list", ".sources"}:
            continue
        try:
            yield str(path), regular.read(str(path)).decode(errors="replace")
        except (OSError, regular.NotRegular):
            continue
