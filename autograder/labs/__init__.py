"""Labs as files: lab.toml, scenarios and mutants, read and checked; the plays and classes that are made of them."""
