"""Print what jailoc costs, as a table of ratios: `tests/benchmarks/run`."""

import argparse
import gc
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from jailoc.bin.__main__ import GARBAGE
from jailoc.generators.artefacts import firewall as walls
from jailoc.generators.artefacts import iptables, portable
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.load import load
from jailoc.generators.kubernetes import manifests
from jailoc.generators.kubernetes.compile import builds, compile_cluster
from jailoc.model.document import Document
from jailoc.model.firewall import Decision, Policy
from jailoc.model.kubernetes.image_lock import ImageLock
from tests.benchmarks import configurations, firewall, memory, started
from tests.benchmarks.pairs import Cost, Work, medians, run
from tests.engine import world
from tests.strategies import HOST

ROOT = Path(__file__).parents[2]
BUDGET = tomllib.loads(Path(__file__).with_name("budget.toml").read_text(encoding="utf-8"))
MARGIN = 4 / 3
JAILOC = (sys.executable, "-P", "-c", "from jailoc.bin.__main__ import main; main()")
NOTHING = (sys.executable, "-c", "pass")


class Row(NamedTuple):
    """One line of the table."""

    what: str
    against: str
    ratio: float
    goal: str = ""
    note: str = ""


def quick(home: Path, rounds: int) -> Iterator[Row]:
    """Yield what needs no engine, each against an interpreter that does nothing."""
    few, more = home / "few.toml", home / "more.toml"
    for place, count in ((few, 10), (more, 60)):
        place.write_text(configurations.many(count))
    (home / "one.toml").write_text(configurations.many(1))
    checkout = str(ROOT / "bin/jailoc")

    def rendered(place: Path) -> Work:
        words = (*JAILOC, "render", "--config", str(place), "--out", str(home / place.stem))
        return Work(words, home)

    works = {
        "nothing": Work(NOTHING, home),
        "`--version`": Work((*JAILOC, "--version"), home),
        "completion of a workspace": Work((*JAILOC, "__complete", "up", "w"), home),
        "`--help`": Work((*JAILOC, "--help"), home),
        "`render` of one workspace": rendered(home / "one.toml"),
        "few": rendered(few),
        "more": rendered(more),
    }
    # With another environment than its own, a checkout would make one first.
    if Path(sys.prefix) == ROOT / ".venv":
        works["`--version`, of a checkout"] = Work((checkout, "--version"), home)
        works["completion of a workspace, of a checkout"] = Work(
            (checkout, "__complete", "up", "w"), home
        )
    found = medians(works, rounds)
    nothing = found.pop("nothing").cpu
    grown = (found.pop("more").cpu - found.pop("few").cpu) / 50
    goals = {"`--version`": "3", "completion of a workspace": "5",
             "`--version`, of a checkout": "4",
             "completion of a workspace, of a checkout": "6"}  # fmt: skip
    for what, cost in found.items():
        yield Row(what, "`python -c pass`", cost.cpu / nothing, goals.get(what, ""))
    yield Row("one workspace more, of many", "`python -c pass`", grown / nothing)
    yield Row("one workspace more, for a cluster", "`python -c pass`", _cluster(30) / nothing)


def _cluster(count: int) -> float:
    """Return the seconds of a processor that each of many workspaces takes for a cluster."""
    text = configurations.of_cluster(count)
    document = Document(text, "config.toml")
    config, host = load(document, HOST), HOST
    tags = {each.tag for each in builds(config, "w00000", host)}
    lock = ImageLock(images=dict.fromkeys(tags, f"sha256:{64 * '5'}"))
    begun = time.process_time()
    for name in config.workspaces:
        manifests.files(compile_cluster(document, config, name, host, lock))
    return (time.process_time() - begun) / count


def exceeded(rows: list[Row]) -> list[Row]:
    """Return the rows that are more than a third above the budget."""
    return [each for each in rows if each.ratio > MARGIN * BUDGET.get(each.what, float("inf"))]


def many(home: Path, count: int) -> Iterator[Row]:
    """Yield what very many workspaces take, and ten times as many; that is 2.7 GB for 10,000."""
    nothing, each, most = run(Work(NOTHING, home)).cpu, [], []
    for number in (count, 10 * count):
        place = home / "many.toml"
        place.write_text(configurations.many(number))
        words = (*JAILOC, "render", "--config", str(place), "--out", str(home / "many"))
        with memory.watched() as seen:
            cost = run(Work(words, home))
        shutil.rmtree(home / "many")
        each.append(cost.cpu / number)
        most.append(seen.kib)
        note = f"{cost.cpu:.1f} s of processor time, {cost.wall:.1f} s by the clock"
        against = "`python -c pass`" if number == count else f"each of {count:,}"
        ratio = each[-1] / (nothing if number == count else each[0])
        yield Row(f"{number:,} workspaces rendered, each", against, ratio, note=note)
    yield Row(f"memory of {10 * count:,} workspaces", f"of {count:,}", most[1] / most[0],
              note=f"{most[1] >> 10} MiB for {most[0] >> 10}")  # fmt: skip


