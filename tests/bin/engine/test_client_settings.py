"""What docker's client is set to stays out of containers, and reaches builds and registries."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jailoc.bin.engine import client_settings, docker
from tests.engine.world import ROOT

PROXY = "http://user:s3cret@proxy.example:3128"
USERS = {
    "proxies": {"default": {"httpProxy": PROXY}, "tcp://x:1": {"httpProxy": PROXY}},
    "auths": {"registry.example": {"auth": "bWU6czNjcmV0"}},
    "credsStore": "pass",
    "credHelpers": {"gcr.io": "gcloud"},
    "HttpHeaders": {"Key": "value"},
    "cliPluginsExtraDirs": ["/opt/plugins"],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make docker's directory of somebody with a proxy, contexts and a plugin."""
    for name in list(os.environ):
        if name.startswith(("DOCKER_", "COMPOSE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    place = tmp_path / ".docker"
    (place / "contexts/meta").mkdir(parents=True)
    (place / "cli-plugins").mkdir()
    (place / "cli-plugins/docker-compose").write_text("plugin")
    (place / "ca.pem").write_text("certificate")
    (place / "config.json").write_text(json.dumps(USERS))
    yield place
    client_settings._made.cache_clear()


def test_a_call_that_could_make_containers_sees_neither_proxies_nor_credentials(
    folder: Path, tmp_path: Path
) -> None:
    own = Path(docker.environment()["DOCKER_CONFIG"])
    assert own.parent == tmp_path / "cache/jailoc"
    assert own.stat().st_mode & 0o777 == 0o700
    assert (own / "config.json").stat().st_mode & 0o777 == 0o600
    text = (own / "config.json").read_text()
    assert json.loads(text) == {
        key: value for key, value in USERS.items() if key not in {"proxies", "auths"}
    }
    assert "s3cret" not in text
    # Certificates, contexts and plugins are where docker looks for them.
    assert (own / "ca.pem").read_text() == "certificate"
    assert (own / "contexts/meta").is_dir()
    assert (own / "cli-plugins/docker-compose").read_text() == "plugin"


def test_fetching_and_building_has_the_users_own_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "DOCKER_CONFIG" not in docker.environment(credentials=True)
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    monkeypatch.setenv("DOCKER_CONTENT_TRUST", "1")
    found = docker.environment(credentials=True)
    assert found["DOCKER_CONFIG"] == str(folder)
    assert (found["DOCKER_BUILDKIT"], found["DOCKER_CONTENT_TRUST"]) == ("0", "1")
    assert docker.environment()["DOCKER_CONFIG"] != str(folder)


@pytest.mark.parametrize("text", ['{"proxies": {}}', "{}", "{", None])
def test_where_docker_adds_nothing_its_own_directory_is_used(
    folder: Path, text: str | None
) -> None:
    (folder / "config.json").unlink()
    if text is not None:
        (folder / "config.json").write_text(text)
    assert "DOCKER_CONFIG" not in docker.environment()
    assert not (folder.parent / "cache").exists()


def test_the_directory_is_one_for_all_threads(folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: docker.environment()["DOCKER_CONFIG"], range(32)))
    (own,) = found
    assert Path(own, "config.json").exists()


def test_the_directory_goes_at_the_end_and_what_it_leads_to_stays(
    folder: Path, tmp_path: Path
) -> None:
    script = "from jailoc.bin.engine import docker; print(docker.environment()['DOCKER_CONFIG'])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(ROOT / ".pkg")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith(str(tmp_path / "cache/jailoc/docker."))
    assert list((tmp_path / "cache/jailoc").iterdir()) == []
    assert (folder / "cli-plugins/docker-compose").exists()


@pytest.mark.parametrize("credentials", [False, True])
def test_variables_choose_the_engine_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch, credentials: bool
) -> None:
    for name in ("DOCKER_DEFAULT_PLATFORM", "COMPOSE_PROFILES", "COMPOSE_FILE",
                 "DOCKER_STACK_ORCHESTRATOR", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH",
                 "DOCKER_API_VERSION", "OPENCODE_SERVER_PASSWORD", "LANG"):  # fmt: skip
        monkeypatch.setenv(name, "x")
    found = {key for key in docker.environment(credentials=credentials)
             if key.startswith(("DOCKER_", "COMPOSE_", "OPENCODE_")) or key == "LANG"}  # fmt: skip
    expected = {"DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION",
                "COMPOSE_DISABLE_ENV_FILE", "LANG"}  # fmt: skip
    more = {"DOCKER_STACK_ORCHESTRATOR"} if credentials else {"DOCKER_CONFIG"}
    assert found == expected | more
