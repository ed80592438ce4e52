"""Draw a sandbox: who may reach what, and which paths are mounted how, from the compiled bundle.

`draw` reads the rules and the compose model, never the configuration, so a picture shows what will
be; `mermaid`, `terminal` and `svg.svg` write it.
"""

import re
from collections.abc import Iterable, Iterator

from jailoc.model.address import AddressSet, Family, written
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Bind, Service, Tmpfs
from jailoc.model.diagram import Diagram, Edge, Node, NodeKind, Side, Way
from jailoc.model.egress import Egress
from jailoc.model.firewall import Chain, Firewall, Protocol, Rule, Target
from jailoc.model.mount import Mode
from jailoc.model.path import within
from jailoc.model.published_port import spelt
from jailoc.model.rule_match import Match
from jailoc.model.rule_walk import Verdict, walk
from jailoc.model.sandbox import AGENT, FIRST_PORT, SHARED_PREFIX, SIDECAR, VOLUME_PREFIX, WALL
from jailoc.model.text import visible
from jailoc.model.user import AgentUser

MOST = 12
"""Lines of one node, and nodes of one sort, in a picture; the rest is counted."""
ALL = 1 << 30
KINDS = {WALL: NodeKind.WALL, AGENT: NodeKind.AGENT, SIDECAR: NodeKind.SIDECAR}
ROLES = {WALL: "the wall", AGENT: "the agent, UID {uid}", SIDECAR: "its own Docker"}
MACHINE = "this machine and its network"
PUBLIC = "public"
"""The reason of the rules that open the public internet."""


def draw(bundle: Bundle, most: int = MOST) -> Diagram:
    """Return the picture of a workspace.

    Args:
        bundle: What was compiled.
        most: How much of one sort is shown before the rest is counted.
    """
    return _Drawing(bundle, most).diagram()


