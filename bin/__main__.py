"""Run the command line: `python -m jailoc.bin`."""

import sys


def main() -> None:
    """Run `jailoc` with the arguments of this process and exit with its status."""
    from jailoc.bin.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
