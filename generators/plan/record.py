"""What is written down of an apply, once it is done."""

from jailoc.generators.plan.inputs import Given
from jailoc.model.bundle import Bundle
from jailoc.model.deployed import Applied, Deployed, file_states

MOST_FORMER = 100
"""Images of the past that are remembered; a record must not grow for ever."""


def applied(bundle: Bundle, given: Given, found: Deployed) -> Applied:
    """Return the record of a bundle that has been brought about.

    Args:
        bundle: What was wanted.
        given: What its plan was made with.
        found: What is there now.
    """
    return Applied(
        config=given.config,
        names=given.names,
        bundle=bundle.digest,
        files=file_states(bundle),
        compose=bundle.compose,
        firewall=bundle.firewall,
        builds=tuple(each.recipe for each in bundle.builds),
        former=_former(bundle, found.applied),
        images=found.images,
        secrets=given.secrets,
        credentials=given.credentials,
        executes=given.executes,
        committed=given.committed,
        stated=given.stated,
        observed={name: each.facets for name, each in found.containers.items()},
    )


def _former(bundle: Bundle, before: Applied | None) -> tuple[str, ...]:
    """Return what was built for it and is not needed any more, the latest last."""
    if before is None:
        return ()
    now = {each.tag for each in bundle.builds}
    every = dict.fromkeys((*before.former, *(each.tag for each in before.builds)))
    return tuple(each for each in every if each not in now)[-MOST_FORMER:]
