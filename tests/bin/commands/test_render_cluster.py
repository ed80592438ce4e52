"""`render --target kubernetes` writes manifests, and says what is missing for them."""

from pathlib import Path

import yaml

from tests.bin.commands.test_files import NO_ENGINE, tree
from tests.engine.world import User
from tests.generators.kubernetes.cluster import lock, settings

TEXT = settings() + "[workspaces.api]\n[workspaces.web]\n"


def prepared(user: User) -> Path:
    user.write(TEXT)
    (user.config.parent / "images.lock").write_text(lock(TEXT).text)
    return user.home / "out"


def test_it_writes_the_same_bytes_twice_and_keeps_what_else_is_there(user: User) -> None:
    out = prepared(user)
    for _ in range(2):
        done = user.run("render", "--target", "kubernetes", "--out", str(out), **NO_ENGINE)
        assert done.status == 0, done.stderr
        (out / "mine").write_text("mine")
    first = tree(out)
    assert user.run("render", "--target", "kubernetes", "--out", f"{out}2", **NO_ENGINE).status == 0
    assert tree(user.home / "out2") == {key: each for key, each in first.items() if key != "mine"}
    top = yaml.safe_load((out / "kustomization.yaml").read_text())
    for each in top["resources"]:
        assert (out / each).exists()
    listed = yaml.safe_load((out / "workspaces/web/kustomization.yaml").read_text())["resources"]
    assert all((out / "workspaces/web" / each).is_file() for each in listed)


def test_without_a_lock_the_command_that_writes_one_is_named(user: User) -> None:
    user.write(TEXT)
    done = user.run("render", "--target", "kubernetes", "--out", str(user.home / "out"))
    assert done.status == 1
    assert "wall and agent have no digest" in done.stderr
    assert "jailoc images build --push" in done.stderr
    assert not (user.home / "out").exists()


def test_a_lock_that_is_none_is_named(user: User) -> None:
    prepared(user)
    (user.config.parent / "images.lock").write_text("format = 9\n")
    done = user.run("render", "--target", "kubernetes", "--out", str(user.home / "out"))
    assert done.status == 1
    assert "its format is 9, this jailoc's is 1" in done.stderr


def test_it_needs_a_directory(user: User) -> None:
    prepared(user)
    done = user.run("render", "--target", "kubernetes")
    assert done.status == 1
    assert "add --out DIR" in done.stderr
