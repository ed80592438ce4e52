"""The common ancestor of every model: frozen, strict, and closed to unknown fields."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A value. Equal fields make equal values, and no field can be changed or invented."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
