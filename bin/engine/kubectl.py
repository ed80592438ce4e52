"""The one door to kubectl(1): every call names its context and namespace, and is bounded.

The current context counts for nothing, and no conflict is ever forced.
"""

import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jailoc.bin.engine import exchange
from jailoc.bin.engine.exchange import Reply
from jailoc.bin.host import log, programs
from jailoc.model.diagnostic import refuse
from jailoc.model.kubernetes.words import INSTANCE, MANAGER
from jailoc.model.text import visible

PROGRAM = "kubectl"
LIMIT = 32 << 20
"""Bytes of an answer."""
PATIENCE = 60.0
"""Seconds that an answer may take."""
GOING = 120
"""Seconds that what is deleted may take to be gone: a pod may take 30 to end."""
KINDS = (
    "configmaps,persistentvolumeclaims,services,statefulsets.apps,networkpolicies.networking.k8s.io"
)
"""The kinds that a workspace consists of."""


class Cluster(NamedTuple):
    """Where is asked."""

    context: str
    namespace: str

    def ask(
        self, *words: str, stdin: bytes = b"", patience: float = PATIENCE, where: bool = True
    ) -> Reply:
        """Ask kubectl and return all of its reply.

        Raises:
            Refused: there is no kubectl, or it does not answer in time.
        """
        space = (f"--namespace={self.namespace}",) if where else ()
        command = (PROGRAM, f"--context={self.context}", *space, *words)
        environment = dict(os.environ) | {"PATH": programs.search_path()}
        with log.timed("kubectl", argv=shlex.join(command)) as record:
            try:
                process = exchange.start(command, environment, stdin=bool(stdin))
            except FileNotFoundError:
                raise refuse(
                    "kubectl-missing",
                    "the `kubectl` command is not installed or not on PATH",
                    hint="install the kubectl of your cluster's version",
                ) from None
            reply = exchange.whole(process, stdin, patience, LIMIT)
            record["status"], record["cut"] = reply.status, reply.cut or None
        if reply.cut:
            raise refuse("kubectl", f"kubectl {words[0]}: {reply.cut}")
        return reply

    def objects(self, workspace: str) -> tuple[Mapping[str, Any], ...]:
        """Return the objects that carry a workspace's labels.

        Raises:
            Refused: the cluster does not tell.
        """
        selector = f"{INSTANCE}={workspace},app.kubernetes.io/managed-by={MANAGER}"
        reply = self.ask("get", KINDS, "--selector", selector, "--output=json")
        return tuple(_read(self._whole(reply, "get")).get("items", ()))

    def own_namespace(self) -> Mapping[str, Any] | None:
        """Return the namespace; None if there is none.

        Raises:
            Refused: the cluster does not tell.
        """
        reply = self.ask(
            "get", "namespace", self.namespace, "--output=json", "--ignore-not-found", where=False
        )
        text = self._whole(reply, "get namespace")
        return _read(text) if text.strip() else None

    def apply(self, objects: Sequence[Mapping[str, Any]], *, try_only: bool = False) -> None:
        """Apply objects on the server's side, as their manager; nobody else's field is taken.

        Args:
            objects: As they should be.
            try_only: Whether the server only says what it would do.

        Raises:
            Refused: somebody else owns a field, or the server refuses.
        """
        # One document each: kubectl would check a List by itself, with a schema of its own making.
        text = "\n".join(map(json.dumps, objects))
        more = ("--dry-run=server",) if try_only else ()
        words = ("apply", "--server-side", f"--field-manager={MANAGER}", "--validate=strict", *more)
        reply = self.ask(*words, "--output=name", "--filename=-", stdin=text.encode())
        self._whole(reply, "apply")

    def rolled_out(self, name: str, seconds: int) -> None:
        """Wait until the pod of a StatefulSet is ready.

        Raises:
            Refused: it is not in time.
        """
        reply = self.ask(
            "rollout", "status", f"statefulset/{name}", f"--timeout={seconds}s",
            patience=seconds + 10,
        )  # fmt: skip
        self._whole(reply, "rollout status")

    def delete(self, address: str, *, with_pods: bool = False) -> None:
        """Remove an object; one that is gone already does no harm.

        Args:
            address: `KIND/NAME`.
            with_pods: Whether it counts as gone only when what it has made is gone, too.

        Raises:
            Refused: the server refuses, or it is not gone in time.
        """
        more = ("--cascade=foreground",) if with_pods else ()
        reply = self.ask(
            "delete", address, "--ignore-not-found", "--output=name", f"--timeout={GOING}s", *more,
            patience=GOING + 10,
        )  # fmt: skip
        self._whole(reply, "delete")

    def _whole(self, reply: Reply, what: str) -> str:
        """Return what kubectl answered.

        Raises:
            Refused: it failed; conflicts by their owner, what is not allowed by its name.
        """
        if reply.status == 0:
            return reply.stdout.decode(errors="replace")
        said = visible(reply.stderr.decode(errors="replace").strip()[:2000])
        if owners := sorted(set(re.findall(r'conflicts? with "([^"]{1,200})"', said))):
            raise refuse(
                "kubernetes-conflict",
                f"{', '.join(f'`{each}`' for each in owners)} owns fields that jailoc would set: "
                f"{said}",
                hint="let it go of them, or take them out of its manifests; nothing is forced",
            )
        if re.search(r"forbidden", said, re.IGNORECASE):
            raise refuse(
                "kubernetes-forbidden",
                f"the cluster does not let you {what}: {said}",
                hint="`kubectl auth can-i --list` says what you may; docs/how-to/"
                "run-on-kubernetes.md what jailoc needs",
            )
        raise refuse(
            "kubectl",
            f"kubectl {what} in context `{self.context}` ended with {reply.status}: {said}",
            hint="try `kubectl --context ... version`",
        )


def _read(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise refuse("kubectl", "kubectl answered something that is no object")
    return found
