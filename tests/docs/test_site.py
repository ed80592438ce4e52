"""Every page is in the navigation of the site, which builds strictly if its generator is there."""

import re
import shutil
import subprocess

import pytest

from jailoc import __version__
from jailoc.bin import documentation
from jailoc.bin.cli import command_line
from tests.engine import world
from tests.engine.world import ROOT

DOCS = ROOT / "docs"


def test_every_page_is_in_the_list_of_all_and_so_in_the_navigation() -> None:
    listed = {
        path
        for section in documentation.navigation()
        for pages in section.values()
        for page in pages
        for path in page.values()
    }
    there = {str(each.relative_to(DOCS)) for each in DOCS.rglob("*.md")}
    made = {"reference/help.md", "reference/schemas.md"}
    assert there - {"index.md", "README.md"} == listed - made
    assert made <= listed


def test_links_between_pages_lead_somewhere() -> None:
    wrong = []
    for page in [ROOT / "README.md", ROOT / "SECURITY.md", *DOCS.rglob("*.md")]:
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for link in re.findall(r"\]\(([^)#\s]+)", text):
            if "://" not in link and not (page.parent / link).exists():
                wrong.append(f"{page.relative_to(ROOT)}: {link}")
    assert wrong == []


def test_the_help_of_every_command_is_a_page() -> None:
    text = documentation.help_page()
    for name in command_line.commands(()):
        assert f"\n## jailoc {name}\n" in text


def test_the_picture_shows_what_a_change_opens_and_asks_nobody_for_anything() -> None:
    text = documentation.PICTURE.read_text(encoding="utf-8").replace("&#160;", " ")
    assert "may reach 10.1.0.0/16" in text
    assert "[config.toml:3:21]" in text
    assert set(re.findall(r"url\((?!#)|@import|<script|xlink:href", text)) == set()


def test_the_picture_is_what_a_plan_says_today() -> None:
    with world.home("picture") as user:
        drawn = documentation.picture(user.home)
    kept = documentation.PICTURE.read_text(encoding="utf-8")
    # How many files a workspace has is not worth a new picture.
    one, other = (re.sub(r"\d+", "N", re.sub(r"<[^>]*>", "", each)) for each in (kept, drawn))
    assert one == other, "draw it anew: bin/site picture"


@pytest.mark.skipif(shutil.which("zensical") is None, reason="no zensical")
def test_the_site_builds_without_a_warning_and_without_a_dead_link() -> None:
    done = subprocess.run(
        [ROOT / "bin/site"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    out = documentation.BUILD / "out" / __version__
    assert "# jailoc" in (out / "llms.txt").read_text(encoding="utf-8")
    assert (out / "search.json").exists()
