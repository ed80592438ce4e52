"""What is particular to an agent stands in the agents' room; elsewhere its name is for people."""

from pathlib import Path

from jailoc.model.agents.known import AGENTS

ROOT = Path(__file__).parents[2]
NAMED = {
    "bin/cli/app.py": "what jailoc is for, in its help",
    "bin/cli/declarations/attach.py": "whose client is meant, in the help",
    "bin/cli/declarations/plan.py": "an address of drift, in the help",
    "bin/cli/declarations/apply.py": "an address of drift, in the help",
    "bin/cli/declarations/logs.py": "names of services, in the help",
    "model/catalogue/configuration.py": "the code of a wrong version",
    "model/config.py": "the key that chooses one",
    "model/sandbox.py": "the name of the service",
}
"""The Python files beside the agents' room that name OpenCode, and what for."""


def test_no_other_module_names_opencode() -> None:
    found = {
        str(path.relative_to(ROOT))
        for room in ("model", "generators", "bin")
        for path in sorted((ROOT / room).rglob("*.py"))
        if "model/agents" not in str(path)
        if path != ROOT / "bin/cli/grammar.py"  # made from the declarations
        if "opencode" in path.read_text(encoding="utf-8").lower()
    }
    assert found == set(NAMED)


def test_no_script_and_no_dockerfile_names_an_agent() -> None:
    texts = {
        path.name: path.read_text(encoding="utf-8")
        for path in (ROOT / "generators/assets").iterdir()
        if path.suffix in {".sh", ".Dockerfile"}
    }
    assert {"agent.sh", "agent.Dockerfile", "suitable.sh"} <= set(texts)
    for agent in AGENTS:
        words = (agent.package, agent.binary, agent.data, agent.version, *agent.reserved)
        assert [
            (name, word) for name, text in texts.items() for word in words if word in text
        ] == []
