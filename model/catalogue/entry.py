"""What there is to say about one code, whatever the case at hand."""

from typing import NamedTuple


class Entry(NamedTuple):
    """Why a message comes, and what ends it, each as whole sentences."""

    cause: str
    remedy: str
