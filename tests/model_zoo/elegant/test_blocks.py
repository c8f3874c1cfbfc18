import pytest

from latentloom.model_zoo.elegant.blocks import cut_channels


@pytest.mark.parametrize(
    ("count", "cuts"),
    [
        (1, [0, 512]),
        (2, [0, 256, 512]),
        (3, [0, 171, 341, 512]),
        (5, [0, 102, 205, 307, 410, 512]),
        (7, [0, 73, 146, 219, 293, 366, 439, 512]),
    ],
)
def test_channels_are_cut_as_the_authors_cut_them(count, cuts):
    names = [str(place) for place in range(count)]
    expected = dict(zip(names, zip(cuts[:-1], cuts[1:], strict=True), strict=True))
    assert cut_channels(names, 512) == expected
