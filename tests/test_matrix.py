"""The daily sample of a matrix leaves out combinations, and no value."""

from itertools import combinations, product

import pytest

from tests.matrix import matrix


@pytest.mark.parametrize("together", [1, 2, 3])
@pytest.mark.parametrize("sizes", [(1,), (3,), (2, 5), (2, 2, 5), (4, 3, 3)])
def test_every_value_or_pair_is_in_the_sample_and_everything_in_the_whole(sizes, together):
    axes = [list(range(size)) for size in sizes]
    cases = matrix(*axes, together=together)
    assert [case.values for case in cases] == list(product(*axes))
    sample = [case.values for case in cases if not case.marks]
    parts = [set(combinations(enumerate(values), together)) for values in sample]
    wanted = {part for values in product(*axes) for part in combinations(enumerate(values), together)}
    assert set().union(*parts) == wanted


def test_the_sample_is_small():
    sample = [case.values for case in matrix(["a", "b"], range(8)) if not case.marks]
    assert len(sample) == 8
    assert {first for first, _ in sample} == {"a", "b"}
