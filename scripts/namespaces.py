"""Part of `make outputs`: records what programs in PID namespaces do, for machines that refuse them.

python namespaces.py NOTEBOOK...
"""

from __future__ import annotations

import sys
from pathlib import Path

from IPython.core.error import UsageError

from forklab.notebook.namespaces import keep

if __name__ == "__main__":
    try:
        keep(map(Path, sys.argv[1:]))
    except UsageError as refusal:
        print(refusal, file=sys.stderr)
