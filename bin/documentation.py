"""Build the site: `docs`, what the program says of itself, and a picture of a real plan.

Standard library and jailoc's own dependencies; the generator is called as a program. `bin/site`
prepares both.
"""

import io
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from jailoc import __version__
from jailoc.bin.cli import command_line
from jailoc.bin.cli import help as manual
from jailoc.schemas import NAMES
from jailoc.schemas import text as schema_text

ROOT = Path(__file__).resolve().parent.parent
DOCS, BUILD = ROOT / "docs", ROOT / "build/site"
PICTURE = DOCS / "assets/plan.svg"
FORGE = "https://github.com/jailoc/jailoc/blob/main/"
PLAN = """\
[workspaces.api]
paths = ["~/src/api"]
allowed_networks = ["10.1.0.0/16"]
allowed_hosts = ["db.example.com:5432"]
mounts = ["~/src/web:/home/agent/web:rw"]
"""
"""What the picture is a plan of."""
WIDTH = 118


def picture(home: Path) -> str:
    """Run a plan in a terminal of its own and return it as an SVG."""
    from rich.console import Console
    from rich.text import Text

    for each in ("src/api", "src/web"):
        (home / each).mkdir(parents=True, exist_ok=True)
        (home / each).chmod(0o777)
    (home / "config.toml").write_text(PLAN, encoding="utf-8")
    command = [sys.executable, "-m", "jailoc.bin", "--config", "config.toml", "plan", "api"]
    environment = {
        "HOME": str(home), "PATH": os.environ["PATH"], "TERM": "xterm-256color", "CI": "1",
        "PYTHONPATH": str(ROOT / ".pkg"), "DOCKER_HOST": "unix:///nowhere", "COLUMNS": str(WIDTH),
    }  # fmt: skip
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=theirs,
        stderr=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        os.close(theirs)
        said = b"".join(_read(ours))
    if running.returncode:
        raise SystemExit(f"site: `jailoc plan api` ended with {running.returncode}")
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text.from_ansi("$ jailoc plan api"), highlight=False)
    # Without an engine it says so at the end: that is about the machine which draws.
    for line in said.decode().replace("\r", "").replace(f"{home}/", "").splitlines():
        if "no engine answers" not in line:
            console.print(Text.from_ansi(line), highlight=False)
    console.print()  # or the last line is cut at its foot
    drawn = console.export_svg(title="jailoc plan", unique_id="plan")
    # The picture asks nobody for a font.
    return re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL)


def _read(end: int) -> Iterator[bytes]:
    while True:
        try:
            data = os.read(end, 65536)
        except OSError:  # Linux tells the end of a terminal in this way
            return
        if not data:
            return
        yield data


def navigation() -> list[dict[str, list[dict[str, str]]]]:
    """Return the order of the pages: that of `docs/README.md`."""
    found: list[dict[str, list[dict[str, str]]]] = []
    text = (DOCS / "README.md").read_text(encoding="utf-8")
    for part in re.split(r"^- \*\*", text, flags=re.MULTILINE)[1:]:
        title, _, rest = part.partition("**")
        pages = [
            {re.sub(r"\s+", " ", name)[:1].upper() + re.sub(r"\s+", " ", name)[1:]: path}
            for name, path in re.findall(r"\[([^]]+)\]\(([^)#]+\.md)\)", rest)
        ]
        found.append({title: pages})
    found[2]["Reference"] += [{"Help of every command": "reference/help.md"},
                              {"Schemas": "reference/schemas.md"}]  # fmt: skip
    return found


def help_page() -> str:
    """Return the help of every command, as it prints it."""
    os.environ["COLUMNS"] = "100"
    parts = ["# Help of every command\n\nWhat `jailoc COMMAND --help` prints. Generated.\n"]
    for path in _paths(()):
        parts.append(f"\n## {' '.join(('jailoc', *path))}\n\n```text\n{manual.page(path)}```\n")
    return "".join(parts)


def _paths(path: command_line.Path) -> Iterator[command_line.Path]:
    yield path
    for name in command_line.commands(path):
        yield from _paths((*path, name))


def schemas_page() -> str:
    """Return the list of the schemas, each of which lies beside it."""
    titles = {name: json.loads(schema_text(name))["title"] for name in NAMES}
    rows = "".join(
        f"| [`{name}`](../schemas/{name}.schema.json) | {title} |\n"
        for name, title in titles.items()
    )
    return (
        "# Schemas\n\nJSON Schemas of what people write and of what jailoc prints. "
        "`jailoc schema NAME` prints them, too. Generated.\n\n"
        f"| Schema | Of |\n|---|---|\n{rows}"
    )


