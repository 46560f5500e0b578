"""HTML out of templates, which stand beside the modules that fill them.

All that is put into a template is escaped, unless it is marked as safe there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from html import escape
from importlib.resources import files


@cache
def template(name: str) -> Callable[..., str]:
    """What fills the template; `name` is its path from the folder of the package."""
    # Only here: most commands write no page, and this takes longer to load than all the rest of a picture.
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def escaped(value: object) -> Markup:
        """With the same signs as in the pictures on the page, which html.escape() has escaped."""
        return value if isinstance(value, Markup) else Markup(escape(str(value)))

    environment = Environment(
        loader=PackageLoader("forklab", "."),
        autoescape=True,
        finalize=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["source"] = lambda name: Markup(_source(name))
    return environment.get_template(name).render


@cache
def _source(name: str) -> str:
    """A file as it is: a style sheet, a script."""
    return files("forklab").joinpath(name).read_text(encoding="utf-8")
