"""The verb `demo`: the whole job on an embedded data set."""

from __future__ import annotations

from pathlib import Path

from pipeline.config import Config, parse_config
from pipeline.generation import generate
from pipeline.importing import import_dataset
from pipeline.progress import ProgressDisplay
from pipeline.report.schema import Report
from pipeline.reporting import report_on
from pipeline.training import train_bundle
from pipeline.verification import verify

SOURCE = "builtin:digits"


def demo_config() -> Config:
    """The configuration of the demo, that of configs/zszu_digits.yaml."""
    return parse_config(
        {
            "model": {
                "args": {
                    "network": "dense",
                    "zs_dim": 8,
                    "zu_dim": 16,
                    "hidden_dim": 128,
                    "noise_variance": 0.1,
                    "likelihood_weight": 1,
                }
            },
            "train": {"epochs": 150, "batch_size": 96, "learning_rate": 0.002},
            "judge": {"epochs": 150},
            "generate": {"variants_per_example": 4},
            "evaluate": {"anchors": 500, "variants": 8},
        },
        "the demo",
    )


def run_demo(out: Path, *, overwrite: bool, display: ProgressDisplay) -> Report:
    """Imports, trains, generates, verifies and reports into the folders of `out`.

    What an earlier demo has finished there is kept, unless `overwrite`.
    """
    config = demo_config()
    data, model, variants = (out / name for name in ("data", "bundle", "variants"))
    if overwrite or not data.exists():
        with display.stage("import") as advance:
            import_dataset(SOURCE, data, overwrite=overwrite, progress=advance)
    train_bundle(config, data, model, resume=True, overwrite=overwrite, display=display)
    with display.stage("generate") as advance:
        generate(config, data, model, variants, overwrite=overwrite, progress=advance)
    with display.stage("verify") as advance:
        if problems := verify(variants).problems:
            raise RuntimeError(
                f"The demo wrote a damaged data set: '{problems[0].file}' {problems[0].reason}. "
                "Check the disk and run it again."
            )
        advance(1, 1)
    with display.stage("report") as advance:
        report = report_on(config, data, model, variants)
        advance(1, 1)
    return report