def llms(order: list[dict[str, list[dict[str, str]]]]) -> str:
    """Return the list of pages for language models (llmstxt.org)."""
    lines = ["# jailoc", "", "> Sandboxes of headless agents, compiled from one file."]
    for section in order:
        for title, pages in section.items():
            lines += ["", f"## {title}", ""]
            lines += [f"- [{name}]({path})" for page in pages for name, path in page.items()]
    return "\n".join(lines) + "\n"


def stage() -> Path:
    """Lay everything out that the site is built from; return its configuration."""
    source = BUILD / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(DOCS, source)
    (source / "README.md").rename(source / "pages.md")
    (source / "reference/help.md").write_text(help_page(), encoding="utf-8")
    (source / "reference/schemas.md").write_text(schemas_page(), encoding="utf-8")
    (source / "schemas").mkdir()
    for name in NAMES:
        place = source / f"schemas/{name}.schema.json"
        place.write_text(schema_text(name), encoding="utf-8")
    for page in source.rglob("*.md"):
        text = page.read_text(encoding="utf-8").replace("](../../", f"]({FORGE}")
        text = re.sub(r"\]\(((?:\.\./)?)README\.md\)", r"](\1pages.md)", text)
        page.write_text(text, encoding="utf-8")
    order = navigation()
    (source / "llms.txt").write_text(llms(order), encoding="utf-8")
    shown = [{"Home": "index.md"}, *order, {"All pages": "pages.md"}]
    config = BUILD / "zensical.toml"
    head = f'[project]\ndocs_dir = "source"\nsite_dir = "out/{__version__}"\nnav = {_toml(shown)}\n'
    text = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    config.write_text(text.replace("[project]\n", head, 1), encoding="utf-8")
    tomllib.loads(config.read_text(encoding="utf-8"))
    return config


def _toml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items())
        return f"{{ {', '.join(pairs)} }}"
    return json.dumps(value)


def versions(out: Path) -> None:
    """Write which versions there are, and lead whoever names none to the newest."""
    every = sorted((each.name for each in out.iterdir() if each.is_dir()), key=_number)
    rows = [{"version": each, "title": each, "aliases": []} for each in reversed(every)]
    (out / "versions.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    newest = every[-1]
    (out / "index.html").write_text(
        "<!doctype html><html lang=en><meta charset=utf-8><title>jailoc</title>"
        f'<meta http-equiv=refresh content="0; url={newest}/">'
        f'<a href="{newest}/">jailoc {newest}</a>\n',
        encoding="utf-8",
    )


def _number(name: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", name)))


class _Page(HTMLParser):
    """What a page links to, and what can be linked to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note both."""
        for name, value in attrs:
            if name in {"href", "src"} and value:
                self.links.append(value)
            if name in {"id", "name"} and value:
                self.anchors.add(value)


def dead(out: Path) -> list[str]:
    """Return the links within a built site that lead nowhere, and pages without a way back."""
    pages = {each: _Page(each.read_text(encoding="utf-8")) for each in out.rglob("*.html")}
    wrong = []
    for place, page in pages.items():
        back = False
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or place.name == "404.html":
                continue
            target = place if not parts.path else (place.parent / unquote(parts.path)).resolve()
            target = target / "index.html" if target.is_dir() else target
            back = back or target == out / "index.html"
            if not target.exists() or (
                parts.fragment
                and target in pages
                and unquote(parts.fragment) not in pages[target].anchors
            ):
                wrong.append(f"{place.relative_to(out)}: {link}")
        if not back and place.name != "404.html":
            wrong.append(f"{place.relative_to(out)}: no way back to the first page")
    return wrong


def main() -> int:
    """Draw the picture with `picture`, else build the site; return the exit status."""
    if sys.argv[1:] == ["picture"]:
        home = BUILD / "home"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(picture(home), encoding="utf-8")
        return 0
    config = stage()
    done = subprocess.run(
        ["zensical", "build", "--strict", "--clean", "--config-file", config], check=False
    )
    if done.returncode:
        return 1
    versions(BUILD / "out")
    wrong = dead(BUILD / "out" / __version__)
    sys.stderr.write("".join(f"dead link: {each}\n" for each in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
