"""A history as a film: a page that plays by itself, event by event."""
