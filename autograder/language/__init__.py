"""The scenario language: its sentences, how they are read and written, and which plays can make sense."""
