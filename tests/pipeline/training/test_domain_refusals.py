"""Data that do not allow translation are refused by `train`, before anything is written."""

import numpy as np
import pytest
from typer.testing import CliRunner

from latentloom.pipeline.command import app
from latentloom.pipeline.importing.import_dataset import import_dataset

CONFIG = "model: {name: drit, args: {domain: site}}\n"


def saved(folder, sites, labels=None, side=16, **factors):
    """A data set of noise with a site and a label of each image."""
    count = len(sites)
    images = np.random.default_rng(0).integers(0, 256, (count, side, side, 1), dtype=np.uint8)
    labels = np.arange(count) % 2 if labels is None else labels
    columns = {"images": images, "label": labels, "site": sites, **factors}
    np.savez(folder / "some.npz", **columns)
    import_dataset(f"npz:{folder / 'some.npz'}", folder / "data")


HALVES = np.repeat(["a", "b"], 50)


@pytest.mark.parametrize(
    ("data", "settings", "message"),
    [
        ({"sites": np.repeat("a", 100)}, [], "Factor 'site' has one domain"),
        ({"sites": np.repeat(["a", "b"], [90, 10])}, [], "too few training examples"),
        (
            {"sites": HALVES, "labels": np.repeat([0, 1], 50)},
            [],
            "Domain 'site' tells the label",
        ),
        ({"sites": HALVES, "side": 12}, [], "at least 16 pixels"),
        ({"sites": HALVES}, ["model.args.domain=sit"], "Did you mean 'site'?"),
        ({"sites": HALVES}, ["train.batch_size=1"], "no room for a pair"),
        ({"sites": HALVES}, ["model.args.content_noise=-1"], "`content_noise` is wrong"),
    ],
)
def test_train_refuses_with_one_message_and_writes_nothing(tmp_path, data, settings, message):
    saved(tmp_path, **data)
    (tmp_path / "drit.yaml").write_text(CONFIG)
    line = ["train", str(tmp_path / "drit.yaml"), "--data", str(tmp_path / "data")]
    line += ["--out", str(tmp_path / "bundle")]
    done = CliRunner().invoke(
        app, [*line, *(word for setting in settings for word in ("--set", setting))]
    )
    assert done.exit_code != 0
    assert message in (str(done.exception) + done.output)
    assert not list((tmp_path / "bundle").glob("*"))
