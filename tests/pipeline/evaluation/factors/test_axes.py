"""Axes of known codes against factors, and what an evaluation says of them."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from letters import letter_arrays, letters_bundle, letters_config

from latentloom.augment import Block, BlockPrior, LatentSpec
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.evaluate import evaluate
from latentloom.pipeline.evaluation.factors import axes as factor_codes
from latentloom.pipeline.evaluation.factors.axes import (
    FIGURES,
    FactorCodes,
    axis_caption,
    draw_factor_codes,
    measure_factor_codes,
    note_factor_codes,
)
from latentloom.pipeline.importing.import_dataset import import_dataset

COUNT = 300
NAMES = [f"Axes and factors: {title}" for title, _ in FIGURES.values()]


def factors_of(count: int = COUNT, **more) -> dict[str, np.ndarray]:
    """Values of three independent factors, and of others."""
    rng = np.random.default_rng(0)
    return {name: rng.integers(0, 2, count) for name in ("label", "ink", "size")} | more


def encoded(codes: np.ndarray, factors: dict[str, np.ndarray], rows=slice(None)) -> EncodedExamples:
    """Codes as held-out examples: the first axis is `zs`, all others are `zu`."""
    blocks = (("zs", 1, ("label",)), ("zu", codes.shape[1] - 1, ()))
    spec = LatentSpec(
        tuple(Block(name, dim, own, BlockPrior.standard_normal(dim)) for name, dim, own in blocks)
    )
    ids = [f"e{row}" for row in range(len(codes))]
    examples = Examples(np.zeros((len(codes), 1, 1, 1), np.uint8), factors, ids).take(rows)
    latents = {"zs": codes[rows, :1], "zu": codes[rows, 1:]}
    return EncodedExamples(SimpleNamespace(spec=spec), examples, latents, "test", 0)  # type: ignore


def exact(factors: dict[str, np.ndarray]) -> np.ndarray:
    """An axis for each of the three factors."""
    columns = np.stack([factors[name] for name in ("label", "ink", "size")], axis=1)
    return columns + 0.01 * np.random.default_rng(1).normal(size=columns.shape)


def chosen(codes: np.ndarray, factors: dict[str, np.ndarray], rows=slice(None), **most):
    settings = [f"evaluate.{name}={value}" for name, value in most.items()]
    return FactorCodes.choose(encoded(codes, factors, rows), letters_config(*settings))


@pytest.fixture(scope="module")
def perfect() -> FactorCodes:
    return chosen(exact(factors_of()), factors_of())


@pytest.fixture(scope="module")
def by_order() -> list[FactorCodes]:
    """Codes of two orders of the same examples, of which a part is chosen."""
    factors = factors_of()
    codes = np.random.default_rng(2).normal(size=(COUNT, 5)) + exact(factors)[:, [0, 1, 2, 0, 1]]
    mixed = np.random.default_rng(3).permutation(COUNT)
    most = {"disentanglement_examples": 150}
    return [chosen(codes, factors, **most), chosen(codes, factors, mixed, **most)]


# --- Figures ----------------------------------------------------------------------------------


def test_codes_that_are_the_factors_have_the_best_of_every_figure(perfect):
    found = {figure.name: figure for figure in measure_factor_codes(perfect)}
    assert list(found) == NAMES
    for name, figure in found.items():
        best = 0.0 if figure.better == "lower" else 1.0
        if "SAP" not in name:
            assert figure.value == pytest.approx(best, abs=0.06), name
        assert figure.meaning.endswith("."), name
        if "lasso" not in name or figure.better == "lower":
            assert abs(figure.value - figure.chance) > 0.25, name
    assert {name for name in found if found[name].better == "lower"} == {
        "Axes and factors: DCI error, forest",
        "Axes and factors: DCI error, lasso",
    }


def test_codes_of_noise_have_what_is_told_as_chance():
    noise = np.random.default_rng(4).normal(size=(COUNT, 8))
    for figure in measure_factor_codes(chosen(noise, factors_of())):
        if "lasso" not in figure.name:
            assert figure.value == pytest.approx(figure.chance, abs=0.12), figure.name
        elif figure.better == "lower":
            assert figure.value == pytest.approx(1, abs=0.1)


def test_chance_is_what_is_known_where_it_is_known(perfect):
    chance = perfect.by_chance
    known = {"mig": 0, "sap": 0, "explicitness": 0.5, "factor_vae": 1 / 3, "beta_vae": 1 / 3}
    for name, value in known.items():
        assert chance[name] == pytest.approx(value, abs=0.08), name


def test_the_order_of_the_examples_changes_nothing(by_order):
    first, second = by_order
    assert len(first.codes) == len(second.codes) == 150
    assert measure_factor_codes(first) == measure_factor_codes(second)
    assert draw_factor_codes(first) == draw_factor_codes(second)


# --- Factors and examples that cannot be compared ---------------------------------------------


def test_a_factor_with_one_value_is_left_out_and_changes_nothing(perfect):
    factors = factors_of(site=np.ones(COUNT, np.int64))
    codes = chosen(exact(factors), factors)
    assert list(codes.factors) == ["label", "ink", "size"]
    assert codes.found.scores == perfect.found.scores
    assert "Left out of the figures of axes and factors: site, which has one value." in (
        note_factor_codes(codes)
    )


@pytest.mark.parametrize(
    "values",
    [np.arange(COUNT), np.arange(COUNT) // 4, np.arange(COUNT) // (COUNT - 4)],
    ids=["each its own", "four a value", "four of one value"],
)
def test_a_factor_whose_values_are_too_rare_is_left_out_and_named(values):
    factors = factors_of(serial=values)
    codes = chosen(exact(factors), factors)
    assert list(codes.factors) == ["label", "ink", "size"]
    told = f"whose {values.max() + 1} values are too rare among 300 examples"
    assert codes.left_out["serial"].startswith(told)


def test_rare_values_beside_common_ones_are_measured():
    values = np.concatenate([np.arange(COUNT - 3) % 2, [2, 3, 4]])
    codes = chosen(exact(factors_of()), factors_of(part=values))
    assert "part" in codes.factors
    assert len(measure_factor_codes(codes)) == len(FIGURES)


def test_few_examples_and_single_factors_give_nothing_and_say_so():
    few, many = factors_of(19), exact(factors_of())
    one = {"label": factors_of()["label"], "site": np.zeros(COUNT, np.int64)}
    for codes, told in (
        (chosen(exact(few), few), "There were 19 and 3."),
        (chosen(many, one), "There were 300 and 1."),
    ):
        assert measure_factor_codes(codes) == []
        assert draw_factor_codes(codes) == {}
        assert told in note_factor_codes(codes)[0]
        assert "20 examples or more and two factors" in note_factor_codes(codes)[0]


def test_data_with_a_label_alone_are_not_told_of_factors():
    codes = chosen(exact(factors_of()), {"label": factors_of()["label"]})
    assert measure_factor_codes(codes) == []
    assert note_factor_codes(codes) == []


# --- The drawing ------------------------------------------------------------------------------


def drawn(codes: FactorCodes, monkeypatch) -> tuple:
    """What is handed to the drawing."""
    calls = []
    monkeypatch.setattr(factor_codes, "factor_table", lambda *call: calls.append(call) or b"")
    draw_factor_codes(codes)
    return calls[0]


def test_axes_and_factors_are_drawn_by_name_and_each_factor_adds_up_to_1(perfect, monkeypatch):
    (kind, axes), factors, table = drawn(perfect, monkeypatch)
    assert (kind, axes) == ("axis", ["zs 0", "zu 0", "zu 1"])
    assert factors == ["label", "ink", "size"]
    np.testing.assert_allclose(table, np.eye(3), atol=0.02)
    np.testing.assert_allclose(table.sum(axis=0), 1)
    assert axis_caption(perfect) == factor_codes.CAPTION
    monkeypatch.undo()
    assert draw_factor_codes(perfect)["axis_table"].png.startswith(b"\x89PNG")


def test_of_many_axes_the_most_important_are_drawn_in_their_order(monkeypatch):
    factors = factors_of()
    noise = np.random.default_rng(5).normal(size=(COUNT, 60))
    noise[:, [0, 7, 59]] = exact(factors)
    codes = chosen(noise, factors)
    (_, axes), _, table = drawn(codes, monkeypatch)
    assert len(axes) == len(table) == 40
    assert [axes[row] for row in table.argmax(axis=0)] == ["zs 0", "zu 6", "zu 58"]
    assert axes == sorted(axes, key=codes.axes.index)
    assert "Shows the 40 most important of 60 axes." in axis_caption(codes)


# --- The whole evaluation ---------------------------------------------------------------------


def test_an_evaluation_compares_axes_with_factors_though_some_cannot_be(tmp_path):
    arrays = letter_arrays(240)
    extras = {"serial": np.array([f"s{row}" for row in range(240)]), "site": np.full(240, "here")}
    np.savez(tmp_path / "letters.npz", **arrays, **extras)  # type: ignore[arg-type]
    data, bundle = tmp_path / "letters", letters_bundle("data.validation_share=0.3")
    import_dataset(f"npz:{tmp_path / 'letters.npz'}", data, name="letters")
    report = evaluate(data, bundle, tmp_path / "out")
    found = {number.name: number for number in report.numbers}
    assert found["Axes and factors: DCI disentanglement, forest"].value > 0.9
    assert found["Axes and factors: FactorVAE score"].value > 0.95
    page = (tmp_path / "out" / "evaluation.html").read_text()
    written = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    names = [number["name"] for number in written["numbers"]]
    assert [name for name in names if name.startswith("Axes and factors")] == NAMES
    assert all(name in page for name in NAMES)
    expected = ["code_map", "block_table", "axis_table", "copies", "information_of_axes"]
    assert [name for name in report.captions if not name.startswith("traversal")] == expected
    assert page.count('src="data:image/png;base64,') == len(report.captions)
    notes = " ".join(report.notes)
    assert "60 examples, 4 axes of their mean codes and the factors label, ink, back." in notes
    assert "serial, whose 60 values are too rare among 60 examples" in notes
    assert "site, which has one value" in notes