class _Drawing:
    """Collects nodes and edges; keys are numbers, so no text of anybody is ever one."""

    def __init__(self, bundle: Bundle, most: int) -> None:
        self._bundle, self._most = bundle, most
        self._nodes: list[Node] = []
        self._edges: list[Edge] = []
        self._services: dict[str, str] = {}
        self._shared: dict[tuple[str, ...], str] = {}

    def diagram(self) -> Diagram:
        services = self._bundle.compose.services
        uid = AgentUser.read(self._bundle.user).uid
        for name in (AGENT, SIDECAR, WALL):
            if name in services:
                self._services[name] = self._node(KINDS[name], name, ROLES[name].format(uid=uid))
        for name, service in self._bundle.compose.beside.items():
            what = f"{service.image.text}, beside the agent"
            self._services[name] = self._node(NodeKind.SIDECAR, name, what)
        for name in self._services:
            self._mounts(name, services[name])
        self._client(services[WALL])
        for name in (AGENT, SIDECAR):
            if name in self._services:
                self._edge(self._services[name], self._services[WALL], Way.BEHIND, "all traffic")
        self._network(self._bundle.firewall)
        return Diagram(
            title=self._bundle.workspace, nodes=tuple(self._nodes), edges=tuple(self._edges)
        )

    def _node(self, kind: NodeKind, *lines: str) -> str:
        key = f"n{len(self._nodes)}"
        self._nodes.append(Node(key=key, kind=kind, lines=lines))
        return key

    def _mounted(self, kind: NodeKind, *lines: str) -> str:
        """Return the node of something that several containers may mount."""
        if lines not in self._shared:
            self._shared[lines] = self._node(kind, *lines)
        return self._shared[lines]

    def _edge(
        self, source: str, target: str, way: Way, label: str, because: str | None = None
    ) -> None:
        self._edges.append(
            Edge(source=source, target=target, way=way, label=label, because=because)
        )

    def _client(self, wall: Service) -> None:
        for port in wall.ports:
            if port.target == FIRST_PORT:
                client = self._node(NodeKind.CLIENT, "clients on this machine")
                self._edge(client, self._services[WALL], Way.OPEN, f"127.0.0.1:{port.published}")
        others = [(each.published, each.target) for each in wall.ports if each.target != FIRST_PORT]
        if others:
            client = self._node(NodeKind.CLIENT, "programs on this machine")
            label = f"127.0.0.1, ports {spelt(others)}"
            self._edge(client, self._services[WALL], Way.OPEN, label, "ports")

    def _mounts(self, name: str, service: Service) -> None:
        """Show what is mounted; what lies in a path that is shown already is put together."""
        binds = [each for each in service.mounts if isinstance(each, Bind)]
        generated = [each for each in binds if within(each.source.text, self._bundle.directory)]
        covers = [each for each in binds if (each.source.origin or "").startswith("protect: ")]
        plain = [each for each in binds if each not in generated and each not in covers]
        for bind in plain[: self._most]:
            self._path(name, _pair(bind), bind.mode, bind.source.origin)
        if more := plain[self._most :]:
            for mode in Mode:
                if found := [each for each in more if each.mode is mode]:
                    self._path(name, [f"{len(found)} more paths"], mode, None)
        for mode in Mode:
            if found := [each for each in covers if each.mode is mode]:
                what = "protected" if mode is Mode.READ_ONLY else "held in place"
                texts = [" ".join(_pair(each)) for each in found]
                self._path(name, [what, *self._some(texts)], mode, "protect")
        if generated:
            self._path(name, ["generated files"], Mode.READ_ONLY, None)
        for each in service.mounts:
            if isinstance(each, Bind | Tmpfs) or name == WALL:
                continue
            memory = each.name in {found.name for found in self._bundle.compose.memory}
            what = "memory volume" if memory else "shared volume" if each.shared else "volume"
            title = each.name.removeprefix(SHARED_PREFIX if each.shared else VOLUME_PREFIX)
            key = self._mounted(NodeKind.VOLUME, f"{what} {title}", f"at {each.target}")
            self._edge(key, self._services[name], _way(each.mode), _way(each.mode).value)

    def _path(self, service: str, lines: list[str], mode: Mode, because: str | None) -> None:
        key = self._mounted(NodeKind.PATH, *lines)
        self._edge(key, self._services[service], _way(mode), _way(mode).value, because)

    def _some(self, texts: list[str]) -> list[str]:
        more = len(texts) - self._most
        return texts if more <= 0 else [*texts[: self._most], f"and {more} more"]

    def _network(self, firewall: Firewall) -> None:
        entries = list(_opened(firewall))
        for lines, label, because in entries[: self._most]:
            self._place(lines, Way.OPEN, label, because)
        if (more := len(entries) - self._most) > 0:
            self._place([f"{more} more allowed places"], Way.OPEN, "by entry", None)
        if firewall.host_ports:
            ports = [each.port for each in firewall.host_ports]
            self._place(["this machine"], Way.OPEN, _ports(ports), "host_ports")
        if closed := list(_denied(firewall)):
            self._place(["denied", *self._some(closed)], Way.CLOSED, "refused", "denied")
        if firewall.egress is not Egress.NONE:
            names = "any name" if firewall.egress is Egress.PUBLIC else "allowed names"
            self._place(["the wall's resolver"], Way.OPEN, names, "DNS")
        decided = tuple(_decided(firewall))
        public = any(each.accept and _reason(each) == PUBLIC for each in decided)
        way = Way.OPEN if public else Way.CLOSED
        reason = PUBLIC if public else f"egress {firewall.egress.value}"
        self._place(["the public internet"], way, "every port" if public else "refused", reason)
        shut = dict.fromkeys(_reason(each) for each in decided if not each.accept)
        # A range of special addresses has the document that says so in its reason.
        special = [each for each in shut if "(" in each or each == MACHINE]
        self._place(
            ["every other address", *self._some(special)], Way.CLOSED, "refused",
            "no rule opens it",
        )  # fmt: skip

    def _place(self, lines: Iterable[str], way: Way, label: str, because: str | None) -> None:
        key = self._node(NodeKind.PLACE, *lines)
        self._edge(self._services[WALL], key, way, label, because)


def _pair(bind: Bind) -> list[str]:
    source, target = bind.source.text, bind.target.text
    return [source] if source == target else [source, f"as {target}"]


def _way(mode: Mode) -> Way:
    return Way.READ if mode is Mode.READ_ONLY else Way.WRITE


def _decided(firewall: Firewall) -> Iterator[Verdict]:
    """Yield what becomes of new connections through a port that no rule names, everywhere."""
    for family in Family:
        yield from walk(firewall.of(family), AddressSet.everything(family), Protocol.TCP, None)


def _reason(verdict: Verdict) -> str:
    return verdict.rule.comment if verdict.rule else ""


def _accepting(firewall: Firewall) -> Iterator[Rule]:
    """Yield the rules that open something beyond the sandbox, of both families."""
    for rules in (firewall.ipv4, firewall.ipv6):
        for rule in rules.outgoing:
            if (
                rule.target is Target.ACCEPT
                and rule.decides
                and rule.match is not Match.LOOPBACK_OUT
            ):
                yield rule


