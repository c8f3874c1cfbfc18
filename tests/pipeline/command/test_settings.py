"""Settings as `train`, `generate`, `evaluate` and `study` meet them: refused, nothing on disk."""

from pathlib import Path

import numpy as np
import pytest
from bundles import CONFIGS, digits_bundle, digits_data

DIGITS = str(CONFIGS / "zszu_digits.yaml")


@pytest.fixture
def refuses(latentloom, tmp_path):
    """Runs a verb with settings; checks one message, exit code 2 and nothing on disk."""

    def run(verb: str, settings: list[str], *words: str, config: str = DIGITS) -> None:
        out = tmp_path / "out"
        given = ["--data", digits_data()]
        given += ["--model", digits_bundle()] if verb in ("generate", "evaluate") else []
        given += [word for setting in settings for word in ("--set", setting)]
        found = latentloom(verb, *([] if verb == "evaluate" else [config]), *given, "--out", out)
        assert found.returncode == 2, found.stderr
        assert found.stderr.count("\n") == 1
        assert found.stderr.startswith("latentloom: ")
        for word in words:
            assert word in found.stderr
        assert not out.exists()

    return run


NUMBERS = [
    ("train.epochs=true", "valid integer"),
    ("train.epochs='3'", "valid integer"),
    ("train.epochs=3.0", "valid integer"),
    ("train.epochs=10000000", "less than or equal to"),
    ("train.batch_size=100000", "less than or equal to"),
    ("train.seed=4294967296", "less than 4294967296"),
    ("train.seed=-1", "greater than or equal to 0"),
    ("train.learning_rate=.nan", "finite"),
    ("train.learning_rate=.inf", "finite"),
    ("train.learning_rate=1e30", "less than or equal to 1"),
    ("judge.learning_rate=1.5", "less than or equal to 1"),
    ("study.learning_rate=1e30", "less than or equal to 1"),
    ("study.ratios=[1e300]", "less than or equal to 1000"),
    ("generate.options={temperature: 1e308}", "less than or equal to 1000000"),
    ("data.validation_share=true", "valid number"),
    ("data.deform={flip: 1}", "valid boolean"),
    ("data.deform.shiftt=1", "Did you mean 'shift'"),
    ("judge.width=100000", "less than or equal to"),
    ("generate.threads=100000", "less than or equal to"),
    ("generate.gate.attempts=1000000", "less than or equal to"),
    ("generate.sampling_strategy={'1': 100000000000}", "less than or equal to"),
    ("generate.sampling_strategy={'1': true}", "valid integer"),
    ("generate.sampling_strategy={total: {'1': true}}", "valid integer"),
    ("generate.sampling_strategy=majority", "'not majority'"),
    ("generate.options={temperature: .inf}", "finite"),
    ("study.seeds=[4294967296]", "less than 4294967296"),
    ("study.pools={a: {seed: -1}}", "'study.pools.a.seed'"),
    ("study.pools={a: {recipee: x}}", "'study.pools.a.recipee'"),
]


@pytest.mark.parametrize(("setting", "message"), NUMBERS)
def test_a_number_out_of_its_type_or_range_is_refused(refuses, setting, message):
    refuses("train", [setting], message, f"Received: {setting.partition('=')[0][:8]}")


ARGUMENTS = [
    ("zs_dim=true", "valid integer"),
    ("zs_dim='3'", "valid integer"),
    ("zs_dim=0", "greater than or equal to 1"),
    ("zs_dim=1000000000", "less than or equal to 4096"),
    ("zs_dim=[3]", "valid integer"),
    ("hidden_dim=-1", "greater than or equal to 1"),
    ("width=2.5", "valid integer"),
    ("dropout=1", "less than 1"),
    ("dropout=.nan", "finite number"),
    ("kl_weight=-1", "greater than or equal to 0"),
    ("kl_weight=much", "valid number"),
    ("kl_weight=1e300", "less than or equal to 1000000"),
    ("noise_variance=1e30", "less than or equal to 1000000"),
    ("discriminator_rate=1e6", "less than or equal to 1000"),
    ("group_norm=1", "valid boolean"),
    ("cir_blocks=zs", "model.args.cir_blocks"),
    ("seed=4294967296", "less than 4294967296"),
    ("precision=3", "valid string"),
    ("precision=learned", "learnt, fixed"),
    ("zs_dims=3", "Did you mean 'zs_dim'"),
    ("observation_shape=[1]", "has no argument"),
]


@pytest.mark.parametrize(("argument", "message"), ARGUMENTS)
def test_an_argument_of_the_model_is_refused_in_our_words(refuses, argument, message):
    refuses("train", [f"model.args.{argument}"], message, "Expected: ", "model.args.")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["judge.factors=[lable]"], ("Did you mean 'label'", "judge.factors")),
        (["train.warmup_steps=900000"], ("The warm-up is longer",)),
        (["train.steps_per_execution=10000"], ("too few examples for a step",)),
        (["data.hold_out=[{lable: 3}]"], ("Did you mean 'label'",)),
        (["data.hold_out=[{label: 11}]"], ("'11'", "was never seen")),
        (["train.devices=1000"], ("fewer devices",)),
    ],
)
def test_what_training_would_refuse_later_is_refused_first(refuses, settings, words):
    refuses("train", settings, *words)


