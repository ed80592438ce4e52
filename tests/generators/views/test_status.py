"""What docker measures is read without believing it; what is shown follows from the record."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.views.status import detail, table, usages
from jailoc.model.palette import Meaning
from jailoc.model.power import Rank
from jailoc.model.status import ContainerLimits, CredentialStatus, GravePower, Status, Usage

LINE = {
    "BlockIO": "8.19kB / 1.5MB", "CPUPerc": "1.78%", "Container": "x", "ID": "8e89",
    "MemPerc": "2.62%", "MemUsage": "630.6MiB / 3GiB", "Name": "x", "NetIO": "1.2kB / 0B",
    "PIDs": "19",
}  # fmt: skip
USAGE = Usage(
    cpu=12.345, memory=512 << 20, memory_limit=3 << 30, pids=19, received=2048, sent=10,
    read=0, written=1 << 20,
)  # fmt: skip


def status(**changes: object) -> Status:
    plain = {
        "workspace": "api", "configured": True, "state": "running", "wall": "running",
        "docker": "running", "port": 4097, "exposed": True, "uptime": 90061, "usage": USAGE,
        "limits": ContainerLimits(cpus=2.0, memory=3 << 30, pids=256), "image": "jailoc-agent:1",
        "image_current": True, "blocked": 0, "drift": False,
    }  # fmt: skip
    return Status.model_validate(plain | changes)


def shown(**changes: object) -> dict[str, str]:
    return {label.strip(): cell.text for label, cell in detail(status(**changes))}


def test_the_lines_of_docker_stats_are_read() -> None:
    found = usages(json.dumps(LINE) + "\nWARNING: something\n" + json.dumps({**LINE, "ID": "9"}))
    assert found.keys() == {"8e89", "9"}
    assert found["9"] == Usage(
        cpu=1.78, memory=round(630.6 * (1 << 20)), memory_limit=3 << 30, pids=19, received=1200,
        sent=0, read=8190, written=1_500_000,
    )  # fmt: skip


@pytest.mark.parametrize(
    "change", [{"CPUPerc": "--"}, {"CPUPerc": "nan%"}, {"CPUPerc": "inf%"}, {"MemUsage": "-- / --"},
               {"PIDs": "--"}, {"NetIO": "0B"}, {"BlockIO": None}]
)  # fmt: skip
def test_a_container_that_stopped_meanwhile_has_no_usage(change: dict[str, object]) -> None:
    assert usages(json.dumps({**LINE, **change})) == {}


@given(
    st.text()
    | st.recursive(
        st.none() | st.booleans() | st.text(max_size=9) | st.floats(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(sorted(LINE)), inner, max_size=9)
        ),
        max_leaves=9,
    ).map(json.dumps)
)
def test_no_text_breaks_the_reading_of_usage(text: str) -> None:
    usages(text)


def test_a_running_workspace_says_where_its_server_is_and_how_to_attach() -> None:
    found = shown(attach="jailoc ~/src/api")
    assert (found["Server:"], found["Attach:"]) == ("http://127.0.0.1:4097", "jailoc ~/src/api")
    closed = shown(attach="jailoc -w api", exposed=False, port=None)
    assert "Server:" not in closed
    assert closed["Attach:"] == "jailoc -w api"
    assert "Attach:" not in shown(), "what does not run has nothing to attach to"


def test_published_ports_and_a_limit_that_was_hit_are_shown() -> None:
    found = shown(ports=((8080, 80), (3000, 3000), (5173, 5173), (5174, 5174)), pids_refused=3)
    assert found["Published:"] == (
        "127.0.0.1:3000, 127.0.0.1:5173-5174, 127.0.0.1:8080 (80 inside)"
    )
    assert found["PIDs:"] == "19 / 256 (limit hit 3 times; `pids` raises it)"
    assert shown(pids_refused=1)["PIDs:"] == "19 / 256 (limit hit 1 time; `pids` raises it)"
    row = table([status(ports=((3000, 3000),))])[1]
    assert "4097 (+1)" in [cell.text.strip() for cell in row]


def test_a_running_workspace_is_shown_with_all_its_figures() -> None:
    assert shown() == {
        "Workspace:": "api", "Port:": "4097", "Status:": "running",
        "CPU:": "12.3% (limit: 2.0 cores)", "Memory:": "512.0 MiB / 3.0 GiB (16.7%)",
        "PIDs:": "19 / 256", "Net I/O:": "2.0 KiB rx / 10 B tx",
        "Block I/O:": "0 B read / 1.0 MiB write", "Uptime:": "1d 1h 1m",
        "Image:": "jailoc-agent:1", "Wall:": "running", "Docker:": "running",
        "Blocked:": "0", "Drift:": "no",
    }  # fmt: skip
    assert {len(label) for label, _ in detail(status())} == {11}


def test_what_a_workspace_may_do_is_told_with_its_rank() -> None:
    rows = detail(
        status(
            open="every public address; 10.0.0.0/8",
            grave=(
                GravePower(rank=Rank.CRITICAL, text="may reach 10.0.0.0/8"),
                GravePower(rank=Rank.HIGH, text="holds a\x1b[2Jsecret"),
            ),
        )
    )
    found = [(label.strip(), cell.text, cell.style) for label, cell in rows]
    for row in (
        ("Critical:", "may reach 10.0.0.0/8", Meaning.FAILS),
        ("High:", "holds a\x1b[2Jsecret", Meaning.OPENS),
        ("Open:", "every public address; 10.0.0.0/8", None),
    ):
        assert row in found
    assert {"Critical:", "High:", "Open:"}.isdisjoint(shown())


def test_what_is_not_limited_or_not_known_says_so() -> None:
    assert shown(limits=ContainerLimits())["PIDs:"] == "19 / unlimited"
    assert shown(limits=ContainerLimits())["CPU:"] == "12.3%"
    assert shown(usage=None, stats="no answer")["Stats:"] == "unavailable (no answer)"
    assert shown(exposed=False, port=None)["Port:"] == "not exposed (exec-only)"
    assert shown(image_current=False)["Image:"] == "jailoc-agent:1 (not the current one)"
    assert shown(drift=True)["Drift:"] == "behind (jailoc up api brings it up to date)"
    by_hand = shown(drift=True, by_hand=True)["Drift:"]
    assert by_hand == "yes (jailoc up api brings it up to date)"
    assert shown(drift=True, configured=False)["Drift:"] == "yes (not configured)"
    assert shown(blocked=3)["Blocked:"] == "3 (see: jailoc blocked api)"
    assert "Blocked:" not in shown(blocked=None)
    assert shown(unresolved=("a.test",))["Names:"] == "no address yet for a.test"


def test_a_proxy_that_does_not_run_and_each_credential_has_a_row() -> None:
    """What is not well is red; a proxy that runs goes without saying."""
    given = CredentialStatus(name="github", given=True, used=90, refused=2)
    absent = CredentialStatus(name="npm", given=False, used=None, refused=0)
    rows = [
        (cell.text, cell.style)
        for label, cell in detail(status(proxy="exited (code 3)", credentials=(given, absent)))
        if label.strip() == "Proxy:"
    ]
    assert rows == [
        ("exited (code 3)", Meaning.FAILS),
        ("github: has a value, used 1m 30s ago, 2 requests refused", None),
        ("npm: has no value, not used yet", Meaning.FAILS),
    ]
    assert "Proxy:" not in shown(proxy="running")
    assert "Proxy:" not in shown(proxy=None)
    assert shown(proxy="not running")["Proxy:"] == "not running"


def test_of_many_places_that_are_not_covered_some_are_shown_and_all_are_data() -> None:
    places = tuple(f"/p/{number}" for number in range(12))
    row = status(uncovered=places, uncoverable=places)
    for label in ("Uncovered:", "Exposed:"):
        lines = [cell.text for found, cell in detail(row) if found.strip() == label]
        assert lines == [*places[:10], "and 2 more"]
    assert row.uncovered == row.uncoverable == places


def test_the_columns_of_the_table_are_as_wide_as_their_widest_cell() -> None:
    rows = (status(), status(workspace="a-much-longer-name", state="exited (code 137)", usage=None,
                             uptime=None, configured=False, drift=None))  # fmt: skip
    lines = table(rows)
    assert all(len({len(line[column].text) for line in lines}) == 1 for column in range(12))
    assert lines[2][0].text == "a-much-longer-name (not configured)"
    assert lines[2][1].style == Meaning.FAILS
    assert lines[1][1].style == Meaning.DONE


@pytest.mark.parametrize(
    ("state", "well", "style"),
    [
        ("running", True, Meaning.DONE), ("running (starting)", True, Meaning.WARNS),
        ("running (unhealthy)", False, Meaning.FAILS), ("exited (code 1)", False, Meaning.FAILS),
        ("paused", False, Meaning.WARNS), ("restarting", False, Meaning.WARNS),
        ("not running", True, None),
    ],
)  # fmt: skip
def test_the_state_decides_the_colour_and_whether_logs_would_help(
    state: str, well: bool, style: str | None
) -> None:
    row = status(state=state)
    assert row.well is well
    assert dict(detail(row))["Status:".ljust(11)].style == style


@pytest.mark.parametrize("room", [40, 60, 80, 100, 220])
def test_a_table_fits_with_whole_columns(room: int) -> None:
    rows = [status(), status(workspace="web", state="running (unhealthy)", image="x" * 60)]
    lines = ["  ".join(cell.text for cell in line).rstrip() for line in table(rows, room)]
    if room >= 60:
        assert max(map(len, lines)) <= room
    heads = lines[0].split()
    assert heads[:2] == ["workspace", "state"]
    assert "running (unhealthy)" in lines[2]
    whole = "  ".join(cell.text for cell in table(rows)[2])
    for word in lines[2].split():
        assert word in whole.split(), "no word is cut"
    assert (room < 220) == (len(heads) < len(table(rows)[0]))
