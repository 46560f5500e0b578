"""All modules of the manager and those that it uses, in one file: `bundle.py FILE [MODULE FIND REPLACE]...`

A module in which something is to be replaced is compiled from its text, with that.
"""

import importlib
import marshal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))


def code_of(name, spec, edits):
    text = spec.loader.get_source(name)
    for module, find, replace in edits:
        if module == name:
            if text.count(find) != 1:
                raise SystemExit(f"{name} has {text.count(find)} times {find!r}")
            text = text.replace(find, replace)
    return compile(text, spec.origin, "exec")


def main(file, *words):
    edits = list(zip(words[::3], words[1::3], words[2::3], strict=True))
    for needed in ("selectors", "forklab.services.folder", "forklab.services.run"):
        importlib.import_module(needed)
    found = {}
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if name == "__main__" or spec is None or spec.origin is None:
            continue
        if spec.origin.endswith(".py"):
            is_package = spec.submodule_search_locations is not None
            found[name] = (is_package, spec.origin, code_of(name, spec, edits))
        elif spec.origin.endswith(".so"):
            found[name] = (False, spec.origin, None)
    Path(file).write_bytes(marshal.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
