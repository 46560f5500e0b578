"""What a notebook imports: a cell magic that runs programs under the lens, and words for the reader.

A notebook's kernel must never fork: the child would be a second kernel. So a cell that begins with `%%lens c`,
`%%lens python` or `%%lens sh` holds a whole program; it runs in processes of its own and comes back as what it wrote
and a film of what it did. Then `history` and `output` are about that program, for the cells that check something;
`seen` has all that is known of the run, `outputs()` all that could have come instead, and `again()` runs it with other
numbers in it. A cell that begins with `%%units` holds unit files: our service manager runs them in the same way, while
somebody types at a terminal; `on_systemd()` shows what real systemd answered to that.
"""

from IPython.core.getipython import get_ipython

from forklab.notebook.exercises import check
from forklab.notebook.magic import (
    history,
    lens,
    look_at,
    on_systemd,
    output,
    outputs,
    prepare,
    seen,
    unit_graph,
    unit_timeline,
    units,
)
from forklab.notebook.prediction import compare, predict
from forklab.notebook.recorded import restart_table
from forklab.notebook.variants import again

__all__ = [
    "again",
    "check",
    "compare",
    "history",
    "lens",
    "look_at",
    "on_systemd",
    "output",
    "outputs",
    "predict",
    "prepare",
    "restart_table",
    "seen",
    "unit_graph",
    "unit_timeline",
    "units",
]

if (_shell := get_ipython()) is not None:  # imported by a notebook
    prepare(_shell)
