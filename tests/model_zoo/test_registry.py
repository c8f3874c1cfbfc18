import pytest

from latentloom.model_zoo.registry import (
    GIVEN_BY_THE_DATA,
    build_model,
    check_arguments,
    tunable_arguments,
)


def test_unknown_model_names_the_nearest():
    with pytest.raises(ValueError, match="model.name='zsuz_vae'. Did you mean 'zszu_vae'"):
        tunable_arguments("zsuz_vae")


def test_unknown_argument_names_the_nearest():
    with pytest.raises(ValueError, match="model.args.zs_dims. Did you mean 'zs_dim'"):
        check_arguments("zszu_vae", {"zs_dims": 3})


@pytest.mark.parametrize("name", [*GIVEN_BY_THE_DATA, "kwargs"])
def test_what_the_data_decide_cannot_be_configured(name):
    with pytest.raises(ValueError, match=f"has no argument '{name}'"):
        check_arguments("zszu_vae", {name: 1})


def test_tunable_arguments_come_with_their_defaults():
    arguments = tunable_arguments("zszu_vae")
    assert (arguments["zs_dim"], arguments["network"]) == (16, "auto")


def test_arguments_reach_the_model():
    model = build_model(
        "zszu_vae",
        {"zs_dim": 3, "zu_dim": 4, "hidden_dim": 8, "kl_weight": 2.0},
        [8, 8, 1],
        2,
        class_probabilities=[0.75, 0.25],
    )
    config = model.get_config()
    assert config["observation_shape"] == (8, 8, 1)
    assert (config["num_classes"], config["zs_dim"], config["kl_weight"]) == (2, 3, 2.0)
    assert config["class_probabilities"] == (0.75, 0.25)


def test_a_wrong_argument_builds_nothing():
    with pytest.raises(ValueError, match="Did you mean 'zu_dim'"):
        build_model("zszu_vae", {"zudim": 4}, (8, 8, 1), 2)


def test_a_model_takes_of_the_data_what_it_needs():
    given = {"factor_sizes": {"label": 2, "ink": 3}, "class_probabilities": [0.75, 0.25]}
    given["num_examples"] = 40
    zszu = build_model("zszu_vae", {"hidden_dim": 4}, (8, 8, 1), 2, **given)
    gzs = build_model("gzs_net", {"hidden_dim": 4}, (8, 8, 1), 2, **given)
    assert zszu.get_config()["class_probabilities"] == (0.75, 0.25)
    assert gzs.get_config()["factor_sizes"] == {"label": 2, "ink": 3}
    hfvae = build_model("hfvae", {"hidden_dim": 4}, (8, 8, 1), 2, **given)
    assert hfvae.get_config()["num_examples"] == 40
