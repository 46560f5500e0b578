"""What a play reads: its end is there when we have ended it."""

from __future__ import annotations

import os
import time

from autograder.stage.streams import Streams


def test_the_input_is_at_its_end_although_a_child_of_ours_had_a_copy_of_ours() -> None:
    """As if another thread had started something, and its child takes its time to execute it."""
    streams = Streams(terminal=False, typed=True)
    reads = streams.standard[0]
    streams.type(b"a line")
    child = os.fork()
    if child == 0:
        time.sleep(0.3)
        os._exit(0)
    streams.end_input()
    os.set_blocking(reads, False)
    assert (os.read(reads, 80), os.read(reads, 80)) == (b"a line", b"")
    os.waitpid(child, 0)
    streams.close()
