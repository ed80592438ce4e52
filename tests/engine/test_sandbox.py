"""The real agent behind the real wall: what runs, as whom, and what it can reach."""

import base64
import json
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import jsonschema
import pytest

from jailoc.schemas import schema
from tests.engine import world
from tests.engine.conftest import HOSTILE_ENV, HOSTILE_NAME, Sandbox, config
from tests.generators.kubernetes.cluster import compiled

pytestmark = pytest.mark.engine


def health(port: int, password: str | None) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/global/health")
    if password:
        token = base64.b64encode(f"opencode:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return int(error.code)


def ask(password: str, path: str, body: object = None) -> str:
    """Ask the server as its client does."""
    token = base64.b64encode(f"opencode:{password}".encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:4096{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        return str(answer.read().decode())


def test_the_server_answers_with_the_password_and_refuses_without(sandbox: Sandbox) -> None:
    assert health(4096, sandbox.user.password("walled")) == 200
    assert health(4096, None) == 401
    assert health(4096, "wrong") == 401


def test_the_server_works_in_a_project_whose_configuration_is_read_only(sandbox: Sandbox) -> None:
    """Healthy is not enough: OpenCode writes into its configuration directories when it is used."""
    password = sandbox.user.password("walled")
    project = sandbox.user.home / "project"
    commands = json.loads(ask(password, f"/command?directory={project}"))
    assert "hi" in {each["name"] for each in commands}
    session = json.loads(ask(password, f"/session?directory={project}", {}))
    assert session["directory"] == str(project)
    agent = sandbox.container("opencode")
    (found,) = json.loads(world.call("docker", "inspect", agent))
    mounted = {each["Destination"] for each in found["Mounts"]}
    assert f"{project}/.opencode" in mounted
    # What the user does not have is not mounted, and is the sandbox's own.
    own = {"/home/agent/.opencode", "/home/agent/.config/opencode"}
    for place in sorted({f"{project}/.opencode"} | (own & mounted)):
        touch = f"touch {place}/x 2>/dev/null && echo through; true"
        assert world.call("docker", "exec", agent, "/bin/sh", "-c", touch) == ""
    assert "EROFS" not in world.call("docker", "logs", agent)


def test_the_agent_has_no_root_and_no_capability(sandbox: Sandbox) -> None:
    agent = sandbox.container("opencode")
    status = dict(
        line.split(":\t", 1)
        for line in world.call("docker", "exec", agent, "cat", "/proc/1/status").splitlines()
    )
    assert status["Uid"].split() == ["1000"] * 4
    assert status["Gid"].split() == ["1000"] * 4
    for each in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[each], 16) == 0, each
    assert status["NoNewPrivs"] == "1"
    inspected = json.loads(world.call("docker", "inspect", agent))[0]
    assert inspected["Config"]["User"] == "1000:1000"
    assert not inspected["HostConfig"]["Privileged"]


def test_no_process_of_the_agent_ever_runs_as_root_not_even_a_health_check(
    sandbox: Sandbox,
) -> None:
    agent = sandbox.container("opencode")
    stop, seen = threading.Event(), set[str]()
    watcher = threading.Thread(target=world.watch_uids, args=(agent, stop, seen))
    watcher.start()
    try:
        world.call("docker", "restart", agent)
        threading.Event().wait(12)
    finally:
        stop.set()
        watcher.join()
    assert seen == {"1000"}


def test_the_sidecar_is_not_privileged_and_cannot_touch_the_rules(sandbox: Sandbox) -> None:
    inspected = json.loads(world.call("docker", "inspect", sandbox.container("dind")))[0]
    assert not inspected["HostConfig"]["Privileged"]
    added = {each.removeprefix("CAP_") for each in inspected["HostConfig"]["CapAdd"]}
    assert added == {"SETGID", "SETUID"}
    tried = world.call(
        "docker", "exec", "--user", "0", sandbox.container("dind"), "iptables", "-F", check=False
    )
    assert tried == ""
    rules = world.call(
        "docker", "exec", "--user", "0", sandbox.container("firewall"),
        "/bin/sh", "/etc/jailoc/firewall.sh", "verify",
    )  # fmt: skip
    assert "as wanted" in rules


def targets() -> list[world.Target]:
    named = {
        "public": world.PUBLIC,
        "public-ipv6": world.PUBLIC_IPV6,
        "allowed": world.ALLOWED,
        "allowed-ipv6": world.ALLOWED_IPV6,
        "neighbour-of-the-host": world.NEIGHBOUR,
        **world.CLOSED,
    }
    return [
        *((name, address, world.PORT) for name, address in named.items()),
        ("own-public-address", world.OWN, world.OTHER_PORT),
        ("own-public-address-ipv6", world.OWN_IPV6, world.OTHER_PORT),
    ]


def test_without_the_wall_every_host_of_the_matrix_answers(sandbox: Sandbox) -> None:
    """The control: a closed door proves nothing unless somebody was behind it."""
    image = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))[0]["Image"]
    world.call("docker", "network", "rm", "jailoc-control", check=False)
    world.call(
        "docker", "network", "create", "--ipv6", "--subnet", "fd99:cc::/64", "jailoc-control"
    )
    try:
        container = world.call(
            "docker", "run", "--detach", "--init", "--network", "jailoc-control",
            "--entrypoint", "sleep", image, "600",
        ).strip()  # fmt: skip
        try:
            own = world.gateways(container)
            wanted = targets() + [
                (name, address, world.OTHER_PORT) for name, address in own.items()
            ]
            answers = world.probe(container, wanted)
        finally:
            world.call("docker", "rm", "--force", container)
    finally:
        world.call("docker", "network", "rm", "jailoc-control")
    assert {name: word for name, (word, _) in answers.items() if word != "hello"} == {}


