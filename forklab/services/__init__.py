"""Chapter 2: a service manager to read in an evening.

From the ground up: `unitfile` (text to settings), `words` and `values` (what a value says), `keys` (settings to a
`unit`), `folder` (files to units), `graph` (which jobs a request needs, and in which order), `life` (what one service
goes through), `manager` (all of them together). All this is pure: `(state, event, now) -> (state, effects)`. Around
it stands a thin edge: `hands` does the effects and listens, each service below a `keeper`; `journal` keeps what was
said.
"""
