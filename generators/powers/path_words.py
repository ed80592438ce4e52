"""What lies at paths of the host, in words of the world, and how grave it is to have them."""

import posixpath
import re

from jailoc.model.agents.known import AGENTS
from jailoc.model.path import within
from jailoc.model.power import Rank
from jailoc.model.protected_names import DEFAULT

_BUILDS = (
    ".git", ".github", ".gitlab-ci.yml", ".circleci", "Jenkinsfile", "Makefile", "package.json",
    "Dockerfile", "docker-compose.yml", "compose.yaml", "justfile", "Taskfile.yml",
)  # fmt: skip
"""What people and build servers execute in a project."""
START_FILES = (
    ".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".bash_aliases", ".profile",
    ".zshrc", ".zshenv", ".zprofile", ".zlogin", ".kshrc", ".cshrc", ".tcshrc", ".config/fish",
    ".config/autostart", ".config/systemd", ".config/environment.d", ".config/plasma-workspace",
    ".xprofile", ".xinitrc", ".xsession", ".pam_environment", "Library/LaunchAgents",
    ".local/share/systemd", ".local/share/applications", ".config/zsh", ".oh-my-zsh",
    ".config/nushell", ".config/powershell", ".inputrc", ".tmux.conf", ".screenrc",
    ".config/tmux", ".tmux", ".zsh", ".zim", ".zplug", ".zinit", ".fzf", ".xonshrc", ".bashrc.d",
    ".profile.d", ".config/bash", ".xsessionrc", ".gnomerc", ".Xresources", ".crontab",
    ".local/share/dbus-1", ".config/starship.toml", ".config/nixpkgs", ".config/home-manager",
    ".config/chezmoi", ".local/share/chezmoi", ".dotfiles", "dotfiles",
)  # fmt: skip
"""What a login, a shell or a desktop executes."""
EXECUTED = (
    ".local/bin", "bin", ".cargo/bin", "go/bin", ".nvm", ".pyenv", ".rbenv", ".asdf",
    ".local/share/mise", ".npm-global", ".local/lib", ".deno/bin", ".bun/bin", ".volta",
    ".sdkman", ".nix-profile", ".config/nix", ".local/share/pipx", ".local/share/uv",
    ".vscode", ".vscode-server", ".config/Code", ".config/nvim", ".vim", ".vimrc", ".emacs",
    ".emacs.d", ".config/emacs", ".ideavimrc", ".config/JetBrains", ".config/helix",
    ".gitconfig", ".config/git", ".git-templates", ".config/mise", ".config/direnv",
    ".claude", ".cursor", ".mcp.json", ".config/zed",
    *(each.path for agent in AGENTS for each in agent.mounts),
    ".makerc", ".gdbinit", ".pythonrc", ".irbrc", ".Rprofile", ".condarc", ".config/pip",
    ".cargo/config.toml", ".gradle/init.d", ".m2", ".config/kitty", ".config/alacritty",
    ".config/hypr", ".config/sway", ".config/i3", ".mozilla", ".config/google-chrome",
    ".config/awesome", ".config/qtile", ".config/openbox", ".xmonad", ".config/waybar",
    ".config/polybar", ".config/rofi", ".hammerspoon", ".config/karabiner", ".config/skhd",
    ".config/yabai", ".config/wezterm", ".wezterm.lua", ".config/ghostty", ".rustup", ".opam",
    ".ghcup", ".cabal", ".stack", ".elan", ".composer", ".config/composer", ".bundle", ".yarnrc",
    ".yarnrc.yml", ".pnpmrc", ".config/pnpm", ".config/npm", ".ipython", ".jupyter", ".julia",
    ".ansible", ".config/containers", ".local/share/containers", ".local/share/flatpak",
    ".local/share/gnome-shell", ".local/share/nautilus", ".local/share/nvim", ".config/Cursor",
    ".config/VSCodium", ".vscode-oss", ".windsurf", ".config/sublime-text", ".githooks",
    ".git-hooks", "git-hooks", ".hgrc", ".lldbinit", ".pdbrc", ".forward", ".procmailrc",
    ".mailcap", "Applications", "scripts", ".scripts", ".tool-versions", ".config/lazygit",
    ".thunderbird", ".cache/pre-commit", ".cache/prek", ".cache/node/corepack",
    ".cache/pypoetry/virtualenvs", ".local/share/virtualenvs", ".cache/uv", ".cache/bazelisk",
    ".cache/ms-playwright", ".cache/puppeteer", ".cache/Cypress",
    "Library/Caches/pypoetry/virtualenvs",
)  # fmt: skip
"""Programs on the user's PATH, and configuration that names programs."""
CREDENTIALS = (
    ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", "_netrc", ".npmrc", ".pypirc",
    ".git-credentials", ".config/git/credentials", ".config/gcloud", ".config/gh", ".config/glab",
    ".config/hub", ".config/op", ".config/rclone", ".config/doctl", ".config/hcloud",
    ".config/sops", ".config/helm", ".config/containers", ".cargo/credentials",
    ".cargo/credentials.toml", ".gem/credentials", ".vault-token", ".password-store",
    ".terraform.d", ".terraformrc", ".pgpass", ".my.cnf", ".mylogin.cnf", ".boto", ".s3cfg",
    ".m2/settings.xml", ".gradle/gradle.properties", ".mozilla", ".thunderbird",
    ".config/google-chrome", ".config/chromium", ".config/BraveSoftware", "Library/Keychains",
    "Library/Cookies", ".local/share/keyrings",
    *(agent.data for agent in AGENTS), ".local/share/kwalletd",
    ".config/sublime-merge", ".config/Slack", ".config/Signal", ".oci", ".fly", ".databrickscfg",
    ".snowsql", ".bash_history", ".zsh_history", ".claude.json", ".codex", ".gemini",
    ".config/github-copilot", ".age", ".config/age", ".yubico", ".pki", ".authinfo",
    ".authinfo.gpg", ".Xauthority", ".secrets", ".sops", ".step", ".acme.sh", ".wrangler",
    ".config/stripe", ".config/heroku", ".config/ngrok", ".ngrok2", ".cloudflared", ".minikube",
    ".config/Bitwarden", ".config/solana", ".bitcoin", ".ethereum", ".electrum", ".pulumi",
    ".config/pulumi", ".circleci", ".sentryclirc", ".netlify", ".vercel",
    ".local/share/com.vercel.cli", ".config/firebase", ".config/configstore", ".kaggle",
    ".huggingface", ".cache/huggingface/token", ".vagrant.d", ".local/share/mkcert",
    ".config/flyctl", ".config/linode-cli", ".config/scw", ".ovh.conf", ".config/argocd", ".jfrog",
    ".aws-sso", ".saml2aws", ".okta", ".tsh", ".teleport", ".wireguard", ".openvpn",
    ".subversion/auth", ".config/filezilla", ".mutt", ".purple", ".config/discord",
    ".local/share/TelegramDesktop", ".local/share/evolution", ".anthropic", ".openai", ".mc",
    ".psql_history", ".mysql_history", ".python_history", ".local/share/fish",
    ".local/share/atuin", ".netrc.gpg", ".nuget/NuGet", ".config/rancher",
)  # fmt: skip
"""What proves who the user is, or holds what does."""
_KEY_NAMES = (".pem", ".key", ".p12", ".pfx", ".kdbx", ".jks", ".keystore", ".ppk", ".asc", ".gpg")
_KEY_LIKE = re.compile(
    r"\.env(\..+)?|id_\w+|(.+[-_.])?keys?(\.\w+)?|.*(secret|credential|passw|token|cookie|wallet).*\.\w+"
    r"|\.?htpasswd|.*\.tf(state|vars)(\..+)?|.*\.ovpn|\.?(vpn|certs|wireguard)"
)
_KEY_WORDS = (
    ".ssh", ".aws", ".gnupg", ".kube", ".azure", ".netrc", ".npmrc", "id_rsa", "id_ed25519",
    "id_ecdsa", "id_dsa", "kubeconfig", "credentials", "credentials.json", "service-account.json",
    ".env", "secrets", "keys", "private", "tokens", "passwords", "vault", "shadow",
)  # fmt: skip
_SETTINGS = (".", "Library/")
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/nix", "/Library", "/Applications",
           "/System", "/opt/homebrew", "/snap")  # fmt: skip
