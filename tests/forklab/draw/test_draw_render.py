"""Graphviz: the same bytes everywhere, one thread at a time, and two ways to have it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from drawn_trees import ALL, MIXED, MIXED_REMARKS

from forklab.draw.trees import render
from forklab.draw.trees.bundled import bundled_layout
from forklab.draw.trees.dot import tree_png
from forklab.draw.trees.legend import legend_svg
from forklab.draw.trees.picture import tree_svg
from forklab.draw.trees.render import GraphvizFailedError, GraphvizMissingError
from forklab.draw.trees.text import tree_text

NEEDS_PYGRAPHVIZ = pytest.mark.skipif(
    render._pygraphviz() is None, reason="pygraphviz cannot be imported here"
)
NEEDS_THE_WHEEL = pytest.mark.skipif(
    bundled_layout() is None, reason="the wheel of pygraphviz is not installed"
)
DRAW_ALL = """
import sys
from drawn_trees import ALL
from forklab.draw.trees.legend import legend_svg
from forklab.draw.trees.picture import tree_svg
pictures = [tree_svg(tree, remarks) for tree, remarks in ALL.values()] + [legend_svg()]
sys.stdout.buffer.write("".join(pictures).encode())
"""
MEASURE_TEXT = """
import pygraphviz
pygraphviz.AGraph(string='digraph { a [label="some text"] }').draw(format="svg", prog="dot")
"""


@pytest.fixture(autouse=True)
def nothing_kept():
    """Layouts that an earlier test had kept must not answer for this one."""
    render.layout.cache_clear()
    yield
    render.layout.cache_clear()


def run_python(program: str, fonts: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """`program` on a machine whose font configuration is `fonts`; Fontconfig says whether it is asked at all."""
    configuration = folder / "fonts.conf"
    configuration.write_text(f"<?xml version='1.0'?><fontconfig>{fonts}</fontconfig>")
    paths = [str(Path(__file__).parent), *filter(None, sys.path)]
    environment = {
        **os.environ,
        "FONTCONFIG_FILE": str(configuration),
        "FC_DEBUG": "1024",  # Fontconfig tells which files it loads
        "PYTHONPATH": os.pathsep.join(paths),
    }
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        timeout=120,
        check=True,
    )


@NEEDS_PYGRAPHVIZ
def test_a_picture_is_the_same_with_all_fonts_and_with_none(tmp_path):
    without = run_python(DRAW_ALL, "", tmp_path).stdout
    with_fonts = run_python(DRAW_ALL, "<dir>/usr/share/fonts</dir>", tmp_path).stdout
    here = "".join([*(tree_svg(*what) for what in ALL.values()), legend_svg()]).encode()
    assert hashlib.sha256(without).digest() == hashlib.sha256(with_fonts).digest()
    assert here == without


@NEEDS_PYGRAPHVIZ
def test_no_font_is_even_looked_for(tmp_path):
    drawn = run_python(DRAW_ALL, "", tmp_path)
    assert b"FC_DEBUG" not in drawn.stdout + drawn.stderr
    assert drawn.stderr == b""
    # Graphviz that measures text does look: the test could have noticed.
    measured = run_python(MEASURE_TEXT, "", tmp_path)
    assert b"FC_DEBUG" in measured.stdout + measured.stderr


@NEEDS_THE_WHEEL
def test_graphviz_is_entered_by_one_thread_at_a_time(monkeypatch):
    alone = []

    def watched(source):
        alone.append(render._ONE_AT_A_TIME.locked())
        return bundled_layout()(source)

    monkeypatch.setattr(render, "bundled_layout", lambda: watched)
    tree_svg(MIXED)
    assert alone == [True]
    assert not render._ONE_AT_A_TIME.locked()


@NEEDS_PYGRAPHVIZ
def test_the_library_of_the_wheel_answers_what_the_package_answers():
    import pygraphviz

    source = "digraph { node [shape=box fixedsize=true]; a -> b [id=e1]; a -> c [id=e2] }"
    with pygraphviz.AGraph(string=source) as graph:
        assert bundled_layout()(source) == graph.draw(format="json0", prog="dot")


@NEEDS_THE_WHEEL
def test_nothing_but_the_core_of_graphviz_is_loaded_to_lay_a_tree_out():
    """Fonts and windows need libraries that a bare machine lacks."""
    program = "from forklab.draw.trees.legend import legend_svg; legend_svg(); print(open('/proc/self/maps').read())"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "libgvplugin_dot_layout" in loaded.stdout
    assert not any(name in loaded.stdout for name in ("libglib", "libX11", "libpango", "libcairo"))


@pytest.fixture
def no_pygraphviz(monkeypatch, tmp_path):
    """A machine where the package is absent and PATH holds nothing but the folder that is answered."""
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setattr(render, "bundled_layout", lambda: None)
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    return programs


def make_dot(folder: Path, program: str) -> None:
    """A program called dot, in Python."""
    dot = folder / "dot"
    dot.write_text(f"#!{sys.executable}\nimport sys\n{program}")
    dot.chmod(0o755)


DOT = """
import pygraphviz
form = sys.argv[1].removeprefix("-T")
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(graph.draw(format=form, prog="dot"))
"""


@NEEDS_PYGRAPHVIZ
def test_the_program_dot_draws_where_pygraphviz_is_absent(no_pygraphviz, monkeypatch):
    make_dot(no_pygraphviz, DOT)
    by_program = tree_svg(MIXED, MIXED_REMARKS)
    assert tree_png(MIXED).startswith(b"\x89PNG")
    monkeypatch.setattr(render, "bundled_layout", bundled_layout)
    (no_pygraphviz / "dot").unlink()
    render.layout.cache_clear()
    assert tree_svg(MIXED, MIXED_REMARKS) == by_program


def test_where_there_is_no_graphviz_the_error_says_how_to_get_it(no_pygraphviz):
    for draw in (tree_svg, tree_png):
        with pytest.raises(
            GraphvizMissingError, match=r"pip install pygraphviz(.|\n)*apt-get install graphviz"
        ):
            draw(MIXED)
    assert tree_text(MIXED)  # needs none


def test_what_dot_complains_of_is_in_the_error(no_pygraphviz):
    make_dot(no_pygraphviz, "sys.exit('dot: out of ink')")
    with pytest.raises(GraphvizFailedError, match="out of ink"):
        tree_svg(MIXED)


@NEEDS_THE_WHEEL
def test_a_graph_that_is_none_is_an_error():
    with pytest.raises(GraphvizFailedError):
        render.layout("this is not DOT")


@NEEDS_PYGRAPHVIZ
def test_png_is_png_twice_as_fine_as_the_svg_and_the_user_sees_no_warning(capfd):
    picture = tree_png(MIXED, MIXED_REMARKS, "a title")
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width = int.from_bytes(picture[16:20], "big")
    assert width > 1200
    assert capfd.readouterr() == ("", "")


@NEEDS_THE_WHEEL
def test_what_was_laid_out_once_is_kept():
    tree_svg(MIXED)
    tree_svg(MIXED, title="the same places, another title")
    assert render.layout.cache_info().hits == 1
