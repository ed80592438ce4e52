"""The credentials of a workspace, those of all layers laid over each other."""

from collections.abc import Iterable

from jailoc.model.config import Scope
from jailoc.model.credential import Credential, parse_host


def credentials(layers: Iterable[tuple[str, Scope]]) -> tuple[Credential, ...]:
    """Merge by name: a later scope replaces an entry entirely."""
    found: dict[str, Credential] = {}
    for at, scope in layers:
        for name, each in scope.credentials.items():
            found[name] = Credential(
                name=name,
                hosts=tuple(map(parse_host, dict.fromkeys(each.hosts))),
                from_env=each.from_env,
                from_file=each.from_file,
                from_keyring=each.from_keyring,
                from_command=each.from_command,
                scheme=each.scheme,
                username=each.username,
                header=each.header,
                prefix=each.prefix,
                methods=tuple(dict.fromkeys(each.methods)),
                paths=tuple(dict.fromkeys(each.paths)),
                env=tuple(dict.fromkeys(each.env)),
                placeholder=each.placeholder or f"jailoc-{name}",
                scrub=each.scrub,
                origin=f"{at}.credentials.{name}",
            )
    return tuple(found[name] for name in sorted(found))
