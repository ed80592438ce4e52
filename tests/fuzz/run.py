"""Feed a target inputs for a while: `python tests/fuzz/run.py TARGET SECONDS`, or `all SECONDS`.

With atheris (libFuzzer, guided by coverage) where it is installed, else with changed seeds. Prints
a line with the number of inputs; what fails is kept below `build/fuzz`, and the status is not 0.
"""

# ruff: noqa: T201, PLC0415, S311 -- a program that instruments before it imports; no secret is made

import importlib.util
import random
import re
import subprocess
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build/fuzz"


def guided(name: str, seconds: int) -> int:
    """Run libFuzzer in a process of its own; return its status."""
    place = KEPT / name
    place.mkdir(parents=True, exist_ok=True)
    code = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / '.pkg')!r}]\n"
        "import atheris\n"
        "with atheris.instrument_imports(include=['jailoc', 'tests.fuzz']):\n"
        f"    from tests.fuzz.targets import TARGETS\n    target = TARGETS[{name!r}]\n"
        "import pathlib\n"
        f"for number, seed in enumerate(target.seeds): "
        f"pathlib.Path({str(place)!r}, f'seed-{{number}}').write_bytes(seed)\n"
        "atheris.Setup(sys.argv, target.run)\natheris.Fuzz()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, f"-max_total_time={seconds}", "-print_final_stats=1",
         "-max_len=2048", "-timeout=20", "-rss_limit_mb=3000",
         f"-artifact_prefix={place}/found-", str(place)],
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    count = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
    if done.returncode:
        (place / "log.txt").write_text(done.stdout[-20000:] + done.stderr[-20000:])
    print(f"{name} {count[1] if count else '?'} inputs, status {done.returncode}", flush=True)
    return done.returncode


def blind(name: str, seconds: int) -> int:
    """Change seeds at random; return the status."""
    from tests.fuzz.targets import TARGETS

    target, chance, count = TARGETS[name], random.Random(0), 0
    end, pool = time.monotonic() + seconds, list(TARGETS[name].seeds)
    while time.monotonic() < end:
        data = bytearray(chance.choice(pool))
        for _ in range(chance.randint(1, 8)):
            at = chance.randint(0, len(data))
            match chance.randint(0, 3):
                case 0:
                    data[at : at + chance.randint(0, 4)] = b""
                case 1:
                    data[at:at] = chance.randbytes(chance.randint(1, 4))
                case 2:
                    data[at:at] = data[: chance.randint(0, len(data))][-32:]
                case _:
                    data[at : at + 1] = chance.choice(pool)[:1] or b"\0"
        count += 1
        try:
            target.run(bytes(data))
        except Exception:
            place = KEPT / name
            place.mkdir(parents=True, exist_ok=True)
            (place / f"found-{count}").write_bytes(data)
            traceback.print_exc()
            print(f"{name} {count} inputs, status 1", flush=True)
            return 1
    print(f"{name} {count} inputs, status 0", flush=True)
    return 0


def main(name: str, seconds: str) -> int:
    """Run one target, or all of them one after the other."""
    sys.path[:0] = [str(ROOT), str(ROOT / ".pkg")]
    from tests.fuzz.targets import TARGETS

    feed = guided if importlib.util.find_spec("atheris") else blind
    names = list(TARGETS) if name == "all" else [name]
    return max(feed(each, int(seconds)) for each in names)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
