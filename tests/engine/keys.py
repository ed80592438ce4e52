"""A workspace with credentials, and servers with TLS that they are for."""

import json
import secrets as random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.engine import world
from tests.engine.conftest import Sandbox, network
from tests.engine.upstream import PLAIN, SERVER
from tests.engine.world import User

NAME, PORT = "keys", 4296
HOSTS = ("api.creds.test", "git.creds.test", "npm.creds.test", "bad.creds.test")
CONFIG = f"""
[workspaces.{NAME}]
paths = ["~/work"]
port = {PORT}
egress = "allowlist"
enable_docker = false
[workspaces.{NAME}.credentials.api]
hosts = ["api.creds.test", "api.creds.test:8443"]
from_env = "API_TOKEN"
methods = ["GET", "HEAD", "POST"]
paths = ["/v1/", "/whoami"]
env = ["API_KEY"]
[workspaces.{NAME}.credentials.git]
hosts = ["git.creds.test"]
from_file = "~/git-token"
scheme = "basic"
username = "x-token"
[workspaces.{NAME}.credentials.npm]
hosts = ["npm.creds.test"]
from_command = ["/bin/cat", "%HOME%/npm-token"]
scheme = "header"
header = "X-Api-Key"
scrub = false
[workspaces.{NAME}.credentials.bad]
hosts = ["bad.creds.test", "gone.creds.test"]
from_env = "API_TOKEN"
"""
AUTHORITY = """
set -e
cd /made
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt \
    -days 30 -subj '/CN=root of the tests' -addext basicConstraints=critical,CA:TRUE \
    -addext keyUsage=critical,keyCertSign
leaf() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key \
        -out $1.csr -subj /CN=made
    echo "subjectAltName=$2" >$1.ext
    openssl x509 -req -in $1.csr -CA ca.crt -CAkey ca.key -days 20 -extfile $1.ext -out $1.crt
    cat $1.crt $1.key >$1.pem
}
leaf good DNS:api.creds.test,DNS:git.creds.test,DNS:npm.creds.test
leaf other DNS:somebody.else.test
leaf page DNS:models.example.com,DNS:forge.example.com
chmod 0644 *
"""
REQUESTS = r"""
import json, socket, ssl, sys
def ask(name, port, raw, sni, address):
    with socket.create_connection((address, port), timeout=20) as peer:
        if sni:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            peer = context.wrap_socket(peer, server_hostname=sni)
        peer.sendall(raw.encode("latin-1"))
        peer.settimeout(20)
        data = b""
        while True:
            part = peer.recv(65536)
            data += part
            head, mark, body = data.partition(b"\r\n\r\n")
            if not part or (mark and b"content-length" in head.lower() and len(body) >= int(
                    head.lower().partition(b"content-length:")[2].split()[0])):
                return data.decode("latin-1")
found = {}
for name, port, raw, sni, address in json.load(sys.stdin):
    try:
        found[name] = ask(name, port, raw, sni, address)
    except Exception as error:
        found[name] = f"{type(error).__name__}: {error}"
print(json.dumps(found))
"""


def value(name: str) -> str:
    return f"REALTOKEN{name}{random.token_hex(12)}"


@dataclass
class Keys:
    """A running workspace with credentials, and the server that they are for."""

    user: User
    made: Path
    values: dict[str, str]
    upstream: str = ""
    arguments: set[str] = field(default_factory=set)
    """What was seen among the arguments of any process during the start."""

    @property
    def sandbox(self) -> Sandbox:
        return Sandbox(self.user, NAME)

    def jailoc(self, *arguments: str) -> world.Result:
        return self.user.run(*arguments, API_TOKEN=self.values["api"])

    def ok(self, *arguments: str) -> str:
        result = self.jailoc(*arguments)
        assert result.status == 0, result.stderr[-6000:]
        return result.stdout

    def container(self, service: str) -> str:
        return self.sandbox.container(service)

    def agent(self, *command: str, stdin: str | None = None, check: bool = True) -> str:
        return world.call(
            "docker", "exec", "--interactive", "--user", "1000:1000", self.container("opencode"),
            *command, stdin=stdin, check=check,
        )  # fmt: skip

    def curl(self, *arguments: str) -> str:
        return self.agent(
            "curl", "--silent", "--show-error", "--max-time", "60", *arguments, check=False
        )

    def seen(self) -> list[dict[str, Any]]:
        """Return what reached the server since it was asked last."""
        text = world.call(
            "docker", "exec", self.upstream, "python3", "-c",
            "import urllib.request as r; print(r.urlopen("
            f"'http://127.0.0.1:{PLAIN}/v1/seen').read().decode())",
        )  # fmt: skip
        found: list[dict[str, Any]] = json.loads(text)
        return found

    def ask(self, *wanted: tuple[str, int, str, str, str], direct: bool = False) -> dict[str, str]:
        """Send bytes as they are: name, port, text, SNI (empty: no TLS), address."""
        command = ("python3", "-c", REQUESTS)
        if direct:
            text = world.call("docker", "exec", "--interactive", self.upstream, *command,
                              stdin=json.dumps(wanted))  # fmt: skip
        else:
            text = self.agent(*command, stdin=json.dumps(wanted))
        found: dict[str, str] = json.loads(text)
        return found


