"""Whole compilations for a cluster, to the byte: `golden/kubernetes-CASE/`.

`images.lock` stands beside `config.toml`, as it does for users; with `--update-golden` it has every
image that is built.
"""

import pytest
import yaml

from jailoc.generators.config.load import load
from jailoc.generators.config.resolve import names
from jailoc.generators.kubernetes import manifests
from jailoc.generators.kubernetes.compile import builds, compile_cluster, rendered
from jailoc.model.kubernetes.image_lock import ImageLock
from jailoc.model.kubernetes.words import LOCK_FILE
from tests.golden.test_golden import CLUSTERS, GOLDEN, compare, document_of, host_of, read

PARTS = {"config.toml", "host.toml", LOCK_FILE, "expected"}
SCRIPTS = (
    "resolver.py", "wall.sh", "names.py", "sockets.py", "agent.sh", "clone.sh", "gate.sh",
    "dind.sh", "dind_pod.sh",
)  # fmt: skip
"""Files that are the same everywhere; their digests are in the names of the ConfigMaps."""


def locked(name: str) -> ImageLock:
    case = GOLDEN / name
    host, config = host_of(case), load(document_of(case), host_of(case))
    tags = {each.tag for one in names(config) for each in builds(config, one, host)}
    return ImageLock(images={tag: f"sha256:{tag[-16:] * 4}" for tag in tags})


def shortened(text: str) -> str:
    """Return a manifest without the scripts, which stand in the assets as they are."""
    kept, skipping = [], False
    for line in text.splitlines(keepends=True):
        if line.startswith('  "'):
            skipping = line.strip(' "').partition('"')[0] in SCRIPTS
            if skipping:
                kept.append(f"{line.partition(':')[0]}: as it is\n")
        elif not line.startswith("    ") and line.strip():
            skipping = False
        if not skipping:
            kept.append(line)
    return "".join(kept)


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_cluster_compiles_to_the_expected_files(name: str, update_golden: bool) -> None:
    case = GOLDEN / name
    document, host = document_of(case), host_of(case)
    config = load(document, host)
    wanted = {LOCK_FILE: locked(name).text}
    if update_golden:
        (case / LOCK_FILE).write_text(wanted[LOCK_FILE])
    lock = ImageLock.read(read(case / LOCK_FILE))
    bundles = [compile_cluster(document, config, each, host, lock) for each in names(config)]
    for bundle in bundles:
        wanted |= {
            f"expected/workspaces/{bundle.workspace}/{each.path}": shortened(each.text)
            for each in manifests.files(bundle)
        }
    assert config.kubernetes is not None
    wanted |= {f"expected/{each.path}": each.text for each in rendered(config.kubernetes, bundles)}
    kept = {
        str(path.relative_to(case)): read(path)
        for path in ((case / LOCK_FILE), *(case / "expected").rglob("*"))
        if path.is_file()
    }
    compare(case, kept, wanted, update_golden)


@pytest.mark.parametrize("name", CLUSTERS)
def test_another_machine_compiles_the_same_bytes(name: str) -> None:
    case = GOLDEN / name
    document, first = document_of(case), host_of(case)
    other = first.model_copy(
        update={"uid": 1234, "networks": ("10.1.2.3/32",), "bases": {"debian:13": "sha256:1"},
                "cache_home": "/elsewhere", "ipv6": not first.ipv6}
    )  # fmt: skip
    lock = ImageLock.read(read(case / LOCK_FILE))
    for each in names(load(document, first)):
        one, two = (
            compile_cluster(document, load(document, host), each, host, lock)
            for host in (first, other)
        )
        assert one == two


def test_cluster_cases_hold_nothing_but_their_parts() -> None:
    for case in (GOLDEN / name for name in CLUSTERS):
        assert {each.name for each in case.iterdir()} == PARTS


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_manifest_is_yaml(name: str) -> None:
    for path in (GOLDEN / name / "expected").rglob("*.yaml"):
        assert list(yaml.safe_load_all(read(path)))
