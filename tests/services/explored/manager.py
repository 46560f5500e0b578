"""The whole manager, as the explorer runs it: `manager.py BUNDLE FOLDER RUNTIME KEEPER UNIT...`

It is `forklab.services.run`, with two things in which it differs from the command. It waits by poll(2) instead of
epoll(7), which tells of several descriptors in an order of its own. And all modules come from one file that
bundle.py has made, as a search begins it a few hundred times.
"""

import marshal
import os
import selectors
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import ExtensionFileLoader
from pathlib import Path


class Bundle:
    """Finds and loads modules of which it has the code, and those in C by where they are."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.modules = marshal.loads(file.read())

    def find_spec(self, name, path=None, target=None):
        if name not in self.modules:
            return None
        is_package, origin, code = self.modules[name]
        if code is None:
            return ModuleSpec(name, ExtensionFileLoader(name, origin), origin=origin)
        spec = ModuleSpec(name, self, origin=origin, is_package=is_package)
        spec.has_location = True
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(self.modules[module.__name__][2], module.__dict__)


def main(folder, runtime, keeper, *units):
    from forklab.services.folder import Folders
    from forklab.services.run import run

    def heard(record):
        os.write(1, f"{record.unit}: {record.text}\n".encode())

    run(Folders([Path(folder)]), Path(runtime), Path(keeper), units, heard=heard)


if __name__ == "__main__":
    sys.meta_path.insert(0, Bundle(sys.argv[1]))
    selectors.DefaultSelector = selectors.PollSelector
    main(*sys.argv[2:])
