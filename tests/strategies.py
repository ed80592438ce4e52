"""The shared vocabulary of property tests: addresses, hostile text, and configurations."""

import ipaddress
import json
from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.load import load
from jailoc.model.address import AddressSet, Family, Network
from jailoc.model.agents.known import DEFAULT
from jailoc.model.bundle import Bundle
from jailoc.model.config import Config
from jailoc.model.document import Document
from jailoc.model.environment import RESERVED
from jailoc.model.forbidden_paths import folded
from jailoc.model.host import FileKind, Host
from jailoc.model.path import clean, within
from jailoc.model.special_ranges import SPECIAL

HOST = Host(
    home="/home/alice",
    ipv6=True,
    kinds={f"/home/alice/{each.path}": FileKind.DIRECTORY for each in DEFAULT.mounts},
)

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIHaMIGNoAMCAQICAQEwBQYDK2VwMBYxFDASBgNVBAMMC2phaWxvYyB0ZXN0MCAX
DTI2MDEwMTAwMDAwMFoYDzIwOTkwMTAxMDAwMDAwWjAWMRQwEgYDVQQDDAtqYWls
b2MgdGVzdDAqMAUGAytlcAMhALYLgFABshByD2ObpbXZFQeDhnliWj3yOd+ownK5
rGWaMAUGAytlcANBAGCbwEQgJGEPRWi6DAjNdtuMdF0aiT94UnOI6Sk987ni4eFj
C7uggtF1SmxYO10CCnynn2kIm0gN+Ln+oVt4IQ0=
-----END CERTIFICATE-----
"""
"""Nobody has its key; a certificate of `CN=jailoc test`, as PEM."""

Value = str | bool | int | float | Sequence[str] | Sequence[int]
Table = Mapping[str, Value]


# TOML


def quote(text: str) -> str:
    """Write text as a TOML basic string; JSON escapes alike, but leaves DEL as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_value(value: Value) -> str:
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    return "[" + ", ".join(map(toml_value, value)) + "]"


def toml(
    workspaces: Mapping[str, Table], defaults: Table | None = None, base: Table | None = None
) -> str:
    """Write a configuration file."""
    tables = {"base": base, "defaults": defaults}
    tables |= {f"workspaces.{quote(name)}": table for name, table in workspaces.items()}
    return "".join(
        f"[{name}]\n" + "".join(f"{key} = {toml_value(each)}\n" for key, each in table.items())
        for name, table in tables.items()
        if table is not None
    )


def config_of(text: str, host: Host = HOST) -> Config:
    return load(Document(text, "config.toml"), host)


def bundle_of(text: str, name: str, host: Host = HOST) -> Bundle:
    return compile_workspace(config_of(text, host), name, host)


def file_of(bundle: Bundle, path: str) -> str:
    return next(each.text for each in bundle.files if each.path == path)


# Addresses


def networks(family: Family, shortest: int = 0) -> st.SearchStrategy[Network]:
    """Networks of a family, often near the special ranges."""
    bits = 32 if family is Family.IPV4 else 128
    special = [each for each, _ in SPECIAL if each.version == family]

    def of(address: int, length: int) -> Network:
        return ipaddress.ip_network((family.address(address), length), strict=False)

    anywhere = st.builds(of, st.integers(0, family.last), st.integers(shortest, bits))
    near = st.builds(
        lambda net, delta, step: of(
            min(max(int(net.network_address) + step, 0), family.last),
            min(max(net.prefixlen + delta, shortest), bits),
        ),
        st.sampled_from(special),
        st.integers(-3, 6),
        st.integers(-2, 2),
    )
    return anywhere | near


def any_networks(shortest: int = 0) -> st.SearchStrategy[Network]:
    """Networks of both families; seven of length 3 or more are never every address together."""
    return st.sampled_from(list(Family)).flatmap(lambda family: networks(family, shortest))


def address_sets(family: Family) -> st.SearchStrategy[AddressSet]:
    pair = st.tuples(st.integers(0, family.last), st.integers(0, family.last))
    small = st.tuples(st.integers(0, 40), st.integers(0, 40))
    end = small.map(lambda each: (family.last - each[0], family.last - each[1]))
    pairs = st.lists((pair | small | end).map(lambda each: (min(each), max(each))), max_size=8)
    return pairs.map(lambda each: AddressSet.of(family, each))


