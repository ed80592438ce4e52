"""The grammar of mounts, what may never be mounted, and how layers are laid over each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from jailoc.model.host import Host
from jailoc.model.mount import Mode, MountSpec, merge, parse_mount
from tests.strategies import HOST, mount_paths


def refused(text: str, host: Host = HOST) -> tuple[str, str]:
    with pytest.raises(PydanticCustomError) as caught:
        parse_mount(text, host)
    context = caught.value.context
    assert context is not None
    return str(context["code"]), str(context["message"])


@pytest.mark.parametrize(
    ("text", "source", "target", "mode"),
    [
        ("/a:/b", "/a", "/b", "rw"),
        ("/a:/b:ro", "/a", "/b", "ro"),
        ("/a:/b:rw", "/a", "/b", "rw"),
        (":/b", None, "/b", "rw"),
        (":/b:ro", None, "/b", "ro"),
        (":/b:rw", None, "/b", "rw"),
        ("~/a:/b", "/home/alice/a", "/b", "rw"),
        ("/a:~/b", "/a", "/home/alice/b", "rw"),
        ("~2/a:/b", "/home/alice2/a", "/b", "rw"),
        ("/a/./b/..//c/:/d/./e/..//f/", "/a/c", "/d/f", "rw"),
        ("//a:///b", "/a", "/b", "rw"),
        ("/a b :/c d ", "/a b ", "/c d ", "rw"),
        ("/${A:-x:y}/b:/c", "/${A:-x:y}/b", "/c", "rw"),
        ("/a:/${B:-/x:y}:ro", "/a", "/${B:-/x:y}", "ro"),
        ("/a:/b$HOME", "/a", "/b$HOME", "rw"),
        ("/a:/home/agent", "/a", "/home/agent", "rw"),
        ("/a:/home/agent/x", "/a", "/home/agent/x", "rw"),
        ("/a:/home", "/a", "/home", "rw"),
        ("/a:/boot", "/a", "/boot", "rw"),
        ("/a:/workspace", "/a", "/workspace", "rw"),
        ("/a:/etcetera", "/a", "/etcetera", "rw"),
        ("/a:/optional", "/a", "/optional", "rw"),
        ("/vardata:/b", "/vardata", "/b", "rw"),
        ("~/.ssh-other:/b", "/home/alice/.ssh-other", "/b", "rw"),
        ("/a\n:/b\n", "/a\n", "/b\n", "rw"),
    ],
)
def test_a_mount_reads_as(text: str, source: str | None, target: str, mode: str) -> None:
    assert parse_mount(text, HOST) == MountSpec(host=source, container=target, mode=Mode(mode))


@pytest.mark.parametrize(
    ("text", "essence"),
    [
        ("", "no container side"),
        ("/a", "no container side"),
        ("${A:-/a:/b}", "no container side"),
        ("/a:/b:ro:x", "too many colons"),
        ("a:b:c:d:e", "too many colons"),
        ("C:/foo:/x", "mode `/x`"),
        (":", "empty section"),
        ("/a:", "empty section"),
        ("/a::ro", "empty section"),
        ("/a:/b:", "empty section"),
        ("::ro", "empty section"),
        ("/a:/b:RO", "mode `RO`"),
        ("/a:/b:rw ", "mode `rw `"),
        ("/a:/b:ro,z", "mode `ro,z`"),
        ("/a:/b:cached", "mode `cached`"),
        (":/b:x", "mode `x`"),
        ("/a:b", "container path `b` is not absolute"),
        ("/a: /b", "container path ` /b` is not absolute"),
        (":b", "container path `b` is not absolute"),
        ("vol:/x", "host path `vol` is not absolute"),
        ("./a:/x", "host path `./a` is not absolute"),
        (" /a:/x", "host path ` /a` is not absolute"),
        ("$HOME/a:/x", "host path `$HOME/a` is not absolute"),
        ("/a\0:/b", "NUL"),
        ("/a:/${\0}", "NUL"),
    ],
)
def test_what_is_no_mount_is_refused_with_the_cause(text: str, essence: str) -> None:
    code, message = refused(text)
    assert code == "mount-grammar"
    assert essence in message


@pytest.mark.parametrize("removal", [False, True])
@pytest.mark.parametrize(
    "directory",
    ["/", "/usr", "/etc", "/var", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/root", "/proc",
     "/sys", "/dev", "/run", "/tmp", "/certs"],  # noqa: S108
)  # fmt: skip
def test_the_containers_system_directories_are_refused(directory: str, removal: bool) -> None:
    source = "" if removal else "/a"
    spellings = [directory, f"/{directory}", f"/x/..{directory}", f"{directory}/."]
    if directory != "/":
        spellings += [f"{directory}/x", f"/{directory}//x/"]
    for spelling in spellings:
        code, message = refused(f"{source}:{spelling}")
        assert code == "mount-container"
        assert f"lies in `{directory}`" in message


@pytest.mark.parametrize(
    "directory",
    ["/", "/boot", "/dev", "/etc", "/private", "/proc", "/sys", "/run", "/var", "~/.ssh",
     "~/.gnupg", "~/.aws", "~/.config/jailoc", "~/.cache/jailoc"],
)  # fmt: skip
def test_system_credential_and_control_directories_of_the_host_are_refused(directory: str) -> None:
    whole = directory.replace("~", HOST.home)
    spellings = [directory, whole, f"/{whole}", f"/data/..{whole}", f"{whole}/."]
    if directory != "/":
        spellings += [f"{whole}/x", f"{directory}//x/"]
    for spelling in spellings:
        code, message = refused(f"{spelling}:/x")
        assert code == "mount-host"
        below = f"lies in `{whole}`" if spelling.endswith(("/x", "/x/")) else f"`{whole}` is "
        assert ("whole machine" if whole == "/" else below) in message


@pytest.mark.parametrize("spelling", ["~", "~/", "/home", "~/.config", "~/.cache", "/home/alice/."])
def test_directories_that_hold_jailocs_own_files_are_refused(spelling: str) -> None:
    code, message = refused(f"{spelling}:/x")
    assert code == "mount-host"
    assert "what controls the sandbox" in message


@pytest.mark.parametrize("place", ["/etc", "/run/docker.sock", "/home/alice/.ssh", "/home"])
def test_a_symbolic_link_is_judged_by_where_it_leads(place: str) -> None:
    code, message = refused("/data/link:/x", Host(home="/home/alice", links={"/data/link": place}))
    assert code == "mount-host"
    assert place in message


def test_a_harmless_symbolic_link_keeps_its_name() -> None:
    linked = Host(home="/home/alice", links={"/data/link": "/data/real"})
    assert parse_mount("/data/link:/x", linked).host == "/data/link"


@given(mount_paths, mount_paths, st.sampled_from(Mode))
def test_any_harmless_paths_are_kept_exactly(source: str, target: str, mode: Mode) -> None:
    expected = MountSpec(host=source, container=target, mode=mode)
    assert parse_mount(f"{source}:{target}:{mode.value}", HOST) == expected


@given(st.text(max_size=40))
def test_any_text_is_a_mount_or_a_reported_problem(text: str) -> None:
    try:
        container = parse_mount(text, HOST).container
    except PydanticCustomError as error:
        code = str((error.context or {}).get("code"))
    else:
        code = "mount-fine" if container.startswith("/") else "relative"
    assert code.startswith("mount-")


# Layers


def specs(*texts: str) -> list[MountSpec]:
    return [parse_mount(text, HOST) for text in texts]


def merged(*layers: tuple[str, list[MountSpec]]) -> list[str]:
    return [f"{m.host}:{m.container}:{m.mode.value} {m.origin}" for m in merge(layers)]


def test_the_last_entry_of_a_container_path_wins_whole() -> None:
    assert merged(("defaults.mounts", specs("/a:/x:ro")), ("w.mounts", specs("/b:/x"))) == [
        "/b:/x:rw w.mounts[0]"
    ]


def test_a_removal_deletes_and_a_later_entry_adds_again_in_the_first_place() -> None:
    layers = ("defaults.mounts", specs("/a:/x", "/b:/y", ":/x")), ("w.mounts", specs("/c:/x"))
    assert merged(*layers) == ["/c:/x:rw w.mounts[0]", "/b:/y:rw defaults.mounts[1]"]


def test_a_removal_is_a_first_mention() -> None:
    layers = ("defaults.mounts", specs(":/x", "/b:/y")), ("w.mounts", specs("/c:/x"))
    assert [each.split()[0] for each in merged(*layers)] == ["/c:/x:rw", "/b:/y:rw"]


def test_removing_what_is_not_there_is_no_error() -> None:
    assert merged(("defaults.mounts", specs(":/x:ro"))) == []


def test_different_spellings_of_a_container_path_are_one_path() -> None:
    assert merged(("w.mounts", specs("/a:/x/y", "/b:/x/./z/../y/"))) == ["/b:/x/y:rw w.mounts[1]"]


def test_built_in_mounts_are_named_so() -> None:
    assert merged(("built-in", specs("/a:/x"))) == ["/a:/x:rw built-in"]
