"""How a thread goes on once a stop of it has been dealt with. Who comes when is for the policy to say."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Turn(Enum):
    """Whether others may come before it."""

    AT_ONCE = "at once"  # nobody comes between
    IN_TURN = "in turn"  # it can go on
    HELD = "held"  # it has to wait for a child or for a moment, which the world knows of


class Onward(NamedTuple):
    """`to_exit`: until the call that it is in returns, in which it may have to wait. `with_signal`: it is delivered.

    `reaps`: its wait reaps a child, if nobody else comes before it does so.
    """

    turn: Turn
    to_exit: bool = False
    with_signal: int = 0
    reaps: bool = False


AT_ONCE = Onward(Turn.AT_ONCE)
INTO_ITS_CALL = Onward(Turn.AT_ONCE, to_exit=True)
IN_TURN = Onward(Turn.IN_TURN)
HELD = Onward(Turn.HELD)