_HOMES = ("/home", "/Users", "/var/home", "/export/home")
"""Where home directories are, on the machines that there are."""
_ROOTS = ("/root", "/var/root", "/private/var/root")
_HOME = re.compile(
    rf"(?:~|(?:{'|'.join(_HOMES)})/[^/]+|{'|'.join(_ROOTS)})/", re.IGNORECASE
)  # fmt: skip
"""The home directory of the user, or of anybody; some file systems do not tell capitals."""
_DEEPER = re.compile(rf"(?:{'|'.join(_HOMES)})/[^/]+/[^/]+(/|$)", re.IGNORECASE)
"""The same where homes lie a level deeper (`/home/DOMAIN/NAME`), or what lies in one."""
_TOP = 1
"""Components of a path that is a whole directory of the machine."""
_PERSONAL = ("Documents", "Desktop", "Downloads", "Pictures", "Music", "Videos", "Dropbox",
             "OneDrive", "Nextcloud", "Google Drive", "iCloud", "Library", "Private", ".config",
             ".local", ".local/share", ".cache")  # fmt: skip


def path_words(path: str, *, writes: bool, file: bool = False) -> tuple[Rank, str]:
    """Say what lies at a path, and how grave it is to read or to change that.

    Args:
        path: As people write it: with `~` for the home directory.
        writes: Whether it can be changed.
        file: Whether it is known to be no directory.
    """
    if path in {"~", "/"} or _one_of(path, (*_HOMES, *_ROOTS)):
        return Rank.CRITICAL, "holds every file of the user, with keys and start files"
    home = _HOME.match(path)
    inside = path[home.end() :] if home else None
    known = _of_user(home[0], inside, writes) if home and inside is not None else None
    known = known or _deeper(path, writes)
    if known is None and writes:
        known = _executed(path)
    if known is None and _names_keys(path):
        known = "by its name it holds keys or credentials"
    if known is None:
        known = _of_others(path)
    if known is not None:
        return Rank.CRITICAL, known
    if inside is not None and inside.startswith(_SETTINGS) and not inside.startswith(".cache/"):
        verb = "which may execute what they name" if writes else "which may hold logins"
        return (Rank.HIGH if writes else Rank.MEDIUM), f"settings of the user's, {verb}"
    return (Rank.LOW, "") if file else _size(path, inside)


