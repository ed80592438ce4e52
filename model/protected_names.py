"""Names of what hosts execute by themselves in a project."""

from jailoc.model.agents.known import PROTECTED

_LEFTHOOK = tuple(
    f"{first}lefthook{local}.{kind}"
    for kind in ("yml", "yaml", "toml", "json", "jsonc")
    for local in ("", "-local")
    for first in ("", ".", ".config/")
)
_MISE = tuple(
    f"{first}mise{environment}{local}.toml"
    for environment in ("", ".development", ".production", ".staging", ".test")
    for local in ("", ".local")
    for first in ("", ".", ".config/")
)
"""Those of `MISE_ENV` have any name; these are the usual ones."""

DEFAULT = (
    ".git/hooks", ".git/config", ".git/config.worktree",
    ".envrc", ".direnv", *_MISE, ".mise", "mise/config.toml", "mise/config.local.toml",
    ".config/mise", ".tool-versions", ".shadowenv.d", ".autoenv", ".autoenv.zsh",
    ".vscode", ".idea", ".zed", ".fleet", ".vs", ".helix",
    ".exrc", "_exrc", ".vimrc", "_vimrc", ".gvimrc", "_gvimrc", ".lvimrc", ".nvimrc", ".nvim.lua",
    ".dir-locals.el", ".dir-locals-2.el", ".devcontainer", ".devcontainer.json",
    ".husky", ".huskyrc", ".huskyrc.json", ".huskyrc.js",
    ".pre-commit-config.yaml", ".pre-commit-config.yml", ".pre-commit-hooks.yaml", "prek.toml",
    *_LEFTHOOK, ".lefthook", ".lefthook-local", ".overcommit.yml", ".local-overcommit.yml",
    ".simple-git-hooks.json", "simple-git-hooks.json", "hk.pkl", "hk.local.pkl", ".config/hk.pkl",
    *PROTECTED, ".mcp.json", ".claude", ".cursor", ".codex", ".gemini", ".qwen", ".windsurf",
    ".amazonq", ".kiro", ".aider.conf.yml", ".crush.json", "crush.json",
)  # fmt: skip
"""Git's own hooks and configuration, environments that load on entering a directory, editors' tasks
and launch files, hook managers, and the configuration of agents that run on the host;
with each file that its program reads beside it."""
