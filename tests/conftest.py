"""What every test may use, and the rules about engines and golden files."""

import os
import signal
import subprocess
from functools import cache

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from jailoc.model.host import Host

settings.register_profile(
    "jailoc",
    # JAILOC_EXAMPLES=1000 looks harder; on CI the examples are the same in every run.
    max_examples=int(os.environ.get("JAILOC_EXAMPLES", "25")),
    derandomize=bool(os.environ.get("CI")),
    deadline=None,
)
settings.load_profile("jailoc")

# A shell's background job is born deaf to the one, what nohup(1) starts to the other, and so would
# be every program that a test interrupts.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the expected files under golden/ anew; refused when CI is set",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "compose: needs the docker client with Compose, no engine")
    config.addinivalue_line("markers", "thorough: of the second tier, `bin/test --all`")
    if config.getoption("--update-golden") and os.environ.get("CI"):
        raise pytest.UsageError("--update-golden is for people who review the difference, not CI")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Let one process have what needs the engine, for those tests share sandboxes."""
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = _process
    return scheduler


# Beside the others, which take longest: they have sandboxes of their own, and look at no others.
BESIDE = tuple(
    f"tests/engine/test_{each}.py" for each in ("interrupt", "pause", "plan", "undo", "ways")
)


def _process(nodeid: str) -> str:
    """Return what of a test others have, too, that run in the same process: its file, or this."""
    file = nodeid.partition("::")[0]
    if file.startswith("tests/review/"):
        return "review"  # what one has reviewed is kept for the others
    shares = file.startswith(("tests/engine/", "tests/benchmarks/")) and file not in BESIDE
    return "engine" if shares else file


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the second tier out, unless it was asked for or a test of it was named.

    What stays together and takes long comes first, so that nobody waits for it at the end.
    """
    items.sort(key=lambda item: _process(item.nodeid) not in {"engine", "review"})
    if os.environ.get("JAILOC_THOROUGH") == "1" or any("::" in word for word in config.args):
        return
    later = [item for item in items if item.get_closest_marker("thorough")]
    if later:
        config.hook.pytest_deselected(items=later)
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]


@cache
def _answers(*arguments: str) -> bool:
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def pytest_runtest_setup(item: pytest.Item) -> None:
    required = os.environ.get("JAILOC_REQUIRE_ENGINE") == "1"
    for marker, arguments, reason in (
        ("engine", ("version",), "no Docker engine"),
        ("compose", ("compose", "version"), "no Docker Compose"),
    ):
        if item.get_closest_marker(marker) is None or _answers(*arguments):
            continue
        if required:
            pytest.fail(f"{reason}, but JAILOC_REQUIRE_ENGINE=1", pytrace=False)
        pytest.skip(reason)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def host() -> Host:
    return Host(home="/home/alice", ipv6=True)
