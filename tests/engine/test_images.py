"""Images: what is built, what is not built again, and what the engine is sent."""

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from jailoc.bin.config import build_context
from jailoc.bin.config.session import Session
from jailoc.bin.engine import images
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.model.ignore import ignored, parse
from tests.engine import world
from tests.engine.conftest import Sandbox, inner_image

pytestmark = pytest.mark.engine

TREE = (
    ".env", "README.md", "README-secret.md", "a.go", "a/b/c.go", "a/temp", "a/b/temporary",
    "build/out", "keep/build/out", "docs/x.md", "node_modules/m/index.js", "pkg/node_modules/n",
    "src/main.py", "src/[odd]", "src/star*", "temp", "tempa", "tempab",
)  # fmt: skip
IGNORES = (
    "",
    "# nothing\n\n",
    "*.md\n!README*.md\nREADME-secret.md\n",
    "*.md\nREADME-secret.md\n!README*.md\n",
    "**/*.go\nnode_modules\n",
    "**/node_modules\n/build/\n./temp?\n",
    "*\n!src\n!a/b\n",
    "*/temp*\n*/*/temp*\ntemp?\n",
    "[ab].go\n[^x]*.env\nsrc/star\\*\n",
    "a/**/temp*\n**/out\n!keep/**\n",
    "  src/main.py  \r\n.dockerignore\n",
)


@pytest.mark.parametrize("text", IGNORES)
def test_what_counts_is_what_the_engine_is_sent(tmp_path: Path, text: str) -> None:
    for each in TREE:
        place = tmp_path / each
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(each)
    (tmp_path / ".dockerignore").write_text(text)
    built = subprocess.run(
        ["docker", "build", "--quiet", "--output", "type=tar,dest=-", "--file", "-",
         str(tmp_path)],
        input=b"FROM scratch\nCOPY . /\n", capture_output=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr.decode()
    with tarfile.open(fileobj=io.BytesIO(built.stdout)) as archive:
        sent = {each.name for each in archive.getmembers() if each.isfile()}
    patterns = parse(text)
    ours = {each for each in (*TREE, ".dockerignore") if not ignored(patterns, each)}
    assert ours == sent
    assert build_context.digest(str(tmp_path))


@pytest.fixture
def events() -> Iterator[subprocess.Popen[str]]:
    """Listen to what the engine does with images."""
    with subprocess.Popen(
        ["docker", "events", "--filter", "type=image", "--format", "{{json .}}"],
        stdout=subprocess.PIPE, text=True,
    ) as listening:  # fmt: skip
        yield listening
        listening.kill()


def test_a_second_up_builds_nothing_and_contacts_nothing(
    sandbox: Sandbox, events: subprocess.Popen[str]
) -> None:
    """Jailoc runs without any network; the engine is seen to pull and build nothing."""
    before = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))[0]["Id"]
    with sandbox.user.start("up", "walled", prefix=("unshare", "--net")) as running:
        assert running.wait(120) == 0
    after = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))[0]["Id"]
    assert after == before
    events.terminate()
    assert events.stdout
    assert events.stdout.read() == ""


