"""All that can come of a program: as text, as boxes on a page, and the process graph that says why no others."""
