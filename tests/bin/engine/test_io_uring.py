"""Where an agent could use io_uring is found out from the kernel's setting and the engine."""

from pathlib import Path

import pytest

from jailoc.bin.engine import docker, io_uring


@pytest.mark.parametrize(("text", "off"), [("0", False), ("1", True), ("2\n", True), ("x", False)])
def test_the_kernel_says_whether_it_is_off(tmp_path: Path, text: str, off: bool) -> None:
    place = tmp_path / "setting"
    assert not io_uring.off(place)
    assert "Docker Engine 25" in io_uring.mend(place)
    place.write_text(text)
    assert io_uring.off(place) == off
    assert "sysctl" in io_uring.mend(place)


@pytest.mark.parametrize(
    ("api", "product", "passes"),
    [
        ("1.41", docker.Product.DOCKER, True),
        ("1.43", docker.Product.DOCKER, True),
        ("1.44", docker.Product.DOCKER, False),
        ("1.51", docker.Product.DOCKER, False),
        ("1.41", docker.Product.PODMAN, False),
        ("", docker.Product.DOCKER, False),
    ],
)
def test_the_engine_decides_the_rest(
    monkeypatch: pytest.MonkeyPatch, api: str, product: docker.Product, passes: bool
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    monkeypatch.setattr(io_uring, "off", lambda: False)
    monkeypatch.setattr(docker, "product", lambda: product)
    monkeypatch.setattr(docker, "run", lambda *_, **__: api)
    assert io_uring.passes() == passes
    monkeypatch.setattr(io_uring, "off", lambda: True)
    assert not io_uring.passes()
