"""CPU seconds and peak memory of `import` of MNIST, beside a `tf.io` loop and `tfds build`.

    python tests/benchmarks/import_speed.py [--python PATH] [--repeats 3] [--mnist DIR] [--out FILE]

Each work writes PNG, label and id of the 70,000 images to TFRecord files.
"""

from __future__ import annotations

import gzip
import importlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from children import Work, arguments, do_work, report, run_command, run_works


def images_of(mnist: str) -> Iterator[tuple[np.ndarray, int]]:
    """Yields the images and labels of both splits."""
    for prefix in ("train", "t10k"):
        files = (f"{prefix}-images-idx3-ubyte.gz", f"{prefix}-labels-idx1-ubyte.gz")
        data = [gzip.decompress(Path(mnist, file).read_bytes()) for file in files]
        images = np.frombuffer(data[0], np.uint8, offset=16).reshape(-1, 28, 28, 1)
        yield from zip(images, np.frombuffer(data[1], np.uint8, offset=8).tolist(), strict=True)


def import_(room: str, mnist: str, out: str) -> Work:
    """Returns our import."""
    try:
        module = importlib.import_module(f"{room}.importing.import_dataset")
    except ModuleNotFoundError:
        module = importlib.import_module(f"{room}.importing")

    return lambda: module.import_dataset(f"idx:{mnist}", out).manifest.totals["written"]


def tf_io_loop(room: str, mnist: str, out: str) -> Work:
    """Returns a plain loop over `tf.io`."""
    import tensorflow as tf

    def texts(*values: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))

    def work() -> int:
        number = -1
        with tf.io.TFRecordWriter(out) as writer:
            for number, (image, label) in enumerate(images_of(mnist)):
                features = {
                    "image": texts(tf.io.encode_png(image).numpy()),
                    "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
                    "example_id": texts(str(number).encode()),
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
        return number + 1

    return work


def tfds_build(room: str, mnist: str, out: str) -> Work:
    """Returns what `tfds build` does."""
    import tensorflow_datasets as tfds

    class BenchMnist(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self) -> tfds.core.DatasetInfo:
            features = {
                "image": tfds.features.Image(shape=(28, 28, 1)),
                "label": tfds.features.ClassLabel(num_classes=10),
                "example_id": tfds.features.Text(),
            }
            described = tfds.features.FeaturesDict(features)
            return tfds.core.DatasetInfo(builder=self, features=described)

        def _split_generators(self, manager: tfds.download.DownloadManager) -> dict:
            return {"train": self._generate_examples()}

        def _generate_examples(self) -> Iterator[tuple[int, dict]]:
            for number, (image, label) in enumerate(images_of(mnist)):
                yield number, {"image": image, "label": label, "example_id": str(number)}

    def work() -> int:
        builder = BenchMnist(data_dir=out)
        builder.download_and_prepare()
        return builder.info.splits["train"].num_examples

    return work


WORKS = {"import_dataset": import_, "tf_io_loop": tf_io_loop, "tfds_build": tfds_build}


def main() -> None:
    """Runs the command and the works in turn, and prints what they took."""
    options = arguments(__doc__).parse_args()
    if options.work:
        do_work(WORKS, *options.work)
        return
    mnist, found = str(Path(options.mnist).resolve()), {"command": []}
    for _ in range(options.repeats):
        with tempfile.TemporaryDirectory() as place:
            ran = run_command(options.python, "import", f"idx:{mnist}", f"{place}/data")
        found["command"].append(ran)
        once = arguments(None).parse_args(["--python", options.python, "--repeats", "1"])
        for name in WORKS:
            with tempfile.TemporaryDirectory() as place:
                runs = run_works(once, {name: WORKS[name]}, mnist, f"{place}/out")
            found.setdefault(name, []).extend(runs[name])
    report(options, found)


if __name__ == "__main__":
    main()
