"""The agent's own Docker: who waits for it, and the one word that it alone has."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from jailoc.model.bundle import Bundle
from jailoc.model.compose import Compose, Service, Sidecar
from tests.strategies import bundle_of, file_of, toml

PRIVILEGED = toml({"a": {"dind_privileged": True}})


def services(bundle: Bundle, folder: Path) -> dict[str, Any]:
    """Return the services as a real Compose reads the emitted document."""
    place = folder / "docker-compose.yml"
    place.write_text(file_of(bundle, "docker-compose.yml"))
    done = subprocess.run(
        ["docker", "compose", "--file", str(place), "config", "--format", "json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


@pytest.mark.compose
def test_compose_reads_that_the_agent_waits_and_is_not_replaced_with_the_sidecar(
    tmp_path: Path,
) -> None:
    waits = services(bundle_of("[workspaces.a]", "a"), tmp_path)["opencode"]["depends_on"]
    assert waits["dind"] == {"condition": "service_healthy", "required": True}
    assert waits["firewall"]["restart"] is True
    alone = services(bundle_of(toml({"a": {"enable_docker": False}}), "a"), tmp_path)
    assert set(alone["opencode"]["depends_on"]) == {"firewall"}


@pytest.mark.compose
@pytest.mark.parametrize("text", ["[workspaces.a]", PRIVILEGED], ids=["usual", "escape hatch"])
def test_compose_reads_that_the_sidecar_alone_is_privileged_and_only_where_it_is_asked_for(
    tmp_path: Path, text: str
) -> None:
    found = services(bundle_of(text, "a"), tmp_path)
    privileged = {name for name, each in found.items() if each.get("privileged")}
    assert privileged == ({"dind"} if text == PRIVILEGED else set())
    assert "NET_ADMIN" not in found["dind"]["cap_add"]


def test_no_other_service_can_be_privileged() -> None:
    usual = bundle_of("[workspaces.a]", "a").compose
    assert "privileged" not in Service.model_fields
    sidecar = usual.services["dind"]
    assert isinstance(sidecar, Sidecar)
    for name in ("firewall", "opencode"):
        with pytest.raises(ValidationError, match="only the sidecar"):
            Compose(**{**dict(usual), "services": {**usual.services, name: sidecar}})


def test_a_workspace_decides_over_the_defaults() -> None:
    text = toml({"a": {"dind_privileged": False}, "b": {}}, {"dind_privileged": True})
    found = {}
    for name in ("a", "b"):
        sidecar = bundle_of(text, name).compose.services["dind"]
        assert isinstance(sidecar, Sidecar)
        found[name] = sidecar.privileged
    assert found == {"a": False, "b": True}
