"""What an agent may steer is found alike by a look and by going through everything."""

from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.config.steering import Area, Areas, Input
from jailoc.model.forbidden_paths import folded
from jailoc.model.host import Host
from jailoc.model.path import within

paths = st.lists(st.sampled_from(["a", "B", "b.", "cc"]), max_size=3).map(
    lambda parts: "/" + "/".join(parts)
)
hosts = st.builds(
    lambda links, hops: Host(home="/h", links=links, hops=hops),
    st.dictionaries(paths, paths, max_size=4),
    st.dictionaries(paths, st.lists(paths, max_size=3).map(tuple), max_size=4),
)
areas = st.lists(
    st.builds(lambda path, name: Area(path=path, workspace=name, where=None), paths,
              st.sampled_from("xyz")),
    max_size=6,
)  # fmt: skip


def every(each: Input, areas: list[Area], host: Host) -> list[tuple[Area, str]]:
    for area in areas:
        for theirs in map(folded, (area.path, host.real(area.path))):
            for place in host.places(each.path):
                mine = folded(place)
                inside = within(mine, theirs) and not (each.mounted and mine == theirs)
                if inside or (each.whole and within(theirs, mine)):
                    return [(area, place)]
    return []


@given(paths, areas, hosts, st.booleans(), st.booleans())
def test_the_first_area_that_counts_is_the_one_that_is_found(
    path: str, areas: list[Area], host: Host, whole: bool, mounted: bool
) -> None:
    each = Input(path=path, what="", where=None, whole=whole, mounted=mounted)
    assert list(Areas(areas, host).first(each)) == every(each, areas, host)
