"""Pictures of what processes did: SVG, PNG, HTML and text, in the same words and the same colours.

    trees/       one moment: as a picture, as text, as a graph for Graphviz, read aloud; and the legend
    lanes/       all of it, from left to right: a lane for each process
    film/        all of it, event by event, on a page that plays
    outcomes/    all that could have been, and what has to come before what; this alone knows of forklab.explore

What they share stands beside them: palette.py and stylesheet.py for the looks, shapes.py for SVG, templates.py for
HTML, measure.py, fold.py and characters.py for what is written in them, chronology.py for those that tell of time.
Whoever wants a picture asks the module that draws it: a command that shows a tree as text has no need of Graphviz.
"""
