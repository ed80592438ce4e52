"""The wall finds the network of the services by its routes, or does not become ready."""

import importlib.util
import sys
from types import ModuleType

import pytest

from tests.house.test_imports import ROOT

NONE = ".".join("0000")
HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"


def module() -> ModuleType:
    place = ROOT / "generators/assets/services.py"
    spec = importlib.util.spec_from_file_location("services", place)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def row(interface: str, network: str, gateway: str, mask: str) -> str:
    def number(text: str) -> str:
        return f"{int.from_bytes(bytes(map(int, text.split('.'))), sys.byteorder):08X}"

    fields = [interface, number(network), number(gateway), "0001", "0", "0", "0", number(mask)]
    return "\t".join([*fields, "0", "0", "0"]) + "\n"


OUT = row("eth0", NONE, "172.18.0.1", NONE) + row("eth0", "172.18.0.0", NONE, "255.255.0.0")
IN = row("eth1", "172.19.4.0", NONE, "255.255.255.0")


@pytest.mark.parametrize("text", [OUT + IN, IN + OUT])
def test_the_link_that_leads_nowhere_else_is_that_of_the_services(text: str) -> None:
    assert module().found(HEAD + text) == ["eth1 172.19.4.0/24"]


@pytest.mark.parametrize(
    "text", ["", OUT, IN, OUT + IN + row("eth2", "10.0.0.0", NONE, "255.0.0.0")]
)
def test_where_that_is_not_known_nothing_is_said(text: str) -> None:
    assert module().found(HEAD + text) == []
