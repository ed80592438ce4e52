"""What is not as the last apply left it."""

from collections.abc import Iterator

from jailoc.generators.artefacts.container_fields import expected
from jailoc.generators.plan.inputs import Given
from jailoc.generators.plan.services import from_image
from jailoc.model.bundle import RELOADABLE, Bundle
from jailoc.model.compose import Service
from jailoc.model.deployed import Applied, Deployed, DeployedFile, Found, Rules, file_states
from jailoc.model.plan import Drift
from jailoc.model.plan_address import (
    DriftAddress,
    FieldAddress,
    FileAddress,
    ImageAddress,
    RulesAddress,
    matches,
)
from jailoc.model.sandbox import SERVICE_LABEL

Pair = tuple[DriftAddress, str | None, str | None]
"""Address, as it was left, as it was found."""


def drift(bundle: Bundle, deployed: Deployed, given: Given) -> tuple[Drift, ...]:
    """Compare what is there with what the last apply left."""
    applied = deployed.applied
    if applied is None:
        return ()
    found = [*_files(bundle, deployed, applied)]
    if deployed.engine:
        found += _rules(deployed, applied)
        for name, service in applied.compose.services.items():
            there = deployed.containers.get(name)
            # One that is gone, or was made by another apply, is told of by the changes.
            if there is not None and there.service == service.labels.get(SERVICE_LABEL):
                found += _container(name, service, there, applied, given)
                found += _image(name, service, there, deployed, applied)
    return tuple(
        Drift(
            address=address,
            before=before,
            after=after,
            ignored=matches(address, given.ignore),
        )
        for address, before, after in found
    )


def _files(bundle: Bundle, deployed: Deployed, applied: Applied) -> Iterator[Pair]:
    wanted = file_states(bundle)
    for path in sorted({*applied.files, *deployed.files}):
        left, now = applied.files.get(path), deployed.files.get(path)
        # An apply that was interrupted has written what is wanted now: that is no drift.
        if now not in (left, wanted.get(path)):
            yield FileAddress(path=path), _short(left), _short(now)


def _rules(deployed: Deployed, applied: Applied) -> Iterator[Pair]:
    untouched = all(deployed.files.get(path) == applied.files.get(path) for path in RELOADABLE)
    if untouched and deployed.rules is Rules.DIFFERENT:
        yield RulesAddress(), "as generated", "; ".join(deployed.rules_told) or "different"


def _container(
    name: str, service: Service, there: Found, applied: Applied, given: Given
) -> Iterator[Pair]:
    """Yield every facet that is neither as it should be nor as the engine spelt it at first."""
    left = expected(service, applied.compose.name)
    seen = applied.observed.get(name, {})
    for facet in sorted({*left, *there.facets}):
        want = left[facet].value if facet in left else None
        have = there.facets.get(facet)
        # What an engine did not tell of at first, it does not tell of.
        if have == want or (seen and have == seen.get(facet)):
            continue
        if want is None and have is not None and from_image(there, facet, have):
            continue
        yield (
            FieldAddress(service=name, field=facet),
            None if want is None else given.shown(facet, want),
            None if have is None else given.shown(facet, have),
        )


def _image(
    name: str, service: Service, there: Found, deployed: Deployed, applied: Applied
) -> Iterator[Pair]:
    reference = service.image.text
    known = applied.images.get(reference)
    if known is None:
        return
    if there.image != known:
        yield FieldAddress(service=name, field="image id"), known[:19], there.image[:19]
    now = deployed.images.get(reference, known)
    if now != known:
        yield ImageAddress(name=reference), known[:19], now[:19]


def _short(state: DeployedFile | None) -> str | None:
    return None if state is None else f"{state.mode:04o} {state.digest[:12]}"
