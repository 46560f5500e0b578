"""What a submission is known to do, from one play to the next.

The first time it takes patience to find out that somebody spins or polls: it might be about to do something. Who is
known for it is recognized soon. So a class takes bounded time, whatever is handed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# Of processor time at a stretch. The first figure leaves an honest init the time to think.
_SPIN_NANOSECONDS = 250_000_000
_START_NANOSECONDS = 1_000_000_000  # what the slowest interpreter may need before it starts main
_START_OF_A_SPINNER_NANOSECONDS = 250_000_000
_SPIN_OF_A_SPINNER_NANOSECONDS = 12_000_000
_SPIN_OF_A_NOTORIOUS_ONE_NANOSECONDS = 3_000_000
_NOTORIOUS = 5  # so many plays in which it was seen

# Of a sleeper that wakes up and does nothing that anybody could see: so often and so long until it is polling. Of one
# that is known for it, either of the others is enough.
_FRUITLESS = 3, 1.0
_FRUITLESS_OF_A_POLLER = ((1, 0.1), (2, 0.05))

# All that the timers of one submission may let us wait, in seconds that they were set to.
_MOST_WAITED_SECONDS = 300.0
_MOST_OUTLASTED_SECONDS = 60.0  # before it fails something because it polls, and may be late


@dataclass
class Conduct:
    """`spins`: how often it was seen to spin. `waited`: the seconds that its timers have let us wait.

    `obstructions`: what it did, in words, in plays that could not be judged though the reference solution could.
    """

    spins: int = 0
    started: int = 0  # so often it has started main
    spun_instead: int = 0
    obstructions: list[str] = field(default_factory=list)
    waited: float = 0.0
    _pollers: set[tuple[bool, str]] = field(default_factory=set)

    @property
    def start_limit(self) -> int:
        """The processor time (ns) that it may take until it starts main."""
        never = self.spun_instead > 0 and not self.started
        return _START_OF_A_SPINNER_NANOSECONDS if never else _START_NANOSECONDS

    def starts(self, main: bool, *, spinning: bool) -> None:
        """A play has begun: whether it has started main, or was spinning instead."""
        self.started += main
        self.spun_instead += spinning and not main

    def spin_limit(self, start_up: int) -> int:
        """The processor time (ns) at a stretch after which it is spinning; it took `start_up` until it started main.

        An interpreter that takes long to start takes long for other things as well, such as to end.
        """
        if self.spins >= _NOTORIOUS:
            return max(_SPIN_OF_A_NOTORIOUS_ONE_NANOSECONDS, start_up // 2)
        first = _SPIN_OF_A_SPINNER_NANOSECONDS if self.spins else _SPIN_NANOSECONDS
        return max(first, 2 * start_up)

    def is_polling(self, is_init: bool, call: str, wakes: int, seconds: float) -> bool:
        """Whether one that has slept in `call` for so long, and has woken up so often for nothing, is polling."""
        poller = is_init, call
        enough = _FRUITLESS_OF_A_POLLER if poller in self._pollers else (_FRUITLESS,)
        if not any(wakes >= least and seconds >= shortest for least, shortest in enough):
            return False
        self._pollers.add(poller)
        return True

    @property
    def may_be_outlasted(self) -> bool:
        return self.waited < _MOST_OUTLASTED_SECONDS

    @property
    def has_let_us_wait_too_long(self) -> bool:
        return self.waited > _MOST_WAITED_SECONDS
