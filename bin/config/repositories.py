"""Look through what an agent can write for what the host executes: repositories, editors' files.

No symbolic link is followed, no program is run, and every look is bounded: an agent may have made
all of it.
"""

import os
from collections.abc import Iterable, Mapping

from jailoc.bin.config import (
    git_links,
    git_user,
    submodules,
)
from jailoc.bin.config.git_repository import Looker
from jailoc.bin.config.git_settings import ALL
from jailoc.bin.config.git_state import Reader
from jailoc.bin.config.walk import Walk
from jailoc.bin.host import unseen
from jailoc.generators.config.mentioned import Search
from jailoc.model.host import Gathered, GitFacts
from jailoc.model.path import within


def gather(
    searches: Iterable[Search], home: str, config_home: str, paths: Iterable[str] = ()
) -> Gathered:
    """Look through all writable paths, and at what the user's own configuration names.

    Args:
        searches: What is looked through.
        home: The user's home directory.
        config_home: The one of configuration.
        paths: The workspace paths, which may be working trees also where nothing is looked for.
    """
    asked, tops = tuple(searches), tuple(paths)
    if not asked and not tops:
        return Gathered({}, (), GitFacts())
    with unseen.collected() as blind:
        return _gathered(asked, tops, home, config_home, blind)


def _gathered(
    asked: tuple[Search, ...],
    tops: tuple[str, ...],
    home: str,
    config_home: str,
    blind: Mapping[str, str],
) -> Gathered:
    looker = Looker(home, config_home)
    walks = {each.root: Walk(looker, each) for each in asked if not within(home, each.root)}
    for each in walks.values():
        each.walk()
    roots = {root: os.path.realpath(root) for root in walks}
    for root, each in walks.items():
        each.around({git_links.top_of(place, "") for place in (root, roots[root])} - {None})
    mine = looker.named() if asked else ()
    for each in walks.values():
        each.follow(walks, roots)
        for one in (*mine, *each.named):
            each.share_named(one)
    files = [file for each in walks.values() for file in each.files]
    links = git_links.gather((*files, *(f"{each}/.git" for each in tops)))
    for link in links:
        seen = any(within(link.directory, root) for root in walks)
        if link.worktree and not link.trouble and asked and not seen:
            walks[link.directory] = Walk(looker, Search(root=link.directory, names=(), git=True))
            walks[link.directory].worktree(link)
    reader = Reader(looker, [*roots.values()], links)
    named_by = {each.directory: each for each in links if each.worktree}
    for each in walks.values():
        looker.settings.renew()
        for found in each.repositories:
            by = named_by.get(found.directory) if found.linked else None
            told = reader.repository(found, by)
            # What is said of such a file says more than that it is a pipe.
            places = {one.path for one in told}
            each.believed = [one for one in each.believed if one.path not in places]
            each.believed += told
        each.limit = ALL if looker.settings.spent else each.limit
        each.judge(walks)
    git = git_user.gather(looker.settings, config_home, looker.own.values())
    enclosing = {each: top for each in tops if (top := git_links.top_of(each, home))}
    empty = dict(submodules.beside(reader.indexes, roots, links, reader.empty))
    for missing in reader.empty.values():
        empty |= missing
    for root, each in walks.items():
        each.unseen(blind)
        each.empty = {at: why for at, why in empty.items() if within(at, root)}
    unseen.released(blind, walks)
    return Gathered(
        {root: each.tree() for root, each in walks.items()},
        mine,
        git.model_copy(update={"links": links, "enclosing": enclosing}),
    )
