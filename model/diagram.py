"""A picture of a sandbox as nodes and edges: who may reach what, and what is mounted how."""

from enum import StrEnum

from jailoc.model.base import Model


class NodeKind(StrEnum):
    """What a node stands for."""

    CLIENT = "client"
    """Whoever connects from this machine."""
    PATH = "path"
    VOLUME = "volume"
    AGENT = "agent"
    SIDECAR = "sidecar"
    WALL = "wall"
    PLACE = "place"
    """Something on a network."""


class Side(StrEnum):
    """Where a node is."""

    HOST = "host"
    SANDBOX = "sandbox"
    NETWORK = "network"


class Way(StrEnum):
    """What an edge lets through, from its source to its target."""

    READ = "ro"
    WRITE = "rw"
    OPEN = "open"
    CLOSED = "closed"
    BEHIND = "behind"
    """The source has no network but that of the target."""


class Node(Model):
    """One thing. What its lines hold may come from anybody."""

    key: str
    kind: NodeKind
    lines: tuple[str, ...]

    @property
    def side(self) -> Side:
        """Return where it is."""
        if self.kind in {NodeKind.CLIENT, NodeKind.PATH, NodeKind.VOLUME}:
            return Side.HOST
        return Side.NETWORK if self.kind is NodeKind.PLACE else Side.SANDBOX


class Edge(Model):
    """A way from one node to another, by their keys."""

    source: str
    target: str
    way: Way
    label: str
    because: str | None = None
    """The configuration entry behind it, or the words of the rule."""


class Diagram(Model):
    """A whole picture."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def node(self, key: str) -> Node:
        """Return a node by its key."""
        return next(each for each in self.nodes if each.key == key)

    def on(self, side: Side) -> tuple[Node, ...]:
        """Return the nodes of one side, in order."""
        return tuple(each for each in self.nodes if each.side is side)