def lists() -> Iterator[Row]:
    """Yield how a list of networks compiles: ten times as many, and against aerleon."""
    gc.set_threshold(GARBAGE)
    took = {count: _compiled(configurations.networks(count)) for count in (1_000, 10_000)}
    whole = {count: _lowered(count) for count in (10_000, 100_000)}
    yield Row("100,000 networks to the text of rules", "10,000 networks",
              whole[100_000] / whole[10_000], "10",
              f"{whole[100_000]:.2f} s of processor time")  # fmt: skip
    yield Row("10,000 networks compiled", "1,000 networks", took[10_000] / took[1_000], "10",
              f"{took[10_000]:.2f} s of processor time")  # fmt: skip
    if importlib.util.find_spec("aerleon"):
        other = _aerleon(configurations.networks(10_000))
        yield Row("10,000 networks compiled", "aerleon", took[10_000] / other, "1")


def _compiled(networks: list[str]) -> float:
    text = f"[workspaces.a]\nallowed_networks = {json.dumps(networks)}\n"
    document = Document(text, "config.toml")
    host = portable.host(document)
    config = load(document, host)
    return _seconds(lambda: compile_workspace(config, "a", host))


def _lowered(count: int) -> float:
    """Return what the rules take alone: no configuration may be long enough for so many."""
    decisions = [
        Decision(network=each, accept=True, reason="allowed") for each in firewall.networks(count)
    ]
    policy = Policy(decisions=tuple(decisions), published_port=None, names=())
    return _seconds(lambda: iptables.restore(walls.lower(policy).ipv4))


def _aerleon(networks: list[str]) -> float:
    api, naming = map(importlib.import_module, ("aerleon.api", "aerleon.lib.naming"))
    names = naming.Naming()
    names.ParseDefinitionsObject(
        {"networks": {"LIST": {"values": [{"address": each} for each in networks]}}}, "networks"
    )
    policy = {
        "filename": "list",
        "filters": [
            {
                "header": {"targets": {"iptables": "OUTPUT DROP"}},
                "terms": [{"name": "list", "destination-address": "LIST", "action": "accept"}],
            }
        ],
    }
    return _seconds(lambda: api.Generate([policy], names))


def _seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def engine(home: Path, rounds: int) -> Iterator[Row]:
    """Yield the commands that ask an engine, against Compose; a workspace is started for them."""
    place = home / ".config/jailoc/config.toml"
    place.parent.mkdir(parents=True)
    place.write_text(f"{world.certificates()}[workspaces.bench]\nport = 14998\n")
    file = home / ".cache/jailoc/bench/docker-compose.yml"
    compose = ("docker", "compose", "--project-name", "jailoc-bench", "--file", str(file))
    subprocess.run([*JAILOC, "up", "bench"], env={**os.environ, "HOME": str(home)}, check=True)
    try:
        found = medians(
            {
                "config": Work((*compose, "config", "--quiet"), home),
                "render": Work((*JAILOC, "render", "--out", str(home / "out")), home),
                "plan": Work((*JAILOC, "plan", "bench"), home),
                "compose up": Work((*compose, "up", "--detach"), home),
                "up": Work((*JAILOC, "up", "bench"), home),
                "compose ps": Work((*compose, "ps"), home),
                "status": Work((*JAILOC, "status", "bench"), home),
            },
            rounds,
        )
        healthy = started.measure(home, JAILOC, compose, min(rounds, 5))
    finally:
        subprocess.run([*compose, "down", "--volumes"], check=False)
    yield _pair(found, "render", "config", "`docker compose config -q`", "4")
    yield _pair(found, "plan", "config", "`docker compose config -q`", "3")
    yield _pair(found, "up", "compose up", "`docker compose up -d`", "1")
    yield _pair(found, "status", "compose ps", "`docker compose ps`", "4")
    ours, hand = healthy["jailoc"], healthy["hand"]
    yield Row("`up` until it is healthy, by the clock", "its compose file by hand",
              ours.wall / hand.wall, note=f"{ours.wall:.1f} s for {hand.wall:.1f} s")  # fmt: skip


def _pair(found: dict[str, Cost], one: str, other: str, against: str, goal: str) -> Row:
    waited = found[one].wall / found[other].wall
    what = f"`{one}` of one workspace" + ("" if one in {"render", "status"} else ", nothing to do")
    note = f"by the clock {waited:.1f}"
    return Row(what, against, found[one].cpu / found[other].cpu, goal, note)


def packets() -> Iterator[Row]:
    """Yield what a connection costs behind many networks; needs root."""
    for name, ratio in firewall.measure(10_000, processes=100).items():
        what, _, against = name.partition(" / ")
        yield Row(what, against, ratio, "1.2" if what == "latency: 10000 networks" else "")


def shown(rows: list[Row]) -> str:
    """Return rows as a Markdown table."""
    lines = ["| what | against | ratio | goal | |", "|---|---|---|---|---|"]
    lines += [
        f"| {each.what} | {each.against} | {each.ratio:.2f} | {each.goal} | {each.note} |"
        for each in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="what needs no engine, and the budget")
    parser.add_argument(
        "--part", action="append", choices=("quick", "many", "lists", "engine", "packets"),
        help="only this, and others that are named so",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--workspaces", type=int, default=1_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        parts: dict[str, Callable[[], Iterable[Row]]] = {
            "quick": lambda: quick(home, options.rounds),
            "many": lambda: many(home, options.workspaces),
            "lists": lists,
            "engine": lambda: engine(home, options.rounds),
            "packets": packets,
        }
        wanted = options.part or (["quick"] if options.quick else parts)
        rows = [row for name in wanted for row in parts[name]()]
    sys.stdout.write(shown(rows))
    if above := exceeded(rows):
        raise SystemExit(f"above the budget: {', '.join(each.what for each in above)}")


if __name__ == "__main__":
    main()
