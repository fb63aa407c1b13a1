"""Applications to run and to learn from. `make demo` runs them; one alone: `python -m examples.functions.demo`."""
