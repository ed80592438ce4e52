"""An agent with a mount namespace of its own, on an engine that takes no profile of jailoc's.

A program, not a module of tests: `tests/engine/engines run podman@trixie python3 -m
tests.engine.namespaces` runs it. It prints one JSON object: what the engine's own profile lets an
agent do, and what ours does when it is given to the engine as its own.

The attack is the agent's alone: it opens a directory of the project, makes namespaces, leaves
behind all that is mounted, and renames by the directory that it has open what is covered there.
"""

import json
import os
import shutil
import socket
import struct
from pathlib import Path

from jailoc.bin.deploy.preflight import PODMANS_PROFILE
from jailoc.bin.engine import images
from jailoc.generators.artefacts.seccomp import whole
from tests.engine import world

IMAGE, USER = "debian:trixie-slim", "1000:1000"
ATTACK = r"""
use strict;
my ($mount, $pivot_root, $umount2, $unshare) = (165, 155, 166, 272); # of x86-64
my ($newuser, $newns) = (1 << 28, 1 << 17);
opendir(my $open, $ARGV[0]) or die "open: $!";
chdir $ARGV[0] or die "chdir: $!";
print "covered: ", rename("config", "control") ? "renamed" : "held", "\n";
chdir "/" or die "chdir: $!";
syscall($unshare, $newuser | $newns) == 0 or print("namespaces: refused\n"), exit;
sub put { open(my $file, ">", $_[0]) or die "$_[0]: $!"; syswrite $file, $_[1] or die "$_[0]: $!" }
put("/proc/self/setgroups", "deny");
put("/proc/self/uid_map", "0 1000 1");
put("/proc/self/gid_map", "0 1000 1");
my ($what, $to, $old, $here) = ("tmpfs", "/tmp", "old", ".");
syscall($mount, $what, $to, $what, 0, 0) == 0 or die "mount: $!";
chdir $to or die "chdir: $!";
mkdir $old;
syscall($pivot_root, $here, $old) == 0 or die "pivot_root: $!";
syscall($umount2, "/$old", 2) == 0 or die "umount: $!";
chdir $open or die "fchdir: $!";
print "namespaces: ", rename("config", "gone") ? "renamed" : "held", "\n";
"""


def attacked(project: Path) -> dict[str, str]:
    """Return what an agent with the options that jailoc gives one there could rename."""
    shutil.rmtree(project, ignore_errors=True)
    (project / ".git").mkdir(parents=True)
    (project / ".git/config").write_text("[core]\n", encoding="utf-8")
    for each in (project, project / ".git"):
        each.chmod(0o777)
    covered = f"{project}/.git/config"
    said = world.call(
        "docker", "run", "--rm", "--pull", "never", "--network", "none", "--user", USER,
        "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
        "--volume", f"{project}:{project}", "--volume", f"{covered}:{covered}:ro",
        IMAGE, "perl", "-e", ATTACK, f"{project}/.git",
    )  # fmt: skip
    return dict(line.split(": ") for line in said.splitlines())


def engines_root() -> Path:
    """Return the root directory of whoever listens at the engine's socket (unix(7))."""
    with socket.socket(socket.AF_UNIX) as there:
        there.connect(os.environ["DOCKER_HOST"].removeprefix("unix://"))
        told = there.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return Path(f"/proc/{struct.unpack('3i', told)[0]}/root")


def main() -> None:
    """Try it with the engine's own profile, then with ours in its place."""
    project = Path("/srv") / f"jailoc-tests-{world.CHECKOUT}" / f"namespaces-{os.getpid()}"
    try:
        found = {"own": (images.makes_namespaces(IMAGE, USER), attacked(project))}
        (engines_root() / PODMANS_PROFILE[1:]).write_text(whole(), encoding="utf-8")
        found["ours"] = (images.makes_namespaces(IMAGE, USER), attacked(project))
    finally:
        shutil.rmtree(project, ignore_errors=True)
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main()
