"""Graphviz' C library out of the pygraphviz wheel, without the package around it.

The wheel brings Graphviz along, but its Python module also needs libraries of the system for fonts and windows (GLib,
X11), which a bare machine lacks. To lay a tree out neither is wanted: the core and the `dot` algorithm are enough.
See cgraph(3), gvc(3).
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
from collections.abc import Callable
from pathlib import Path

_SILENT = 2  # AGMAX
_PLUGINS = ("gvplugin_dot_layout", "gvplugin_core")


class _Symbol(ctypes.Structure):
    """lt_symlist_t: a plugin that is linked in already."""

    _fields_ = (("name", ctypes.c_char_p), ("address", ctypes.c_void_p))


@functools.cache
def bundled_layout() -> Callable[[str], bytes] | None:
    """A function that lays out DOT source and answers Graphviz' JSON; None if the wheel is not here.

    That function raises ValueError if the source is not a graph. One thread at a time, please.
    """
    folder = _libraries()
    if folder is None:
        return None
    try:
        cgraph, gvc, *plugins = (_load(folder, name) for name in ("cgraph", "gvc", *_PLUGINS))
    except OSError:
        return None
    cgraph.agmemread.restype = gvc.gvContextPlugins.restype = ctypes.c_void_p
    symbols = (_Symbol * (len(_PLUGINS) + 1))()  # the last one stays empty: the end
    for symbol, name, plugin in zip(symbols, _PLUGINS, plugins, strict=False):
        symbol.name = f"{name}_LTX_library".encode()
        symbol.address = ctypes.addressof(ctypes.c_char.in_dll(plugin, f"{name}_LTX_library"))
    cgraph.agseterr(_SILENT)  # it would write to standard error; the caller raises
    context = ctypes.c_void_p(gvc.gvContextPlugins(symbols, 0))

    def layout(source: str) -> bytes:
        graph = ctypes.c_void_p(cgraph.agmemread(source.encode()))
        if not graph:
            raise ValueError("this is not a graph")
        try:
            text, length = ctypes.c_char_p(), ctypes.c_size_t()
            if gvc.gvLayout(context, graph, b"dot") != 0:
                raise ValueError("this graph cannot be laid out")
            gvc.gvRenderData(context, graph, b"json0", ctypes.byref(text), ctypes.byref(length))
            drawn = ctypes.string_at(text, length.value)
            gvc.gvFreeRenderData(text)
            gvc.gvFreeLayout(context, graph)
        finally:
            cgraph.agclose(graph)
        return drawn

    return layout


def _libraries() -> Path | None:
    """The folder in which the wheel keeps them."""
    package = importlib.util.find_spec("pygraphviz")
    if package is None or package.origin is None:
        return None
    folder = Path(package.origin).parent.parent / "pygraphviz.libs"
    return folder if folder.is_dir() else None


def _load(folder: Path, name: str) -> ctypes.CDLL:
    """Raises OSError if it is not there. A wheel adds a digest to the names: libgvc-ae99f8ab.so.7.0.9."""
    for path in folder.glob(f"lib{name}-*.so*"):
        return ctypes.CDLL(str(path))
    raise OSError(f"{folder} has no {name}")
