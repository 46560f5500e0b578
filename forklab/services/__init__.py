"""Chapter 2: a service manager to read in an evening.

From the ground up: `unitfile` (text to settings), `words` and `values` (what a value says), `keys` (settings to a
`unit`), `folder` (files to units), `graph` (which jobs a request needs, and in which order), `life` (what one service
goes through), `manager` (all of them together). All this is pure: `(state, event, now) -> (state, effects)`.

Around it stands a thin edge. `hands` does the effects and listens, in a `loop`. Each service that has processes is one
of its `wards`, below a keeper (`keepers`, and c/keeper.c); `commands` says what the keeper is to run. `journal` keeps
what was said and what happened, and `streams` brings what services write. Who asks for something is one of the
`clients` of `control`. `run` puts it together, in a `place` of its own; `story` makes a History of it.
"""
