"""Arms are what their names say, and runs are all of them."""

import pytest

from latentloom.pipeline.study.arms import Arm, Run, parse_arm, plan_runs

POOLS = ("variants", "recombined")


@pytest.mark.parametrize(
    ("name", "pool", "transform"),
    [
        ("real", None, None),
        ("classical", None, "classical"),
        ("variants", "variants", None),
        ("repeated", "repeated", None),
        ("variants + classical", "variants", "classical"),
        ("oracle + mixup", "oracle", "mixup"),
    ],
)
def test_an_arm_is_read_from_its_name(name, pool, transform):
    assert parse_arm(name, POOLS) == Arm(name, pool, transform)


@pytest.mark.parametrize("name", ["varaints", "variants + recombined", "mixup + cutmix", ""])
def test_a_name_that_is_no_arm_is_refused_with_those_that_are(name):
    with pytest.raises(ValueError, match="is invalid. Expected: one of real, untied, variants"):
        parse_arm(name, POOLS)


def test_arms_that_mix_are_run_at_every_ratio_and_others_once():
    arms = [parse_arm(name, POOLS) for name in ("real", "variants")]
    runs = list(plan_runs(arms, [10, 50], [1.0, 4.0], [0, 1]))
    assert len(runs) == 2 * 2 * 3 == len(set(runs))
    assert [run.name for run in runs[:3]] == ["real", "variants x1", "variants x4"]
    assert runs[0] == Run(arms[0], 10, 0.0, 0)
    groups = [(run.size, run.seed) for run in runs]
    assert groups == sorted(groups)  # real examples and generator are made once for each


def test_untied_examples_may_be_transformed():
    assert parse_arm("untied + classical", POOLS) == Arm(
        "untied + classical", None, "classical", True
    )


def test_a_pool_cannot_be_called_as_another_part():
    with pytest.raises(ValueError, match="Pool name 'mixup' is reserved"):
        parse_arm("real", ("mixup",))