def test_the_agent_reaches_what_is_public_or_allowed_and_nothing_else(sandbox: Sandbox) -> None:
    doors = world.gateways(sandbox.container("firewall"))
    wanted = targets() + [(name, address, world.OTHER_PORT) for name, address in doors.items()]
    answers = world.probe(sandbox.container("opencode"), wanted)
    reached = {name for name, (word, _) in answers.items() if word == "hello"}
    assert reached == {"public", "public-ipv6", "allowed", "allowed-ipv6"}
    slow = {name: seconds for name, (_, seconds) in answers.items() if seconds >= 1}
    assert slow == {}, "a blocked program must not hang"


def test_the_published_port_is_on_loopback_alone(sandbox: Sandbox) -> None:
    (binding,) = json.loads(world.call("docker", "inspect", sandbox.container("firewall")))[0][
        "NetworkSettings"
    ]["Ports"]["4096/tcp"]
    assert binding == {"HostIp": "127.0.0.1", "HostPort": "4096"}


def test_an_allowed_name_opens_its_addresses_of_both_families(sandbox: Sandbox) -> None:
    image = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))[0]["Image"]
    wall = sandbox.container("firewall")
    state = json.loads(world.call("docker", "exec", wall, "cat", "/run/jailoc/names/state.json"))
    assert state["names"]["missing.invalid"] == []
    shown = sandbox.user.run("status", "walled")
    assert "no address yet for friend.test, missing.invalid" in shown.stdout
    friends = []
    try:
        for alias in ("friend.test", "stranger.test"):
            friends.append(
                world.call(
                    "docker",
                    "run",
                    "--detach",
                    "--init",
                    "--network",
                    f"{sandbox.project}_jailoc",
                    "--network-alias",
                    alias,
                    "--entrypoint",
                    "python3",
                    image,
                    "-c",
                    world.LISTENER,
                    str(world.PORT),
                ).strip()
            )
        world.call("docker", "exec", wall, "/bin/sh", "/etc/jailoc/firewall.sh", "reload")
        wanted: list[world.Target] = []
        for alias, container in zip(("friend", "stranger"), friends, strict=True):
            (network,) = json.loads(world.call("docker", "inspect", container))[0][
                "NetworkSettings"
            ]["Networks"].values()
            wanted.append((f"{alias}-ipv4", network["IPAddress"], world.PORT))
            wanted.append((f"{alias}-ipv6", network["GlobalIPv6Address"], world.PORT))
        answers = world.probe(sandbox.container("opencode"), wanted)
    finally:
        world.call("docker", "rm", "--force", *friends)
    reached = {name for name, (word, _) in answers.items() if word == "hello"}
    assert reached == {"friend-ipv4", "friend-ipv6"}