def _opened(firewall: Firewall) -> Iterator[tuple[list[str], str, str]]:
    """Yield what entries of the configuration open: lines, ports, and the entry."""
    found: dict[tuple[str, str, str], list[int | None]] = {}
    for each in firewall.names:
        until = f" until {each.until}" if each.until else ""
        found.setdefault((each.name, until, each.origin), []).append(each.port)
    for rule in _accepting(firewall):
        if rule.comment != PUBLIC and rule.destination is not None:
            until = f" until {rule.until}" if rule.until else ""
            whole = written(rule.destination)
            single = rule.destination.num_addresses == 1
            key = (whole.partition("/")[0] if single else whole, until, rule.comment)
            found.setdefault(key, []).append(rule.destination_port)
    for (text, until, origin), ports in found.items():
        yield [f"{text}{until}"], _ports(ports), origin


def _denied(firewall: Firewall) -> Iterator[str]:
    """Yield what is closed whatever is allowed: names, and networks with their ports."""
    yield from dict.fromkeys(each.name for each in firewall.denied_names)
    found: dict[str, list[int | None]] = {}
    for family in Family:
        for rule in firewall.of(family).rules:
            if rule.denied and rule.jump == Chain.DENY:
                everywhere = f"every IPv{family.value} address"
                text = written(rule.destination) if rule.destination else everywhere
                found.setdefault(text, []).append(rule.destination_port)
    for text, ports in found.items():
        yield text if None in ports else f"{text} {_ports(ports)}"


def _ports(ports: Iterable[int | None]) -> str:
    every = list(dict.fromkeys(ports))
    if None in every:
        return "every port"
    return f"port{'s' if len(every) > 1 else ''} {', '.join(map(str, every))}"


# Mermaid (https://mermaid.js.org/syntax/flowchart.html)

_ARROWS = {
    Way.READ: "-->",
    Way.WRITE: "<-->",
    Way.OPEN: "==>",
    Way.CLOSED: "-.-x",
    Way.BEHIND: "-->",
}
_STYLES = {
    "open": "fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
    "closed": "fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-dasharray:4",
    "rw": "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
    "ro": "fill:#f6f8fa,stroke:#57606a,color:#1f2328",
    "wall": "fill:#ddf4ff,stroke:#0969da,color:#1f2328",
}


def mermaid(bundle: Bundle) -> str:
    """Draw a workspace as a Mermaid flowchart, as Markdown pages show it."""
    return flowchart(draw(bundle))


def flowchart(diagram: Diagram) -> str:
    """Write a picture as a Mermaid flowchart; text of others can only be text in it."""
    names = {
        Side.HOST: "this machine",
        Side.SANDBOX: f"sandbox {diagram.title}: one network namespace",
        Side.NETWORK: "network",
    }
    lines = ["flowchart LR"]
    for side, name in names.items():
        lines.append(f'  subgraph {side.value}["{label([name])}"]')
        lines += [f'    {each.key}["{label(each.lines)}"]' for each in diagram.on(side)]
        lines.append("  end")
    lines += [
        f'  {each.source} {_ARROWS[each.way]}|"{label([each.label])}"| {each.target}'
        for each in diagram.edges
    ]
    classes: dict[str, list[str]] = {}
    for node in diagram.nodes:
        classes.setdefault(look(diagram, node), []).append(node.key)
    for name in sorted(classes):
        lines.append(f"  classDef {name} {_STYLES[name]}")
        lines.append(f"  class {','.join(classes[name])} {name}")
    return "\n".join([*lines, ""])


def look(diagram: Diagram, node: Node) -> str:
    """Return how a node looks: by what leads to it, or from it."""
    if node.side is Side.SANDBOX:
        return "wall" if node.kind is NodeKind.WALL else "ro"
    edge = next(each for each in diagram.edges if node.key in {each.source, each.target})
    return edge.way.value


_SAFE = re.compile(r"[A-Za-z0-9 ./,-]|(?<=[A-Za-z0-9])[_:](?=[A-Za-z0-9])")


def label(lines: Iterable[str]) -> str:
    """Write lines as a quoted Mermaid label; all that could be syntax becomes a character code."""
    return "<br/>".join(_coded(visible(line)) for line in lines)


def _coded(line: str) -> str:
    found = []
    for place, char in enumerate(line):
        plain = char.isalnum() or _SAFE.match(line, place)
        # A list of Markdown begins so, and an icon of Font Awesome; blanks would be run together.
        odd = (
            (char == "-" and place == 0)
            or (char == ":" and line[place + 1 :][:3] == "fa-")
            or (char == " " and (not line[:place].strip() or line[place + 1 :][:1] in {"", " "}))
        )
        found.append(char if plain and not odd else f"#{ord(char)};")
    return "".join(found)
