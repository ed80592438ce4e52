"""Read what a proxy has logged: which credential was used when, and what was refused."""

import calendar
import re
from collections.abc import Collection, Iterable

from jailoc.generators.runtime.blocked import Blocked
from jailoc.model.base import Model
from jailoc.model.credential import Credential
from jailoc.model.status import CredentialStatus

_LINE = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\S* credential=(?P<name>[a-z0-9-]{1,40}) "
    r"(?P<status>\d{3}) \d{1,20} bytes \S{1,20} ms \S{1,8} (?P<host>\S*).*"
)
REFUSED = {
    400: "malformed, or an upgrade to something else than WebSocket",
    403: "the credential is not for this method or path",
    405: "this method never gets a credential",
    421: "no credential for this host on this port",
    502: "the answer could not be looked through",
    503: "no value, or the host cannot be reached as itself",
}
"""What a status of the proxy's own means."""
MOST = 200
"""Places of one credential that are remembered, and of requests that had none."""
OTHERS = "others"
"""What stands for the hosts of requests that are not told one by one any more."""


class Requests(Model):
    """Requests of one credential to one host that ended alike."""

    credential: str
    """`-` where none was found for the request."""
    host: str
    status: int
    times: int
    last: int
    """Seconds since 1970."""


def uses(lines: Iterable[str]) -> tuple[Requests, ...]:
    """Return what was asked for, the latest of each credential last; other lines count nothing."""
    every: dict[str, dict[tuple[str, int], Requests]] = {}
    for line in lines:
        match = _LINE.fullmatch(line.strip())
        if match is None:
            continue
        host = re.sub(r"[^a-z0-9.-]", "?", match["host"].lower())[:253]
        # The agent can ask for any host: that pushes out nothing of a credential's.
        found = every.setdefault(match["name"], {})
        key = (host, int(match["status"]))
        before = found.pop(key, None)
        at = tuple(int(each) for each in re.findall("[0-9]+", match["at"]))
        found[key] = Requests(
            credential=match["name"], host=host, status=key[1], last=calendar.timegm(at),
            times=1 + (before.times if before else 0),
        )  # fmt: skip
        while len(found) > MOST:
            _fold(found)
    return tuple(each for found in every.values() for each in found.values())


def _fold(found: dict[tuple[str, int], Requests]) -> None:
    """Put the oldest place together with what was put together before, by its status."""
    old = found.pop(next(key for key in found if key[0] != OTHERS))
    key = (OTHERS, old.status)
    before = found.get(key)
    found[key] = old.model_copy(
        update={"host": OTHERS, "times": old.times + (before.times if before else 0)}
    )


PROXIED = "the way there is through the proxy, which holds to the credential's entry"
"""Why no allow is named for what the proxy refused: it would lead past it."""


def refused(found: Iterable[Requests]) -> tuple[Requests, ...]:
    """Return what the proxy itself refused to send."""
    return tuple(each for each in found if each.status in {400, 403, 405, 421})


def by_proxy(
    found: Iterable[Requests], credentials: Iterable[Credential], now: int
) -> tuple[Blocked, ...]:
    """Return what the proxy refused as rows beside those of the wall.

    Args:
        found: What it refused.
        credentials: Those of the workspace.
        now: Seconds since 1970.
    """
    origins = {each.name: each.origin for each in credentials}
    return tuple(
        Blocked(
            target=each.host, name=None, protocol="http", port=None, times=each.times,
            ago=max(0, now - each.last),
            reason=origins.get(each.credential, f"{each.status}, {REFUSED[each.status]}"),
            open_now=False, allow=None, closed=PROXIED,
        )
        for each in found
    )  # fmt: skip


def statuses(
    every: Iterable[Credential], given: Collection[str], log: Iterable[Requests], now: int
) -> tuple[CredentialStatus, ...]:
    """Return of each credential whether its value is there, and what its requests came to.

    Args:
        every: The credentials of a workspace.
        given: The names of those that the proxy holds.
        log: What the proxy did.
        now: Seconds since 1970.
    """
    found = []
    for each in every:
        mine = [one for one in log if one.credential == each.name]
        good = [one.last for one in mine if one not in refused(mine)]
        found.append(
            CredentialStatus(
                name=each.name,
                given=each.name in given,
                used=max(0, now - max(good)) if good else None,
                refused=sum(one.times for one in refused(mine)),
            )
        )
    return tuple(found)
