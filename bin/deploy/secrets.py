"""Read the values of secrets, check them, and hand them over: memory to memory, on a pipe."""

import io
import os
import stat

from jailoc.model.diagnostic import Diagnostic, Refused
from jailoc.model.secret import ARGUMENT_LIMIT, SECRETS_LIMIT, Destination, Secret
from jailoc.model.workspace import Workspace

Values = dict[str, bytes]


def values(workspace: Workspace) -> Values:
    """Return the value of every secret of a workspace.

    Raises:
        Refused: with everything that is wrong; nothing has been written yet.
    """
    found, unusable = _gather(workspace)
    problems = [
        Diagnostic(
            code="secret-value",
            where=secret.origin,
            message=f"secret `{secret.name}`: {error}",
            hint=error.hint,
        )
        for secret, error in unusable
    ]
    if sum(map(len, found.values())) > SECRETS_LIMIT:
        problems.append(
            Diagnostic(
                code="secret-value",
                message=f"the secrets of workspace `{workspace.name}` are too large together",
                allowed="16 MiB in all: they are held in memory",
            )
        )
    if problems:
        raise Refused(tuple(problems))
    return found


def known(workspace: Workspace) -> tuple[Values, tuple[str, ...]]:
    """Return the values that are to be had here, and the names of those that are not."""
    found, unusable = _gather(workspace)
    return found, tuple(secret.name for secret, _ in unusable)


def _gather(workspace: Workspace) -> "tuple[Values, list[tuple[Secret, Unusable]]]":
    taken = {each.key for each in workspace.env}
    found: Values = {}
    unusable: list[tuple[Secret, Unusable]] = []
    for secret in workspace.secrets:
        try:
            found[secret.name] = _value(secret, taken)
        except Unusable as error:
            unusable.append((secret, error))
    return found, unusable


class Unusable(Exception):  # noqa: N818 -- a verdict on a value
    """A value that cannot be had, or not be used."""

    def __init__(self, what: str, hint: str | None = None) -> None:
        super().__init__(what)
        self.hint = hint


def _value(secret: Secret, taken: set[str]) -> bytes:
    value = read_variable(secret.from_env) if secret.from_env else read_file(secret.from_file)
    if secret.destination is Destination.FILE:
        return value
    if secret.name in taken:
        raise Unusable("its name collides with an entry of env or env_file", "rename one of them")
    # A shell takes the value over: it drops the newlines at its end and cannot hold a NUL.
    if b"\0" in value:
        raise Unusable("a variable cannot hold a NUL character", "make it a file secret")
    if len(secret.name) + len(value.rstrip(b"\n")) + 2 > ARGUMENT_LIMIT:
        raise Unusable(
            f"its {len(value)} bytes are more than a variable can hold (128 KiB)",
            f"make it a file secret, read from /run/secrets/{secret.name}",
        )
    return value


def read_variable(name: str) -> bytes:
    """Return the value of a variable of jailoc's own.

    Raises:
        Unusable: it has none.
    """
    text = os.environb.get(name.encode())
    if text is None:
        raise Unusable(f"variable `{name}` is not set", "export it, then run again")
    if not text:
        raise Unusable(
            f"variable `{name}` is set but empty, so there would be nothing to use",
            "export its value, then run again",
        )
    return text


def read_file(path: str) -> bytes:
    """Return the content of a regular file.

    Raises:
        Unusable: there is none, or it cannot be read.
    """
    try:
        # Opened once: what is checked is what is read. A pipe must not make it wait.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Unusable(f"file `{path}` does not exist", "create it, or correct the path") from None
    except OSError as error:
        raise Unusable(f"file `{path}` cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unusable(f"file `{path}` is not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        return file.read(SECRETS_LIMIT + 1)


def archive(values: Values) -> bytes:
    """Return the values as a tar archive (POSIX.1-2001), one member a name."""
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, value in sorted(values.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(value), 0o600
            tar.addfile(member, io.BytesIO(value))
    return buffer.getvalue()
