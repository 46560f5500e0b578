"""`make oracle`: plays facts on real systemd in a throwaway root, and keeps what came of it in records/.

    python record.py ROOT [FACT...]    no names: all facts

Only root can do this (boot.sh). The records are named by systemd's version, as 252.json.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from facts import facts, keep
from oracle.systemd import HERE, booted
from playing import play


def main(root: Path, names: list[str]) -> None:
    if not (root / "lib/systemd/systemd").exists():
        sys.exit(f"{root} is no root with systemd in it: root.sh makes one.")
    wanted = [fact for fact in facts() if not names or fact.name in names]
    with tempfile.TemporaryDirectory() as scratch:
        act = Path(scratch, "act")
        # Static: the root's C library may be another one.
        subprocess.run(["cc", "-std=gnu11", "-static", "-o", act, HERE / "act.c"], check=True)
        with booted(root, Path(scratch, "lab"), act) as systemd:
            full = systemd.version
            version = full.split()[1]
            for number, fact in enumerate(wanted, 1):
                print(f"{version}: {number} of {len(wanted)}: {fact.name}", file=sys.stderr)
                # Kept at once: nothing is lost if a later one fails.
                keep(version, full, {fact.name: play(fact, systemd)})


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
