"""Benchmarks: `python -m bench` runs all sections, `python -m bench SECTION` one of them.

Every comparison is made side by side in one run, with medians, since machines differ and are never quiet.
"""