def test_an_overlay_is_built_when_its_context_changes_and_not_before(sandbox: Sandbox) -> None:
    """Nor is what somebody else has put under its tag taken for it."""
    home = sandbox.user.home
    place = home / "overlay"
    place.mkdir()
    (place / "Dockerfile").write_text("FROM ${BASE}\nCOPY note /note\n")
    one, two = (str(uuid4()) for _ in range(2))  # no earlier run has built it
    (place / "note").write_text(one)
    (place / ".dockerignore").write_text("log\n")
    text = sandbox.config() + f'dockerfile = "{place}/Dockerfile"\n'

    def up() -> tuple[str, bool]:
        result = sandbox.user.run("up", "walled")
        assert result.status == 0, result.stderr
        agent = sandbox.container("opencode")
        note = world.call("docker", "exec", agent, "cat", "/note")
        return note, "building image jailoc-overlay" in result.stderr

    try:
        sandbox.user.write(text)
        assert up() == (one, True)
        assert up() == (one, False)
        (place / "log").write_text("changes all the time")
        assert up() == (one, False)
        (place / "note").write_text(two)
        assert up() == (two, True)
        # Whoever loads or builds an image for somebody else may give it that tag.
        said = "{{.Config.Image}}\t{{.Image}}"
        told = world.call("docker", "inspect", "--format", said, sandbox.container("opencode"))
        tag, mine = told.split()
        world.call("docker", "tag", f"{mine}", "jailoc-tests-kept:1")
        wall = world.call("docker", "inspect", "--format", "{{.Image}}",
                          sandbox.container("firewall")).strip()  # fmt: skip
        world.call("docker", "tag", wall, tag)
        told = sandbox.user.ok("plan", "walled")
        assert "what the engine has under its tag was not built here" in told
        # Control: it is what Compose would take.
        assert world.call("docker", "image", "inspect", "--format", "{{.Id}}", tag).strip() == wall
        assert up() == (two, True)
        assert up() == (two, False)
    finally:
        world.call("docker", "rmi", "--force", "jailoc-tests-kept:1", check=False)
        sandbox.user.write(sandbox.config())
        sandbox.user.ok("up", "walled")


GREET = """
import json, subprocess, sys
with subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                      stderr=subprocess.DEVNULL) as server:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "processId": None, "rootUri": None, "capabilities": {}}}).encode()
    server.stdin.write(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
    server.stdin.flush()
    while True:
        size = 0
        while line := server.stdout.readline().strip():
            name, _, value = line.partition(b":")
            size = int(value) if name.lower() == b"content-length" else size
        answer = json.loads(server.stdout.read(size))
        if answer.get("id") == 1:
            print(len(answer["result"]["capabilities"]))
            break
    server.kill()
"""


def agent(sandbox: Sandbox, *command: str) -> str:
    return world.call("docker", "exec", "--user", "1000:1000", sandbox.container("opencode"),
                      *command)  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        "opencode", "node", "npm", "python3", "git", "rg", "fd", "jq", "curl", "tsc", "pyright",
        "typescript-language-server", "bash-language-server",
    ],
)  # fmt: skip
def test_the_embedded_image_brings_tools_that_start(sandbox: Sandbox, command: str) -> None:
    assert any(char.isdigit() for char in agent(sandbox, command, "--version"))


@pytest.mark.parametrize(
    "command",
    [
        ("typescript-language-server", "--stdio"),
        ("pyright-langserver", "--stdio"),
        ("bash-language-server", "start"),
        ("yaml-language-server", "--stdio"),
    ],
    ids=lambda each: each[0],
)
def test_the_language_servers_answer_their_protocol(
    sandbox: Sandbox, command: tuple[str, str]
) -> None:
    assert int(agent(sandbox, "python3", "-c", GREET, *command)) > 3


COMPOSE = f"""
services:
  server:
    build: .
    command: ["/usr/bin/python3", "-c", {json.dumps(world.LISTENER)}, "9000"]
  client:
    image: shell:1
    command: ["/usr/bin/python3", "-c", {
    json.dumps('''
import socket, time
for attempt in range(50):
    try:
        print(socket.create_connection(("server", 9000), 2).recv(5).decode())
        break
    except OSError:
        time.sleep(0.2)
''')
}]
"""


def test_the_agent_builds_and_runs_a_project_of_two_services_that_talk(sandbox: Sandbox) -> None:
    inner_image(sandbox)
    place = sandbox.user.home / "project/inner"
    place.mkdir()
    (place / "compose.yml").write_text(COMPOSE)
    (place / "Dockerfile").write_text('FROM shell:1\nRUN ["/bin/bash", "-c", "echo built"]\n')
    for each in (place, *place.iterdir()):
        each.chmod(0o777)
    told = agent(
        sandbox, "docker", "compose", "--project-directory", str(place), "--file",
        str(place / "compose.yml"), "up", "--build", "--exit-code-from", "client",
    )  # fmt: skip
    assert "hello" in told


