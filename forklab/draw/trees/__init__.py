"""One moment of a history: who is whose child, as a picture, as text, as a graph for Graphviz, and read aloud."""