def test_everything_the_user_wrote_arrives_exactly(sandbox: Sandbox) -> None:
    agent = sandbox.container("opencode")
    raw = world.call("docker", "exec", agent, "env", "-0")
    found = dict(entry.split("=", 1) for entry in raw.split("\0") if "=" in entry)
    assert {key: found.get(key) for key in HOSTILE_ENV} == HOSTILE_ENV
    place = sandbox.user.home / HOSTILE_NAME / "marker"
    assert world.call("docker", "exec", agent, "cat", str(place)) == "here"


def test_the_password_is_in_no_file_but_its_own_and_on_no_command_line(sandbox: Sandbox) -> None:
    secret = sandbox.user.password("walled")
    store = sandbox.user.home / ".local/share/jailoc/walled/password"
    assert store.stat().st_mode & 0o777 == 0o600
    holders = {
        str(path)
        for path in sandbox.user.home.rglob("*")
        if path.is_file() and secret in path.read_text(errors="replace")
    }
    assert holders == {str(store)}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            assert secret.encode() not in (process / "cmdline").read_bytes()
        except OSError:
            continue


def test_up_on_a_running_workspace_changes_nothing(sandbox: Sandbox) -> None:
    agent = sandbox.container("opencode")
    before = world.call("docker", "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", agent)
    sandbox.user.ok("up", "walled")
    after = world.call("docker", "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", agent)
    assert after == before


def test_status_and_logs_tell_what_runs(sandbox: Sandbox) -> None:
    (row,) = json.loads(sandbox.user.ok("status", "walled", "--json"))["workspaces"]
    assert (row["state"], row["wall"], row["docker"], row["port"]) == (
        "running", "running", "running", 4096,
    )  # fmt: skip
    text = sandbox.user.ok("logs", "walled", "--service", "firewall")
    assert "rules loaded and verified" in text


def started(sandbox: Sandbox) -> list[str]:
    return [
        world.call("docker", "inspect", "--format", "{{.Id}} {{.State.StartedAt}} {{.State.Pid}}",
                   sandbox.container(service))
        for service in ("firewall", "opencode", "dind")
    ]  # fmt: skip


@pytest.mark.parametrize("command", ["up", "refresh", "allow"])
def test_a_changed_allow_list_reaches_the_wall_and_restarts_nothing(
    sandbox: Sandbox, command: str
) -> None:
    opened = world.CLOSED["private-10"]
    secret = sandbox.user.password("walled")
    before = started(sandbox)
    try:
        if command == "allow":
            done = sandbox.user.run("allow", f"{opened}/32", "-w", "walled")
            assert done.status == 0, done.stderr
            (lost,) = (line for line in done.stderr.splitlines() if "no address found" in line)
            assert lost.endswith("public addresses are open anyway, others once they are known")
        else:
            sandbox.user.write(config(f', "{opened}/32"'))
            sandbox.user.ok(command, "walled")
        assert started(sandbox) == before
        answers = world.probe(
            sandbox.container("opencode"),
            [("opened", opened, world.PORT), ("closed", "192.168.255.10", world.PORT)],
        )
        assert answers["opened"][0] == "hello"
        assert answers["closed"][0] != "hello"
        assert health(4096, secret) == 200
    finally:
        sandbox.user.write(config())
        sandbox.user.ok("up", "walled")
    shut = world.probe(sandbox.container("opencode"), [("shut", opened, world.PORT)])
    assert shut["shut"][0] != "hello"


def test_what_was_refused_is_shown_with_what_opens_it(sandbox: Sandbox) -> None:
    world.probe(
        sandbox.container("opencode"),
        [(str(index), world.CLOSED["private-10"], 4321) for index in range(3)]
        + [("v6", world.CLOSED["unique-local"], 4322), ("dns", world.PUBLIC, 53)],
    )
    data = json.loads(sandbox.user.ok("blocked", "walled", "--json"))
    jsonschema.validate(data, schema("blocked"))
    rows = {(each["target"], each["port"]): each for each in data["blocked"]}
    first = rows[world.CLOSED["private-10"], 4321]
    assert (first["times"], first["reason"]) == (3, "private (RFC 1918)")
    assert first["ago"] < 30
    assert first["allow"] == f"{world.CLOSED['private-10']}:4321"
    assert rows[world.CLOSED["unique-local"], 4322]["allow"].startswith("[")
    assert rows[world.PUBLIC, 53]["allow"] is None
    lines = sandbox.user.ok("blocked", "walled")
    assert f"jailoc allow {world.CLOSED['private-10']}:4321 -w walled" in lines


