"""Whether the kernel takes packets whose sender it would answer elsewhere (rp_filter, RFC 3704).

A bridge without an address still hears what its containers send. With the check it drops that; with
none, what is sent to everybody on the link, or to any address of the machine, arrives.
"""

from pathlib import Path

SETTINGS = Path("/proc/sys/net/ipv4/conf")


def checked(settings: Path = SETTINGS) -> bool | None:
    """Tell whether new links have the check; None where the kernel does not say.

    The greater of what holds for all and for one link counts
    (https://docs.kernel.org/networking/ip-sysctl.html).

    Args:
        settings: Where the kernel shows its settings.
    """
    try:
        return any(
            int((settings / each / "rp_filter").read_text()) > 0 for each in ("all", "default")
        )
    except (OSError, ValueError):
        return None
