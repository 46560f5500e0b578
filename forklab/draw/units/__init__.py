"""Pictures of units: who needs whom and who comes first, and how a start-up went in time."""