PROXY = """
import http.server, ssl, sys
class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"trusted")
    def log_message(self, *arguments):
        pass
server = http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Page)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[3])
server.socket = context.wrap_socket(server.socket, server_side=True)
print("ready", flush=True)
server.serve_forever()
"""
CERTIFY = f"""
set -e
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=company -keyout ca.key -out ca.pem \\
    -addext keyUsage=critical,keyCertSign
openssl req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr
printf 'subjectAltName=IP:{world.PUBLIC}\\nauthorityKeyIdentifier=keyid\\n' >extensions
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 2 -extfile extensions \\
    -out server.crt
cat server.key server.crt >server.pem
"""
SITE = f"https://{world.PUBLIC}:18443/"
TOOLS = {
    "curl": f"curl --silent --max-time 10 {SITE}",
    "python": f"python3 -c 'import urllib.request as u; print(u.urlopen(\"{SITE}\").read())'",
    "node": f"node -e 'fetch(\"{SITE}\").then(r => r.text()).then(console.log)'",
    # An empty list of references, once it trusts who answers.
    "git": f"git ls-remote {SITE}x >/dev/null 2>&1 && echo trusted",
}


def test_one_line_of_certificates_makes_every_tool_trust_an_inspecting_proxy(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificate gets into an image of the user's own; without it no tool trusts the proxy."""
    embedded = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))[0][
        "Image"
    ]
    tag = world.call("docker", "inspect", "--format", "{{.Config.Image}}",
                     sandbox.container("opencode")).strip()  # fmt: skip
    tmp_path.chmod(0o777)
    world.call("docker", "run", "--rm", "--network", "none", "--user", "1000:1000",
               "--volume", f"{tmp_path}:/work", "--workdir", "/work",
               "--entrypoint", "/bin/sh", embedded, "-c", CERTIFY)  # fmt: skip
    (tmp_path / "Dockerfile").write_text(
        f"FROM {tag}\nUSER root\nCOPY ca/ /usr/local/share/ca-certificates/company/\n"
        "RUN update-ca-certificates\n"
    )
    (tmp_path / "config.toml").write_text(
        f'[base]\nca_certificates = ["{tmp_path}/ca.pem"]\n'
        f'dockerfile = "{tmp_path}/Dockerfile"\n[workspaces.a]\n'
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    origin = Session(Terminal(color=False), str(tmp_path / "config.toml")).source()
    bundle = compile_workspace(origin.config, "a", origin.host)
    base = next(each for each in bundle.builds if each.name == "base")
    images.build(base, tmp_path / "build", lambda line: None, "jailoc-building:me-1")

    def trusted(image: str) -> set[str]:
        script = "".join(f"echo '{name}' \"$({command})\"\n" for name, command in TOOLS.items())
        said = world.call("docker", "run", "--rm", "--user", "1000:1000", "--entrypoint", "/bin/sh",
                          image, "-c", script)  # fmt: skip
        return {line.split()[0] for line in said.splitlines() if "trusted" in line}

    with subprocess.Popen(
        ["ip", "netns", "exec", world.NAMESPACE, sys.executable, "-c", PROXY, world.PUBLIC, "18443",
         str(tmp_path / "server.pem")],
        stdout=subprocess.PIPE, text=True,
    ) as proxy:  # fmt: skip
        try:
            assert proxy.stdout
            assert proxy.stdout.readline() == "ready\n"
            assert trusted(base.tag) == set(TOOLS)
            assert trusted(embedded) == set()
        finally:
            proxy.kill()
            world.call("docker", "image", "rm", "--force", base.tag, check=False)