def test_refusals_are_followed_as_they_happen(sandbox: Sandbox) -> None:
    with sandbox.user.start("blocked", "walled", "--follow", "--json") as running:
        assert running.stdout
        deadline = time.monotonic() + 20
        seen: list[int | None] = []
        for port in (4400, 4401):
            place = world.CLOSED["shared-by-carriers"]
            world.probe(sandbox.container("opencode"), [("it", place, port)])
            while port not in seen and time.monotonic() < deadline:
                seen.append(json.loads(running.stdout.readline())["port"])
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 0
    assert {4400, 4401} <= set(seen)


def test_verify_finds_the_world_as_the_model_says(sandbox: Sandbox) -> None:
    data = json.loads(sandbox.user.ok("verify", "walled", "--json"))
    jsonschema.validate(data, schema("verify"))
    assert data["ok"]
    kinds = {each["kind"] for each in data["checks"]}
    assert kinds == {
        "container", "rules", "files", "process", "mount", "names", "probe", "field",
    }  # fmt: skip
    probes = [each for each in data["checks"] if each["kind"] == "probe"]
    assert {each["found"] for each in probes} == {"open", "closed"}
    shown = json.loads(sandbox.user.ok("blocked", "walled", "--json"))["blocked"]
    assert not any("198.19." in each["target"] for each in shown), "its own probes are no news"


@pytest.mark.parametrize(
    ("tool", "rule", "words"),
    [
        ("iptables", "-I OUTPUT 1 -d 10.0.0.0/8 -j ACCEPT", "private (RFC 1918)"),
        ("ip6tables", "-I OUTPUT 1 -p udp -j ACCEPT", "unique local"),
        ("iptables", "-I OUTPUT 1 -p icmp -j ACCEPT", "link-local"),
        ("iptables", "-I OUTPUT 3 -p tcp --dport 44144 -j JAILOC-DENY", "public internet"),
        ("iptables", "-P OUTPUT ACCEPT", "in the kernel, against the generated ones"),
    ],
)
def test_verify_finds_a_wall_that_was_changed(
    sandbox: Sandbox, tool: str, rule: str, words: str
) -> None:
    wall = sandbox.container("firewall")
    try:
        world.call("docker", "exec", "--user", "0", wall, tool, *rule.split())
        result = sandbox.user.run("verify", "walled")
        assert result.status == 2
        assert any("DIFFERS" in line and words in line for line in result.stdout.splitlines())
    finally:
        sandbox.user.ok("refresh", "walled")
    # The changed rules made the wall sick as well, and the engine asks it every two seconds.
    deadline = time.monotonic() + 30
    while sandbox.user.run("verify", "walled").status != 0:
        assert time.monotonic() < deadline


def test_verify_finds_files_that_were_changed(sandbox: Sandbox) -> None:
    place = sandbox.user.home / ".cache/jailoc/walled/wall/rules.v4"
    kept = place.read_text()
    try:
        place.write_text(kept.replace("10.0.0.0/8", "10.0.0.0/9"))
        result = sandbox.user.run("verify", "walled")
        assert (result.status, "different: wall/rules.v4" in result.stdout) == (2, True)
    finally:
        place.write_text(kept)


