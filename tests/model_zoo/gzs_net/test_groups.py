import numpy as np
import pytest

from latentloom.model_zoo.gzs_net import GroupBatches, Sharers
from latentloom.model_zoo.gzs_net.groups import donors_within
from latentloom.model_zoo.training.batches import Batches
from latentloom.model_zoo.training.deformations import Deformations

RANGE = {"value_range": (0.0, 255.0)}


@pytest.fixture
def batches(grid, sizes, images):
    """Returns a function that makes batches of groups of the grid."""
    pool, sharers = images(72), Sharers(grid, sizes)

    def make(**settings):
        options = {"sharers": sharers, "pool": pool, "batch_size": 10, "seed": 1, **RANGE}
        return GroupBatches(pool, grid, **{**options, **settings})

    return make


def members(groups):
    """Rows of the members of every group, `(batch, size)`."""
    assert groups.dtype == np.float32
    np.testing.assert_array_equal(np.ptp(groups, axis=(2, 3, 4)), 0)
    return groups[..., 0, 0, 0].astype(int)


def contents(batches):
    """Rows and answers of all batches."""
    some = [batches[index] for index in range(len(batches))]
    answers = ("label", "edge", "donors")
    return [(members(x).tolist(), *(y[name].tolist() for name in answers)) for x, y in some]


def test_a_group_is_a_centre_and_a_sharer_of_each_factor(batches, grid, sizes):
    groups, answers = batches()[0]
    rows = members(groups)
    assert groups.shape == (10, 4, 2, 2, 1)
    assert {array.dtype for array in answers.values()} == {np.dtype(np.int32)}
    np.testing.assert_array_equal(answers["label"], grid["label"][rows[:, 0]])
    for place, name in enumerate(sizes):
        shared = grid[name][rows] == grid[name][rows[:, :1]]
        expected = np.isin(np.arange(4), [0, place + 1])
        np.testing.assert_array_equal(shared, np.broadcast_to(expected, shared.shape))


def test_centres_come_in_the_order_of_plain_batches(batches, grid, images):
    plain = Batches(images(72), grid["label"], batch_size=10, seed=1, **RANGE)
    centres = [[group[0] for group in rows] for rows, *_ in contents(batches())]
    assert centres == [plain[i][0][:, 0, 0, 0].tolist() for i in range(len(plain))]


def test_every_member_of_a_group_is_deformed_by_itself(grid, sizes):
    ramps = np.broadcast_to(np.arange(0, 200, 40, dtype=np.uint8)[:, None], (72, 5, 5, 1))
    settings = {
        "sharers": Sharers(grid, sizes),
        "pool": ramps,
        "batch_size": 10,
        "seed": 1,
        **RANGE,
    }
    batches = GroupBatches(ramps, grid, deformations=Deformations(rotation=0, zoom=0), **settings)
    groups, _ = batches[0]
    assert groups.shape == (10, 4, 5, 5, 1)
    assert len(np.unique(groups[:, :, 2, 2, 0].round(3))) == 40


def test_every_factor_is_drawn_for_the_swap(batches):
    edges = sum((edges for _, _, edges, _ in contents(batches(epochs=range(5)))), [])
    counts = np.bincount(edges, minlength=3)
    assert (counts > 90).all()


def test_groups_depend_on_seed_and_step_alone(batches):
    first = contents(batches())
    assert contents(batches()) == first
    assert contents(batches(seed=2)) != first
    later = batches(epochs=range(2))
    assert contents(later)[:8] == first
    assert contents(later)[8:] != first


def test_starting_at_a_later_epoch_gives_the_same_groups(batches):
    whole, rest = batches(epochs=range(5)), batches(epochs=range(2, 5))
    assert contents(rest) == contents(whole)[16:]


def test_sharers_come_from_the_pool_alone(grid, sizes, images):
    held_out = grid["label"] == grid["size"]
    centres, pool = images(72)[held_out], images(72)[~held_out]
    sharers = Sharers({name: codes[~held_out] for name, codes in grid.items()}, sizes)
    factors = {name: codes[held_out] for name, codes in grid.items()}
    shared = GroupBatches(
        centres, factors, sharers=sharers, pool=pool, batch_size=8, epochs=range(20), **RANGE
    )
    rows = np.concatenate([rows for rows, *_ in contents(shared)])
    assert set(rows[:, 0]) == set(np.flatnonzero(held_out))
    assert set(rows[:, 1:].ravel()) == set(np.flatnonzero(~held_out))


def test_centres_whose_value_nobody_shares_are_left_out(grid, sizes, images):
    seen = grid["size"] != 2
    sharers = Sharers({name: codes[seen] for name, codes in grid.items()}, sizes)
    batches = GroupBatches(
        images(72), grid, sharers=sharers, pool=images(72)[seen], batch_size=100, **RANGE
    )
    assert members(batches[0][0])[:, 0].tolist() == np.flatnonzero(seen).tolist()


def test_relaxed_groups_are_edges(batches, grid, sizes):
    names, edges = list(sizes), []
    for groups, answers in (batches(relaxed=True)[index] for index in range(8)):
        rows = members(groups)
        assert rows.shape[1] == 2
        for (centre, sharer), edge in zip(rows, answers["edge"], strict=True):
            assert grid[names[edge]][centre] == grid[names[edge]][sharer]
        edges += answers["edge"].tolist()
    assert set(edges) == {0, 1, 2}


def test_donors_share_the_factor_and_as_little_else_as_can_be(batches, grid, sizes):
    groups, answers = batches(batch_size=36)[0]
    rows, donors = members(groups).ravel(), answers["donors"].reshape(-1, 3)
    assert donors.dtype == np.int32
    for place, name in enumerate(sizes):
        shared = sum((grid[f][rows] == grid[f][rows[donors[:, place]]]).astype(int) for f in sizes)
        np.testing.assert_array_equal(grid[name][rows], grid[name][rows[donors[:, place]]])
        np.testing.assert_array_equal(shared, 1)


def test_donors_are_drawn_among_those_that_are_as_good(batches):
    drawn = {y["donors"][0].tobytes() for _, y in (batches()[index] for index in range(5))}
    assert len(drawn) == 5


def test_an_image_is_its_own_donor_only_where_no_other_shares_the_factor():
    codes = np.array([[[0, 0], [1, 0]], [[0, 1], [2, 1]]])
    donors = donors_within(codes, np.random.default_rng(0))
    assert donors.tolist() == [[[2, 1], [1, 0]], [[0, 3], [3, 2]]]


def test_donors_stay_on_the_device_of_their_group(batches):
    _, answers = batches(batch_size=36, divisor=3)[0]
    assert answers["donors"].shape == (36, 4, 3)
    assert answers["donors"].max() < 12 * 4
