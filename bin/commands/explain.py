"""`explain`: ask the rules whether something is open, and because of which line."""

import ipaddress
import re
import socket
from typing import Any

from pydantic_core import PydanticCustomError

from jailoc.bin.config.session import Session
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.resolve import names
from jailoc.generators.powers.asked import behind, data
from jailoc.generators.powers.asked import let_in as power_of
from jailoc.generators.powers.entries import position
from jailoc.generators.runtime.explain import Answer, explain, let_in
from jailoc.model.address import Network, written
from jailoc.model.allow_entry import AskedTarget, parse_target
from jailoc.model.diagnostic import refuse
from jailoc.model.egress import Egress
from jailoc.model.firewall import Firewall
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import MACHINE


def run(session: Session, target: str, as_json: bool) -> int:
    """Say whether a target is open, by which rule, and from which line of the configuration."""
    inside = re.fullmatch(r":([0-9]{1,5})", target)
    if inside:
        return _inward(session, target, int(inside[1]), as_json)
    asked = _parse(target)
    # It is asked most where an expectation fails.
    origin, terminal = session.source(expectations=False), session.terminal
    name = session.chosen(origin)
    bundle = compile_workspace(origin.config, name, origin.host)
    denied = bundle.firewall.denial(asked.name)
    rows = _named(bundle.firewall, asked)
    addresses = (asked.network,) if asked.network is not None else _addresses(asked.name)
    rules = bundle.firewall.facing(origin.host.own_addresses)
    whole = any(row["port"] in {None, asked.port} for row in rows)
    undecided = (
        not addresses
        and not whole
        and asked.name != MACHINE
        and denied is None
        and bundle.firewall.egress is Egress.PUBLIC
    )
    for network in addresses:
        rows += [_row(each) for each in explain(rules, network, asked.port)]
    for row in rows:
        row["place"] = position(origin.document, row["reason"])
        asked_of = None if row["protocol"] is None else ipaddress.ip_network(row["network"])
        row["power"] = behind(bundle.firewall, row["reason"], opened=row["open"], address=asked_of,
                              own=origin.host.own_addresses)  # fmt: skip
    if as_json:
        rows = [row | {"power": data(row["power"])} for row in rows]
        terminal.data(
            {"workspace": name, "target": asked.text, "answers": rows, "undecided": undecided}
        )
        return 0
    if undecided:
        other = "any other port is" if rows else "it is"
        terminal.say(
            f"`{asked.name}` cannot be looked up here: {other} open if its addresses are public, "
            "closed if not",
            Meaning.WARNS,
        )
        if asked.name in names(origin.config):
            terminal.say(
                f"{asked.name} is a workspace, too: `jailoc graph {asked.name}` shows what it may "
                "reach",
            )
    elif not rows:
        terminal.say(
            f"`{asked.name}` is not allowed by name and has no address here: closed", Meaning.WARNS
        )
    told = None
    for row in rows:
        port = row["port"] or "every other port"
        alone = asked.port is None and not any(each["port"] for each in rows)
        if alone or (row["protocol"] is None and not row["open"]):
            port = "every port"
        kind = row["protocol"] or ("port" if port == row["port"] else "")
        door = f"{kind} {port}".lstrip()
        if row["protocol"] == "icmp":
            door = "icmp"
        place = f"  ({row['place']})" if row["place"] else ""
        because = f"because of {row['reason']}{place}"
        word = "open" if row["open"] else "closed"
        terminal.judged(word, f"  {row['network']}  {door}  {because}", good=row["open"])
        if row["power"] and row["power"] != told:
            terminal.colored(f"        {row['power']}", None)
        told = row["power"]
    if any(each.is_loopback for each in addresses):
        terminal.say("loopback is the sandbox's own: nothing of this machine is there")
    return 0


def _inward(session: Session, target: str, port: int, as_json: bool) -> int:
    """Say what of this machine leads to a port of the sandbox, by its number here or there."""
    origin, terminal = session.source(expectations=False), session.terminal
    name = session.chosen(origin)
    bundle = compile_workspace(origin.config, name, origin.host)
    rows: list[dict[str, Any]] = [
        {"network": f"127.0.0.1:{each.published}", "protocol": "tcp", "port": each.target,
         "open": True, "reason": reason, "place": position(origin.document, reason),
         "power": power_of(each)}
        for each, reason in let_in(bundle)
        if port in {each.published, each.target}
    ]  # fmt: skip
    if as_json:
        rows = [row | {"power": data(row["power"])} for row in rows]
        terminal.data({"workspace": name, "target": target, "answers": rows, "undecided": False})
        return 0
    if not rows:
        terminal.say(
            f"nothing on this machine leads to port {port} of `{name}`: closed", Meaning.WARNS
        )
    for row in rows:
        place = f"  ({row['place']})" if row["place"] else ""
        inside = f"tcp to {row['port']} inside"
        terminal.judged(
            "open", f"  {row['network']}  {inside}  because of {row['reason']}{place}", good=True
        )
        terminal.colored(f"        {row['power']}", None)
    return 0


def _parse(text: str) -> AskedTarget:
    try:
        return parse_target(text)
    except PydanticCustomError as error:
        context = error.context or {}
        raise refuse(
            context["code"], context["message"], allowed=context["allowed"], hint=context["hint"]
        ) from None


def _named(firewall: Firewall, asked: AskedTarget) -> list[dict[str, Any]]:
    """Return the answers of the names: whatever addresses they have, they are open, or denied."""
    denied = firewall.denial(asked.name)
    if denied is not None:
        return [
            {"network": asked.name, "protocol": None, "port": None, "open": False,
             "reason": denied.origin}
        ]  # fmt: skip
    ports = [
        {"network": MACHINE, "protocol": None, "port": each.port, "open": True,
         "reason": each.origin}
        for each in firewall.host_ports
        if asked.name == MACHINE and asked.port in {None, each.port}
    ]  # fmt: skip
    ports += [
        {"network": f"{each.name}, through the proxy", "protocol": "tcp", "port": each.port,
         "open": True, "reason": each.origin}
        for each in firewall.credentials
        if each.key == asked.name.rstrip(".").lower() and asked.port in {None, each.port}
    ]  # fmt: skip
    return ports + [
        {"network": each.name, "protocol": None, "port": each.port, "open": True,
         "reason": each.origin}
        for each in firewall.names
        if asked.name and (each.covers(asked.name) or each.key == asked.name.lower())
        and (asked.port is None or each.port in {None, asked.port})
    ]  # fmt: skip


def _addresses(name: str) -> tuple[Network, ...]:
    """Return the addresses that a name has here and now; none if it does not resolve."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    texts = dict.fromkeys(str(each[4][0]) for each in found)
    return tuple(ipaddress.ip_network(text) for text in texts if "%" not in text)


def _row(answer: Answer) -> dict[str, Any]:
    return {
        "network": written(answer.network),
        "protocol": answer.protocol and answer.protocol.value,
        "port": answer.port,
        "open": answer.open,
        "reason": answer.reason,
    }