# Text

NASTY = (
    "$", "$$", "${HOME}", "$HOME", "${x:-y}", "${", "}", "#", " #", ": ", ":", "\n", "\r\n", "\r",
    "\t", "\x0b", "\x85", "\u2028", "\u2029", "\ufeff", "\u200b", "\x07", "\x1b[31m", "\x7f", "'",
    '"', "\\", "\\n", "~", "null", "true", "yes", "no", "0x1f", "012", "1e3", "1_000", ".inf",
    "<<", "*a", "&a", "!!int", "!", "%", "@", "`", " ", "|", ">", "- ", "? ", "{", "[", "]", ",",
    "=", "/", "..", ".", "é", "漢", "🐚", "\ufffe", "{{.x}}", "\u202e", "<&>", "---", "...",
)  # fmt: skip

hostile: st.SearchStrategy[str] = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30
) | st.lists(st.sampled_from(NASTY), max_size=8).map("".join)
"""Text that TOML can say and that some reader on the way might take for something else."""

env_keys = hostile.map(lambda text: text.replace("=", "")).filter(
    # Compose takes a name that begins so for an extension, wherever it is; the page says so.
    lambda text: bool(text.strip("\n")) and text not in RESERVED and not text.startswith("x-")
)
env_entries = st.builds(lambda key, value: f"{key}={value}", env_keys, hostile)

paths = (
    hostile.map(lambda text: f"/data/{text}")
    .map(clean)
    .filter(lambda path: path.startswith("/data/") and not path.endswith(".sock"))
)
"""Cleaned absolute paths that no rule forbids."""

mount_paths = paths.map(lambda path: path.replace(":", "_").replace("${", "$("))
# What one agent can write holds nothing that another one is given.
mount_entries = st.builds(
    lambda source, target, mode: f"/given{source}:/mnt{target}{mode}",
    mount_paths,
    mount_paths,
    st.sampled_from(("", ":ro", ":rw")),
)
images = st.from_regex(
    r"([a-z0-9]{1,5}\.[a-z]{2}(:[0-9]{1,4})?/)?[a-z0-9]{1,9}(/[a-z]{1,5})?(:[A-Za-z0-9_][A-Z.-]{0,8})?",
    fullmatch=True,
)
names = st.text("abcxyz019-", min_size=1, max_size=8)
host_names = st.from_regex(
    r"[a-z_][a-z0-9_-]{0,10}(\.[a-z0-9_][a-z0-9_-]{0,10}){0,3}", fullmatch=True
)

scopes: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {},
    optional={
        "mounts": st.lists(mount_entries, max_size=4),
        "env": st.lists(env_entries, max_size=4),
        "allowed_hosts": st.lists(
            host_names | host_names.map(lambda name: f"{name}:443"), max_size=3
        ),
        "allowed_networks": st.lists(any_networks(3).map(str), max_size=3),
        "denied_hosts": st.lists(host_names, max_size=2),
        "denied_networks": st.lists(any_networks().map(str), max_size=2),
        "image": images,
        "expose_port": st.booleans(),
        "git_config": st.booleans(),
        "ssh_auth_sock": st.booleans(),
        "protect": st.lists(host_names.filter(lambda name: name.strip(".") != ""), max_size=2),
        "secrets.env.TOKEN.from_env": st.just("TOKEN"),
        "secrets.file.key-1.from_file": st.just("/srv/key"),
        "enable_docker": st.booleans(),
        "cpu": st.floats(0.01, 512),
        "memory": st.integers(6, 4096).map(lambda amount: f"{amount}m"),
    },
)


def apart(where: list[str]) -> bool:
    """Tell whether no path lies in another for some file systems alone, which is refused."""
    return not any(
        within(folded(one), folded(other)) and not within(one, other)
        for one in where
        for other in where
    )


workspaces: st.SearchStrategy[dict[str, Value]] = st.builds(
    lambda scope, where: {**scope, "paths": where},
    scopes,
    st.lists(paths, max_size=3).filter(apart),
)
configs: st.SearchStrategy[str] = st.builds(
    toml, st.dictionaries(names, workspaces, min_size=1, max_size=3), st.none() | scopes
)
"""The text of valid configuration files."""
