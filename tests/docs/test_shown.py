"""What the pages show is what is said, and whatever else is typed there is typed in a test."""

import ipaddress
import re
import time
from pathlib import Path

import pytest

from jailoc.bin.commands import blocked
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts import firewall as walls
from jailoc.generators.config.resolve import resolve
from jailoc.generators.runtime.blocked import explained, unresolved
from jailoc.generators.runtime.own_probes import Attempt
from jailoc.generators.runtime.resolver_state import RefusedName
from jailoc.model.firewall import Protocol
from tests.bin.commands.test_files import NO_ENGINE
from tests.docs.commands import ROOT
from tests.docs.shown import Shown, missing, others, shape, shown
from tests.engine.world import User
from tests.strategies import HOST, config_of

BLOCKED = "docs/how-to/see-what-was-blocked.md"
GOLDEN = "docs/how-to/review-generated-files.md"
STORY = {
    "README.md", "docs/how-to/prove-what-a-sandbox-can-reach.md", "docs/how-to/undo.md",
    "docs/how-to/remove-a-workspace.md", "docs/how-to/run-agents-side-by-side.md",
    "docs/how-to/watch-what-runs.md", "docs/tutorials/plan-and-apply.md",
}  # fmt: skip
"""Pages whose outputs are compared on an engine, in `tests/engine/test_shown.py`."""
REVIEW = "docs/how-to/review-in-a-team.md"
"""Compared to the letter in `tests/review/test_story.py`."""
CONTAINER, BARE = "tests/engine/test_shown.py", "tests/engine/test_bare_machine.py"
INSTALL, PLAN = "tests/house/test_install.py", "tests/engine/test_plan.py"
CLUSTER = "tests/bin/commands/test_cluster_plan.py"
ELSEWHERE = {
    r"uv tool install (jailoc|\.)": INSTALL, r"uv tool upgrade jailoc": INSTALL,
    r"mkdir -p ~/\.local/bin && ln -sf .*": "tests/house/test_launcher.py",
    r"pipx install jailoc": BARE, r"test": "bin/test",
    r"python3 -m .*|~/\.local/jailoc/bin/.*": INSTALL,
    r"man .*": "tests/bin/cli/test_man.py",
    r"docker (build|run) .*": CONTAINER,
    r"rm -r .*|docker volume ls .*|NPM_TOKEN=.*|cd ~/src/api": CONTAINER,
    r"source <\(jailoc completion (bash|zsh)\)": "tests/bin/cli/test_completion.py",
    r"MODELS_API_KEY=.*": "tests/engine/test_credentials.py",
    r"git add sandboxes": "tests/docs/test_commands.py",
    r"git -C .* merge .*": "tests/engine/test_tasks.py",
    r"less .*|password=.*|curl .*": BARE,
    r"docker exec \S+ curl .*": "tests/engine/test_attacks.py",
    r"docker update .*|docker exec --user 0 .*": PLAN,
    r"kubectl .*": CLUSTER,
    r"systemctl .*|export DOCKER_HOST=.*|sudo cp .*seccomp\.json": "tests/engine/test_engines.py",
}  # fmt: skip
"""Where what is not a command of jailoc is done, or done in other words."""


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path / "alice")


def of(page: str) -> list[Shown]:
    return [each for each in shown() if each.page == page]


def test_whatever_is_shown_is_compared() -> None:
    assert {each.page for each in shown()} == {*STORY, GOLDEN, BLOCKED, REVIEW}
    assert len(shown()) == 15


def test_whatever_else_is_typed_is_typed_by_a_test() -> None:
    places = {
        line: [place for pattern, place in ELSEWHERE.items() if re.fullmatch(pattern, line)]
        for _, line in others()
    }
    assert [line for line, found in places.items() if len(found) != 1] == []
    assert {place for found in places.values() for place in found} == set(ELSEWHERE.values())
    assert [each for each in ELSEWHERE.values() if not (ROOT / each).is_file()] == []


def test_a_review_says_what_the_page_shows(user: User) -> None:
    for each in ("src/api", "src/web", "sandboxes"):
        (user.home / each).mkdir(parents=True)
    config = user.home / "sandboxes/config.toml"
    text = '[workspaces.web]\n\n[workspaces.api]\npaths = ["~/src/api"]\n'
    config.write_text(text)
    words = ["sandboxes/generated", "--config", "sandboxes/config.toml"]
    assert user.run("golden", "update", *words, **NO_ENGINE).status == 0
    config.write_text(
        text.replace('"~/src/api"]', '"~/src/api", "~/src/web"]')
        + 'memory = "8g"\n\nallowed_networks = ["10.1.0.0/16"]\n'
    )
    (page,) = of(GOLDEN)
    assert page.line.split() == ["jailoc", "golden", "check", *words]
    said = user.run("golden", "check", *words, **NO_ENGINE)
    assert said.status == 2
    # A page leaves out where the repository lies.
    assert said.stdout.replace(f"{user.home}/", "").splitlines() == list(page.output)


def test_refusals_are_told_as_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    workspace = resolve(config_of('[workspaces.api]\negress = "allowlist"\n'), "api", HOST)
    rules = walls.lower(walls.policy(workspace, HOST))
    address = ipaddress.ip_address("10.1.2.3")
    tried = Attempt(address=address, protocol=Protocol.TCP, port=5432, times=3, ago=93)
    now = int(time.time())
    other = Attempt(address=ipaddress.ip_address("169.254.169.254"), protocol=Protocol.TCP, port=80,
                    times=1, ago=5)  # fmt: skip
    refused = {"telemetry.example.org": RefusedName(count=1, last=now)}
    for row in (
        *explained([tried], rules, {str(address): "db.example.com"}, frozenset()),
        *unresolved(refused, now, workspace.egress_origin, rules),
        *explained([other], rules, {}, frozenset()),
    ):
        place = "/home/alice/.config/jailoc/config.toml:9:10" if row.protocol == "dns" else None
        blocked._show(Terminal(color=False), "api",
                      {**row.model_dump(), "place": place, "at_least": False}, now)  # fmt: skip
    said = [blocked.HEADS, *capsys.readouterr().out.splitlines()]
    (page,) = of(BLOCKED)
    assert [re.sub(r"^[\d-]+ [\d:]+", "", each) for each in said] == [
        re.sub(r"^[\d-]+ [\d:]+", "", each) for each in page.output
    ]


def test_shapes_differ_where_words_do_and_only_there() -> None:
    home = "/tmp/x"  # noqa: S108 -- a word
    assert shape("a  5 of 7, 3m 2s", home) == shape("a 6 of 12, 4s", home)
    assert shape(f"{home}/src is open", home) == shape("~/src is open", home)
    assert shape("6 rw, 6 ro", home) != shape("6 rw, 6 rw", home)
    each = Shown("p", "l", ("one 1", "...", "two …"))
    assert missing(each, "one 2\nsomething\ntwo words", home) == []
    assert missing(each, "two words\none 2", home) == ["two …"]
