"""What an apply would do to a cluster, in the words of the other plan: actions, fields, effects."""

from typing import Literal

from jailoc.model.base import Model
from jailoc.model.plan import Action, FieldChange


class ObjectChange(Model):
    """What happens to one object."""

    address: str
    """`KIND/NAME`, as kubectl takes it."""
    action: Action
    fields: tuple[FieldChange, ...] = ()


class ClusterPlan(Model):
    """Everything about one workspace that an apply would do on a cluster."""

    workspace: str
    namespace: str
    context: str
    changes: tuple[ObjectChange, ...]
    leftovers: tuple[str, ...] = ()
    """Objects that carry the workspace's labels and are not its any more; removed if agreed to."""
    kept: tuple[str, ...] = ()
    """Claims among them: never removed by an apply."""
    effects: tuple[str, ...] = ()
    """What people should know: `~` changes what runs, `!` is a limit."""

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to do."""
        return not self.changes and not self.leftovers


class ClusterPlans(Model):
    """What `plan --target kubernetes --json` prints."""

    format: Literal[1] = 1
    target: Literal["kubernetes"] = "kubernetes"
    plans: tuple[ClusterPlan, ...]
