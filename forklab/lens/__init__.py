"""What real programs do: run them, watch them, come back with a history."""
