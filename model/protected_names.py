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

_MISERC = (".miserc.toml", "miserc.toml", ".config/miserc.toml")
"""What says which of them are read."""

_VERSIONS = (
    *(f".hg/{each}" for each in ("hgrc", "hgrc-not-shared", "requires", "sharedpath")),
    *(f".sl/{each}" for each in ("config", "requires", "sharedpath")), ".git/sl/config",
    ".git/crypt",
    ".jj/repo/config.toml", ".jj/workspace-config.toml", ".jj/repo/store/git_target",
    ".bzr/branch/branch.conf",
    "_darcs/prefs", ".pijul/config", ".p4config", ".git/lazygit.yml", ".lazygit.yml",
)  # fmt: skip
"""What Mercurial, Sapling, Jujutsu, Breezy, Darcs, Pijul, Perforce and lazygit take hooks,
extensions and programs from, or where they are told to look for that: they trust what is the
user's own file."""

_BAZEL = tuple(
    f"tools/bazel.{each}" for chip in ("x86_64", "arm64")
    for each in (chip, f"linux-{chip}", f"darwin-{chip}")
)  # fmt: skip
"""Which one Bazelisk takes first depends on the machine."""

_RUNNERS = (
    ".asdfrc", ".volta", ".ruby-version", ".node-version", ".nvmrc", "_opam/.opam-switch",
    ".rbenv-version", ".nodenv-version", ".perl-version", ".plenv-version", ".java-version",
    ".jenv-version", ".java-options", ".php-version", ".phpenv-version", ".swift-version",
    ".lua-version", ".crystal-version", ".go-version", ".scala-version", ".sbt-version",
    ".exenv-version",
    ".npmrc", ".yarnrc", ".yarnrc.yml", ".yarn/releases", ".yarn/plugins", ".corepack.env",
    ".pnpmfile.cjs", ".pnpmfile.mjs", "pnpm-workspace.yaml",
    ".cargo/config", ".cargo/config.toml", ".mvn", ".sbtopts", ".jvmopts",
    ".bazelrc", ".bazeliskrc", ".bazelversion", "tools/bazel", *_BAZEL, ".valgrindrc",
    ".git/glab-cli", ".terraform-version", ".opentofu-version", ".terragrunt-version",
    ".mill-jvm-opts", ".mill-opts", ".mill-version", ".config/mill-version",
    ".jruby.java_opts", ".reviewboardrc", ".arcconfig", ".plzconfig", ".plzconfig.local",
    ".bundle/config", ".bundle/plugin", ".luarocks", ".poetry", ".conanrc",
)  # fmt: skip
"""What managers of versions and packages, and what starts builds, run or obey whatever they are
asked, `--version` too, and what of a project says where the user's own token is sent."""

DEFAULT = (
    ".git/hooks", ".git/config", ".git/config.worktree",
    ".envrc", ".direnv", *_MISE, ".mise", "mise/config.toml", "mise/config.local.toml",
    ".config/mise", *_MISERC, ".tool-versions", ".shadowenv.d", ".autoenv", ".autoenv.zsh",
    ".autoenv.leave", ".autoenv_leave.zsh", ".rvmrc", ".ruby-env", ".rbenv-vars",
    ".versions.conf", ".phpbrewrc", ".sdkmanrc",
    ".prototools", "rust-toolchain", "rust-toolchain.toml",
    ".vscode", ".idea", ".zed", ".fleet", ".vs", ".helix",
    ".exrc", "_exrc", ".vim", ".vimrc", "_vimrc", ".gvimrc", "_gvimrc", ".lvimrc", ".nvimrc",
    ".nvim.lua", ".dir-locals.el", ".dir-locals-2.el", ".devcontainer", ".devcontainer.json",
    ".husky", ".huskyrc", ".huskyrc.json", ".huskyrc.js",
    ".pre-commit-config.yaml", ".pre-commit-config.yml", ".pre-commit-hooks.yaml", "prek.toml",
    ".gitlint",
    *_LEFTHOOK, ".lefthook", ".lefthook-local", ".overcommit.yml", ".local-overcommit.yml",
    ".simple-git-hooks.json", "simple-git-hooks.json", "hk.pkl", "hk.local.pkl", ".config/hk.pkl",
    *PROTECTED, ".mcp.json", ".claude", ".cursor", ".codex", ".gemini", ".qwen", ".windsurf",
    ".amazonq", ".kiro", ".aider.conf.yml", ".crush.json", "crush.json", ".roo", ".kilocode",
    ".continue", ".junie", ".trae", ".factory", ".github/hooks", ".github/copilot",
    ".clinerules/hooks", ".cline", ".pi", ".vibe", ".iflow", ".augment", ".amp", ".grok",
    ".openhands", ".Rprofile", ".Renviron", ".RData", ".ghci", ".iex.exs", ".irbrc", "irbrc",
    "_irbrc", "$irbrc", ".pryrc",
    ".ocamlinit", ".octaverc", "latexmkrc", ".latexmkrc", ".lite_project.lua", ".gclient",
    ".gclient_entries",
    ".west/config", ".pdbrc", ".perldb", "bunfig.toml", "global.json", ".byebugrc",
    ".rdbgrc", ".jdbrc", "jdb.ini", ".phpdbginit", "captainhook.json", "captainhook.config.json",
    ".repo/repo", ".lfsconfig", *_VERSIONS,
    *_RUNNERS,
)  # fmt: skip
"""Git's own hooks and configuration, environments that load on entering a directory, editors' tasks
and launch files, hook managers, what interpreters begin with, and the configuration of agents that
run on the host, and of other programs for versions; with each file that its program reads beside
it."""