def test_verify_finds_limits_that_were_changed_and_those_that_wait(sandbox: Sandbox) -> None:
    agent = sandbox.container("opencode")
    kept = world.call("docker", "inspect", "--format", "{{.HostConfig.PidsLimit}}", agent).strip()
    try:
        world.call("docker", "update", "--pids-limit", str(int(kept) + 1), agent)
        sandbox.user.write(config().replace("cpu = 2", "cpu = 1.5"))
        result = sandbox.user.run("verify", "walled")
        assert result.status == 2
        differ = [each for each in result.stdout.splitlines() if each.startswith("DIFFERS")]
        for words in (
            f"service.opencode.pids  expected {kept}, found {int(kept) + 1}",
            "service.opencode.cpus  expected 1.5, found 2  because of defaults.cpu",
            "service.dind.cpus  expected 1.5, found 2  because of defaults.cpu",
            "different: docker-compose.yml",
        ):
            assert any(words in each for each in differ), result.stdout
        assert len(differ) == 4, result.stdout
    finally:
        world.call("docker", "update", "--pids-limit", kept, agent)
        sandbox.user.write(config())
    assert sandbox.user.run("verify", "walled").status == 0


def test_a_refresh_says_what_still_waits_and_needs_a_running_wall(sandbox: Sandbox) -> None:
    try:
        sandbox.user.write(config().replace("cpu = 2", "cpu = 1.5"))
        result = sandbox.user.run("refresh", "walled")
        assert (result.status, "other changes wait" in result.stderr) == (0, True)
    finally:
        sandbox.user.write(config() + "[workspaces.idle]\n")
    result = sandbox.user.run("refresh", "idle")
    assert (result.status, "is not running" in result.stderr) == (1, True)
    sandbox.user.write(config())
    sandbox.user.ok("up", "walled")


def test_broken_rules_keep_the_agent_from_starting(sandbox: Sandbox) -> None:
    """Fail closed: with rules that do not load, only a dead wall is left."""
    folder = sandbox.user.home / ".cache/jailoc/walled"
    rules = folder / "wall/rules.v4"
    kept = rules.read_text()
    sandbox.user.ok("down", "walled")
    rules.write_text(kept.replace("-j JAILOC-DENY", "-j NOWHERE", 1))
    label = f"label=com.docker.compose.project={sandbox.project}"
    try:
        world.call(
            "docker", "compose", "--project-name", sandbox.project, "--file",
            str(folder / "docker-compose.yml"), "up", "--detach", "--wait", check=False,
        )  # fmt: skip
        states = world.call(
            "docker", "ps", "--all", "--filter", label, "--format", "{{.Names}} {{.State}}",
        )  # fmt: skip
        assert f"{sandbox.container('opencode')} created" in states
        assert f"{sandbox.container('dind')} created" in states
    finally:
        sandbox.user.ok("up", "walled")
    assert rules.read_text() == kept


def test_down_leaves_no_container_or_network_and_keeps_the_volumes(sandbox: Sandbox) -> None:
    sandbox.user.ok("down", "walled")
    label = f"label=com.docker.compose.project={sandbox.project}"
    assert world.call("docker", "ps", "--all", "--quiet", "--filter", label) == ""
    assert world.call("docker", "network", "ls", "--quiet", "--filter", label) == ""
    assert world.call("docker", "volume", "ls", "--quiet", "--filter", label) != ""
    again = sandbox.user.run("down", "walled")
    assert (again.status, "not running" in again.stderr) == (0, True)
    sandbox.user.ok("up", "walled")


def test_the_wall_of_a_pod_ends_well_where_nothing_else_runs(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The whole pod is tried on Podman; that its wall loads at all is seen here each time."""
    bundle = compiled('[workspaces.api]\nallowed_hosts = ["a.example.org"]\n')
    (files,) = (each.data for each in bundle.maps if "wall.sh" in each.data)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    image = json.loads(world.call("docker", "inspect", sandbox.container("firewall")))[0]["Image"]

    def ended(place: Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["docker", "run", "--rm", "--network", "none", "--cap-drop", "ALL",
             "--cap-add", "NET_ADMIN", "--read-only", "--tmpfs", "/run/jailoc",
             "--tmpfs", "/run/gate", "--volume", f"{place}:/etc/jailoc:ro",
             "--entrypoint", "/bin/sh", image, "/etc/jailoc/wall.sh"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = ended(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "rules loaded and verified" in done.stdout
    assert "No such file" not in done.stderr
    # Control: rules that are not whole end it otherwise.
    (tmp_path / "rules.v4").write_text(files["rules.v4"].removesuffix("COMMIT\n"))
    assert "is cut short" in ended(tmp_path).stderr