GENERATED = [
    ("generate.gate.ignored=[lable]", "generate.gate.ignored"),
    ("generate.gate.min_confidence_of={lable: 0.5}", "generate.gate.min_confidence_of"),
    ("generate.factors=[lable]", "generate.factors"),
    ("generate.differ=[[lable, label]]", "differ"),
    ("generate.cells=[{lable: 3}]", "generate.cells"),
    ("generate.options={factor: lable}", "factor"),
]


@pytest.mark.parametrize(("setting", "key"), GENERATED)
@pytest.mark.parametrize("verb", ["generate", "study"])
def test_an_unknown_factor_is_refused_with_the_nearest(refuses, verb, setting, key):
    recipe = "generate.recipe=interpolate_factor" if "options" in setting else "generate.seed=1"
    refuses(verb, [recipe, setting], key, "Did you mean 'label'")


def test_an_option_of_a_recipe_has_an_upper_bound(refuses):
    refuses("generate", ["generate.options={temperature: 101}"], "Expected: 0 to 100.0")
    traversal = ["generate.recipe=traverse", "generate.options={extent: 101}"]
    refuses("generate", traversal, "at most 100.0")


def test_unknown_values_are_refused_with_the_nearest(refuses):
    for strategy in ("{'33': 5}", "{total: {'33': 5}}", "{new: {'33': 5}}"):
        refuses("generate", [f"generate.sampling_strategy={strategy}"], "Did you mean '3'")
    refuses("generate", ["generate.sampling_strategy={total: {'3': 1}}"], "Raise it")
    refuses("generate", ["generate.cells=[{label: 33}]"], "Did you mean '3'")
    refuses("evaluate", ["generate.gate.ignored=[lable]"], "Did you mean 'label'")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["study.pools={variants: {gate: {ignored: [lable]}}}"], ("study.pools.variants.gate",)),
        (["study.pools={variants: {recipe: class_preservin}}"], ("class_preserving",)),
        (["study.pools={variants: {options: {temprature: 1}}}"], ("temperature",)),
        (["study.pools={variants: {split: test}}"], ("study.pools.variants.split",)),
        (["study.pools={variants: {detail: 1.5}}"], ("'study.pools.variants.detail'",)),
        (["study.ties={lable: 0.9}"], ("cannot be tied",)),
        (["judge.factors=[lable]"], ("Did you mean 'label'",)),
        (["model.args.zs_dim=0"], ("model.args.zs_dim",)),
        (["train.warmup_steps=500", "study.generator_steps=100"], ("The warm-up is longer",)),
    ],
)
def test_what_a_study_would_refuse_later_is_refused_first(refuses, settings, words):
    refuses("study", ["study.sizes=[5]", "study.seeds=[0]", *settings], *words)


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS.encode(), "more than 10000 values"),
        (b"train: &a {epochs: *a}\n", "part of itself"),
        (b"train: " + b"[" * 50_000, "nested deeper"),
        (b"train: " + b"{a: " * 20_000, "nested deeper"),
        (b"- " * 40_000 + b"a", "nested deeper"),
        (b"#" * 5_000_000, "are allowed"),
        (b"train: {epochs: 3, epochs: 4}", "is a duplicate"),
        (b"train: {? [a] : 3}", "only texts are allowed"),
        (b"train: {epochs: !!int x}", "does not fit its type"),
        (b"train: {epochs: " + b"9" * 5000 + b"}", "does not fit its type"),
        (b"train: \xff", "is not UTF-8"),
        (b"smoke: 3", "the section 'smoke' is wrong"),
        (b"3", "is not a configuration"),
        (b"train: [1]", "'train' is wrong"),
        (b"~: 3", "Unknown key '~'"),
    ],
)
def test_a_hostile_file_is_one_message(refuses, tmp_path, text, message):
    config = tmp_path / "config.yaml"
    config.write_bytes(text)
    refuses("train", [], message, config=str(config))
    config.unlink()


def test_a_refusal_spares_what_overwrite_would_replace(latentloom, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "bundle.json").write_text("{}")
    words = ("--data", digits_data(), "--out", out, "--overwrite")
    run = latentloom("train", DIGITS, *words, "--set", "train.warmup_steps=900000")
    assert run.returncode == 2
    assert [path.name for path in out.iterdir()] == ["bundle.json"]


@pytest.mark.parametrize("side", [1, 2, 3])
def test_images_of_any_size_are_trained_on_or_refused(latentloom, tmp_path, side):
    images = np.random.default_rng(0).integers(0, 256, (40, side, side), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=images, label=np.arange(40) % 2)
    data, out = tmp_path / "data", tmp_path / "out"
    assert latentloom("import", f"npz:{tmp_path / 'a.npz'}", data).returncode == 0
    settings = ("train.epochs=1", "judge.epochs=1", "model.args.hidden_dim=4", "judge.width=4")
    words = [word for setting in settings for word in ("--set", setting)]
    run = latentloom("train", DIGITS, "--data", data, "--out", out, *words)
    assert run.returncode == 0 or (run.returncode == 2 and not out.exists()), run.stderr


def test_the_largest_seed_trains(latentloom, tmp_path):
    seeds = [f"{key}=4294967295" for key in ("train.seed", "model.args.seed")]
    settings = ("train.epochs=1", "judge.epochs=1", "model.args.hidden_dim=4", "data.limit=60")
    words = [word for setting in (*settings, *seeds) for word in ("--set", setting)]
    run = latentloom("train", DIGITS, "--data", digits_data(), "--out", tmp_path / "out", *words)
    assert run.returncode == 0, run.stderr
    assert Path(tmp_path / "out" / "bundle.json").exists()