def watch(found: set[str], values: dict[str, str], stop: threading.Event) -> None:
    """Look at the arguments of every process of the machine, again and again."""
    while not stop.is_set():
        for process in Path("/proc").glob("[0-9]*"):
            try:
                text = (process / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            found.update(each for each in values.values() if each in text)
        time.sleep(0.02)


def serve(
    sandbox: Sandbox, made: Path, certificate: str, *names: str, ports: tuple[str, ...] = ("443",)
) -> str:
    """Start a server with these names in the network of a sandbox; return its container."""
    image = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))[0]["Image"]
    return world.call(
        "docker", "run", "--detach", "--rm", "--init", "--log-opt", "max-size=1m", "--user", "0:0",
        "--network", network(sandbox),
        *(word for each in names for word in ("--network-alias", each)),
        "--volume", f"{made}:/made:ro", "--tmpfs", "/srv", "--entrypoint", "python3", image,
        "-c", SERVER, f"/made/{certificate}.pem", *ports,
    ).strip()  # fmt: skip


def prepared(found: Keys, image: str) -> None:
    """Make an authority of the tests' own, and a configuration whose images trust it.

    Args:
        found: Whose home it is.
        image: For the agent, which trusts the proxy and not the host; one is built if it is empty.
    """
    home, made = found.user.home, found.made
    (home / "git-token").write_text(found.values["git"] + "\n")
    (home / "npm-token").write_text(found.values["npm"] + "\n")
    if image:
        world.call("docker", "run", "--rm", "--user", "0:0", "--volume", f"{made}:/made",
                   "--entrypoint", "sh", image, "-c", AUTHORITY)  # fmt: skip
    else:
        world.call("sh", "-c", AUTHORITY.replace("/made", str(made)))
    root = f'"{made}/ca.crt"]'
    base = world.certificates().replace('"]', f'", {root}')
    base = base or f"[base]\nca_certificates = [{root}\n"
    text = base + CONFIG.replace("%HOME%", str(home))
    found.user.write(text.replace("port = ", f'image = "{image}"\nport = ', 1) if image else text)


@contextmanager
def started(found: Keys) -> Iterator[Keys]:
    servers: list[str] = []
    stop = threading.Event()
    watcher = threading.Thread(target=watch, args=(found.arguments, found.values, stop))
    watcher.start()
    try:
        found.ok("up", NAME)
        stop.set()
        found.upstream = serve(
            found.sandbox, found.made, "good", "api.creds.test", "git.creds.test",
            "npm.creds.test", ports=("443", "8443", "9443"),
        )  # fmt: skip
        servers.append(found.upstream)
        servers.append(serve(found.sandbox, found.made, "other", "bad.creds.test"))
        ready(found)
        yield found
    finally:
        stop.set()
        watcher.join()
        for each in servers:
            world.call("docker", "rm", "--force", each, check=False)
        world.remove(f"jailoc-{NAME}")


def ready(keys: Keys) -> None:
    """Wait until the proxy has found the server."""
    for _ in range(100):
        if keys.curl("https://api.creds.test/whoami").endswith(keys.values["api"][-4:]):
            keys.seen()
            return
        time.sleep(0.3)
    raise AssertionError(
        world.logs(keys.container("proxy")) + keys.curl("-v", "https://api.creds.test/whoami")
    )
