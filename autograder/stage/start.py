"""How init is started: what the launcher is told before it executes init (c/start.h, c/job.h, c/birth.h)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Start:
    """As a fresh login has it, but for what is said here.

    Signals and descriptors are numbers, `variables` are "NAME=VALUE", `umask` is octal; `nice` is relative to our own
    nice value. `job`: init is in a session that somebody else leads, in the terminal's "foreground" or "background".
    `exit_handler`: our witness is loaded into init (c/witness.c). `frozen`, "init" or "main", is stopped as soon as
    init has forked main. `exits_held`: whoever is about to exit is stopped (timers.py).
    """

    ignored: tuple[int, ...] = ()
    blocked: tuple[int, ...] = ()
    pending: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()
    folder: str | None = None
    variables: tuple[str, ...] = ()
    umask: str | None = None
    nice: int = 0
    job: str | None = None
    frozen: str | None = None
    exit_handler: bool = False
    exits_held: bool = False

    def settings(self, witness: str) -> list[str]:
        """For the launcher; `witness` is where that library is found inside the sandbox."""
        variables = [*self.variables]
        if self.exit_handler:
            # AddressSanitizer wants to be the first that is loaded, and is content without.
            asan = "ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0"
            variables += [f"LD_PRELOAD={witness}", asan]
        several = {
            "ignore": self.ignored,
            "block": self.blocked,
            "pend": self.pending,
            "close": self.closed,
            "set": variables,
        }
        one = {
            "in": self.folder,
            "umask": self.umask,
            "nice": self.nice or None,
            "job": self.job,
            "freeze": self.frozen,
            "hold": "exits" if self.exits_held else None,
        }
        return [
            *(f"{word} {value}" for word, values in several.items() for value in values),
            *(f"{word} {value}" for word, value in one.items() if value is not None),
        ]


AS_AT_LOGIN = Start()