def _one_of(path: str, known: tuple[str, ...]) -> bool:
    return path.lower() in {each.lower() for each in known}


def _of_others(path: str) -> str | None:
    """Say what a path outside of the user's home is to others, if it is known."""
    if path.endswith("/.X11-unix"):
        return "the user's screen and keyboard"
    if _one_of(posixpath.dirname(path), _HOMES):
        return "the home directory of a user"
    if within(path, "/mnt/c") and path.count("/") <= len(("mnt", "c", "Users", "NAME")):
        return "the disk of Windows, with the homes and start files of its users"
    return "sockets of the machine's services" if within(path, "/run") else None


def _of_user(home: str, inside: str, writes: bool) -> str | None:
    """Say what a path of a home directory is to its user, if it is known.

    Args:
        home: The directory, with the slash behind it.
        inside: The path below it.
        writes: Whether it can be changed.
    """
    words = None
    if writes:
        words = _near(
            home, inside, START_FILES, "a login or shell of the user executes it"
        ) or _near(home, inside, EXECUTED, "the user's programs execute or obey it")
    return words or _near(home, inside, CREDENTIALS, "where credentials are kept")


def _deeper(path: str, writes: bool) -> str | None:
    """Say what a path is to a user whose home lies a level deeper than others, if it is known.

    Names without a dot are those of projects, too.
    """
    home = _DEEPER.match(path)
    inside = path[home.end() :] if home else ""
    return _of_user(home[0], inside, writes) if home and inside.startswith(_SETTINGS) else None


def _executed(path: str) -> str | None:
    """Say what executes a path, if it is known."""
    if any(within(path.lower(), each.lower()) for each in _SYSTEM):
        return "programs and libraries of the machine"
    tail = executed_tail(path)
    return None if tail is None else f"the host executes or obeys `{tail}`"


def _names_keys(path: str) -> bool:
    name = posixpath.basename(path).lower()
    known = name.endswith(_KEY_NAMES) or bool({*path.lower().split("/")} & {*_KEY_WORDS})
    return known or bool(_KEY_LIKE.fullmatch(name))


def _size(path: str, inside: str | None) -> tuple[Rank, str]:
    """Say how much a directory is, by where it stands."""
    parts = [each for each in (path if inside is None else inside).split("/") if each]
    if inside is None and len(parts) <= _TOP:
        return Rank.HIGH, "a whole top directory of the machine"
    if inside in _PERSONAL:
        return Rank.HIGH, "a whole directory of the user's own things"
    if (found := _DEEPER.match(path)) and found[0] == path:
        return Rank.MEDIUM, "directly in a user's home, or a user's whole home in that of a domain"
    if inside is not None and len(parts) == _TOP and not inside.startswith("."):
        return Rank.LOW, "directly in the user's home"
    return Rank.LOW, ""


def _near(home: str, inside: str, known: tuple[str, ...], words: str) -> str | None:
    """Say whether a path is one that is known, lies in one, or holds one.

    Letters are not told from capitals: some file systems do not either.
    """
    mine = f"/{inside}".lower()
    for each in known:
        if within(mine, f"/{each}".lower()):
            return words if inside == each else f"in {home}{each}: {words}"
    held = [each for each in known if within(f"/{each}".lower(), mine)]
    return f"holds {home}{held[0]}: {words}" if held else None


def executed_tail(path: str) -> str | None:
    """Return the end of a path that the host executes or obeys in a project, if it has one."""
    parts = path.lower().split("/")
    for entry in (*DEFAULT, *_BUILDS):
        mine = entry.lower().split("/")
        for start in range(1, len(parts)):
            if parts[start : start + len(mine)] == mine:
                return entry
    return None
