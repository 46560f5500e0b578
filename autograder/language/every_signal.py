"""What "every signal" means in a script."""

from __future__ import annotations

import signal
from typing import Final

from forklab.kernel.signals import UNTOUCHABLE, signal_name

# Those that a process can catch, in the order of their numbers, but SIGCHLD, which init has its own use for. Not the
# two that the C library keeps for itself: see signal(7), "Real-time signals".
EVERY_SIGNAL: Final[tuple[str, ...]] = tuple(
    name
    for name in map(signal_name, sorted(signal.valid_signals()))
    if name not in UNTOUCHABLE | {"SIGCHLD"}
)
