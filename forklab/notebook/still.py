"""What a notebook keeps of something that moves.

Where nobody has run a notebook yet, JupyterLab does not trust what it holds: it drops scripts, style sheets and inline
pictures, and leaves their words; GitHub and a printer do so too. What survives everywhere is an image, and text. So a
kept output is a still, and the living thing lies in an attribute of it; a script of a few lines puts that in its place
where scripts run.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from markupsafe import Markup

from forklab.draw.stylesheet import following_the_page, with_what_it_wears
from forklab.draw.templates import template


@dataclass(frozen=True)
class Still:
    """What is to be seen without scripts: a picture (an SVG that stands alone) and `alt`, it in a sentence; words.

    The words are folded below the line `folded`, if there is one.
    """

    words: str
    heading: str = ""
    clock: str = ""
    picture: str = ""
    alt: str = ""
    folded: str = ""


def still_html(still: Still, living: str) -> str:
    """A fragment; any number of them may stand on one page. The same bytes for the same arguments."""
    return template("notebook/still.html")(
        heading=still.heading,
        clock=still.clock,
        picture=b64encode(with_what_it_wears(still.picture).encode()).decode(),
        alt=still.alt,
        words=still.words,
        folded=still.folded,
        alive=_attribute(_themed(living)),
    )


def _themed(living: str) -> str:
    """With a script that follows the theme of the page, if it looks different in the dark."""
    themed = following_the_page(living)
    return living if themed == living else template("notebook/alive.html")(living=themed)


def _attribute(html: str) -> Markup:
    """For between single quotes: with all its double quotes and angle brackets as they are it is a quarter shorter."""
    return Markup(html.replace("&", "&amp;").replace("'", "&#39;"))
