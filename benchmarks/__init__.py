"""How fast the course is, beside its peers, measured in one run: ``python -m benchmarks``."""
