"""Answers names in a pod: binds the port by itself, then is the resolver; nobody hears of packets.

    names.py CONFIGURATION STATE

Both are what the resolver takes. It runs without any capability: the pod's first free port is 53.
"""

import asyncio
import importlib
import os
import shutil
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(os.path.dirname(__file__))  # noqa: PTH120 -- which -I leaves out
    CONFIGURATION, STATE = map(Path, sys.argv[1:3])
    shutil.rmtree(STATE, ignore_errors=True)
    STATE.mkdir()
    doors = importlib.import_module("sockets").bound()
    asyncio.run(importlib.import_module("resolver").run(CONFIGURATION, STATE, *doors))
