"""The plugin for the client in the sandbox: read-only, by a URL in the folder that is mounted."""

import json

from jailoc.generators.artefacts.tui_plugin import container
from jailoc.model.agents.opencode1 import OPENCODE_1


def test_the_containers_copy_has_modes_of_its_own_and_lies_in_the_mounted_folder() -> None:
    files = {each.path: each for each in container(OPENCODE_1, "agent")}
    assert {each.mode for each in files.values()} == {0o644}
    (url,) = json.loads(files["agent/tui.json"].text)["plugin"]
    assert url == "file:///etc/jailoc/tui-plugin"
    package = json.loads(files["agent/tui-plugin/package.json"].text)
    assert package["type"] == "module"
    assert f"agent/tui-plugin/{package['exports']['./tui'][2:]}" in files
    assert {*files} == {
        "agent/tui.json",
        "agent/tui-plugin/package.json",
        "agent/tui-plugin/tui.js",
    }
