"""A plan as lines for people."""

from jailoc.generators.views.plan import lines
from jailoc.model.plan import Drift, Plan
from jailoc.model.plan_address import FieldAddress


def test_drift_of_memory_is_told_as_the_configuration_writes_it() -> None:
    drift = Drift(
        address=FieldAddress("opencode", "memory"), before=str(4 << 30), after=str(1 << 30)
    )
    plan = Plan(
        workspace="api", changes=(), drift=(drift,), powers=(), notes=(), agent_restarts=False,
        engine=True, steps=(), bundle=None, world={},
    )  # fmt: skip
    assert "    service.opencode.memory: 4g -> 1g" in [line for line, _ in lines(plan)]
