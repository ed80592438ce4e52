"""Every code that a message can have, why it comes and what to do; `jailoc explain CODE`."""

from jailoc.model.catalogue.cluster import CLUSTER
from jailoc.model.catalogue.configuration import CONFIGURATION
from jailoc.model.catalogue.entry import Entry
from jailoc.model.catalogue.machine import MACHINE
from jailoc.model.catalogue.warnings import WARNINGS

SECTIONS: dict[str, dict[str, Entry]] = {
    "What the configuration says": CONFIGURATION,
    "What is valid, and may not be meant": WARNINGS,
    "The machine, the engine and what runs": MACHINE,
    "A Kubernetes cluster": CLUSTER,
}
"""The entries by what they are about, each section in alphabetical order."""

CATALOGUE: dict[str, Entry] = {
    code: entry for section in SECTIONS.values() for code, entry in section.items()
}
"""All of them by their codes. A code stays what it is for good: programs look for it."""
