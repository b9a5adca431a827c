"""A matrix of cases of which every day runs a sample, and `make test-all` the whole."""

from collections import Counter
from itertools import combinations, product

import pytest


def one_of(daily, *others):
    """pytest's parameters for all of these values; every day runs the first."""
    return [daily, *(pytest.param(each, marks=pytest.mark.exhaustive) for each in others)]


def matrix(*axes, together=1):
    """pytest's parameters for all combinations of the axes (lists of values), as tuples in their order.

    A sample has every value of every axis; with `together=2` every pair of values of different axes, and so on.
    Whatever is not in the sample is marked exhaustive.
    """
    cells = list(product(*(range(len(axis)) for axis in axes)))
    missing = {part for cell in cells for part in _parts(cell, together)}
    sample, used = set(), Counter()
    while missing:
        best = max(
            cells,
            key=lambda cell: (
                len(missing & _parts(cell, together)),
                -sum(used[part] for part in _parts(cell, 1)),  # of equals, the one that varies most
            ),
        )
        sample.add(best)
        missing -= _parts(best, together)
        used.update(_parts(best, 1))
    return [
        pytest.param(
            *(axis[place] for axis, place in zip(axes, cell, strict=True)),
            marks=() if cell in sample else pytest.mark.exhaustive,
        )
        for cell in cells
    ]


def _parts(cell, together):
    """What a cell covers: its values, each with its axis, so many at a time."""
    return set(combinations(enumerate(cell), together))
