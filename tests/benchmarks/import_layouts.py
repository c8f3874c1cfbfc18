"""CPU seconds and peak memory of `import` by layout, beside a plain TensorFlow loop.

    python tests/benchmarks/import_layouts.py [--python PATH] [--repeats 3] [--out FILE]
        [--photos 10000] [--records 100000]

Photographs are JPEG of 256 x 256 in two folders, and the same files in TFRecords, made 64 x 64; npz
has grey images of 28 x 28. The loop decodes, resizes, encodes PNG and writes the same features with
TensorFlow alone. `slope` is the peak of the work less that of a tenth of the examples, in bytes for
each further example.
"""

from __future__ import annotations

import importlib
import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from children import Work, arguments, do_work, report, run_works

SIDE, SMALL, DIGIT = 256, 64, 28


def make_photos(folder: Path, count: int) -> None:
    """Writes JPEG files of smooth random colours, in two classes, and TFRecords of the same."""
    import tensorflow as tf
    from PIL import Image

    rng = np.random.default_rng(0)
    with tf.io.TFRecordWriter(str(folder / "train-00000-of-00001.tfrecord")) as writer:
        for number in range(count):
            tiles = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            stream = io.BytesIO()
            Image.fromarray(tiles).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(
                stream, "JPEG", quality=90
            )
            place = folder / "photos" / "ab"[number % 2]
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{number:06d}.jpg").write_bytes(stream.getvalue())
            writer.write(_example(stream.getvalue(), number % 2).SerializeToString())


def make_digits(path: Path, count: int) -> None:
    """Writes an archive of grey images with ten classes."""
    images = np.random.default_rng(0).integers(0, 256, (count, DIGIT, DIGIT), dtype=np.uint8)
    np.savez(path, images=images, label=np.arange(count) % 10)


def _example(image: bytes, label: int, number: int | None = None):
    import tensorflow as tf

    features = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    if number is not None:
        texts = tf.train.BytesList(value=[str(number).encode()])
        features["example_id"] = tf.train.Feature(bytes_list=texts)
    return tf.train.Example(features=tf.train.Features(feature=features))


def ours(room: str, layout: str, folder: str, out: str) -> Work:
    """Returns our import of a layout."""
    module = importlib.import_module(f"{room}.importing.import_dataset")
    source, options = {
        "folder": (f"folder:{folder}/photos", {"image_size": SMALL}),
        "tfrecord": (f"tfrecord:{folder}/train-*.tfrecord", {"image_size": SMALL}),
        "npz": (f"npz:{folder}/digits.npz", {}),
    }[layout]
    return lambda: module.import_dataset(source, out, **options).manifest.totals["written"]


def tensorflow_loop(room: str, layout: str, folder: str, out: str) -> Work:
    """Returns a plain loop over the same images."""
    import tensorflow as tf

    def small(data: bytes) -> np.ndarray:
        image = tf.io.decode_jpeg(data, channels=3)
        resized = tf.image.resize(image, (SMALL, SMALL), antialias=True)
        return tf.cast(tf.clip_by_value(tf.round(resized), 0, 255), tf.uint8)

    def photos() -> Iterator[tuple[np.ndarray, int]]:
        for path in sorted(Path(folder, "photos").glob("*/*.jpg")):
            yield small(tf.io.read_file(str(path))), "ab".index(path.parent.name)

    def records() -> Iterator[tuple[np.ndarray, int]]:
        for record in tf.data.TFRecordDataset(f"{folder}/train-00000-of-00001.tfrecord"):
            found = tf.train.Example.FromString(record.numpy()).features.feature
            yield small(found["image"].bytes_list.value[0]), found["label"].int64_list.value[0]

    def digits() -> Iterator[tuple[np.ndarray, int]]:
        with np.load(f"{folder}/digits.npz") as arrays:
            yield from zip(arrays["images"][..., None], arrays["label"].tolist(), strict=True)

    read: Callable[[], Iterator] = {"folder": photos, "tfrecord": records, "npz": digits}[layout]

    def work() -> int:
        number = -1
        with tf.io.TFRecordWriter(out) as writer:
            for number, (image, label) in enumerate(read()):
                png = tf.io.encode_png(image).numpy()
                writer.write(_example(png, label, number).SerializeToString())
        return number + 1

    return work


def make(room: str, photos: str, records: str, folder: str) -> Work:
    """Returns what makes the images: a child's, since a large parent shows in peaks of children."""

    def work() -> int:
        make_photos(Path(folder), int(photos))
        make_digits(Path(folder, "digits.npz"), int(records))
        return int(photos) + int(records)

    return work


READERS = {"import": ours, "tensorflow_loop": tensorflow_loop}
WORKS = {**READERS, "make": make}


def main() -> None:
    """Makes the images, runs both works on each layout in turn, and prints what they took."""
    parser = arguments(__doc__)
    parser.add_argument("--photos", type=int, default=10_000)
    parser.add_argument("--records", type=int, default=100_000)
    options = parser.parse_args()
    if options.work:
        do_work(WORKS, *options.work)
        return
    found: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as place:
        for name, divisor in {"few": 10, "many": 1}.items():
            folder = Path(place, name)
            folder.mkdir()
            counts = [str(number // divisor) for number in (options.photos, options.records)]
            run_works(_once(options), ["make"], *counts, str(folder))
        for layout in ("folder", "tfrecord", "npz"):
            found[layout] = measure(options, layout, Path(place))
    report(options, found)


def measure(options, layout: str, place: Path) -> dict:
    """Runs both works on a layout; adds the ratio of their speeds and the slope of our memory."""
    runs: dict[str, list] = {name: [] for name in READERS}
    once, few = _once(options), []
    for _ in range(options.repeats):
        for name in READERS:
            with tempfile.TemporaryDirectory() as out:
                words = (layout, str(place / "many"), f"{out}/out")
                runs[name] += run_works(once, [name], *words)[name]
        with tempfile.TemporaryDirectory() as out:
            words = (layout, str(place / "few"), f"{out}/out")
            few += run_works(once, ["import"], *words)["import"]
    speeds = {n: max(r["examples_a_cpu_second"] for r in found) for n, found in runs.items()}
    peaks = [min(run["peak_mib"] for run in found) for found in (few, runs["import"])]
    count = options.records if layout == "npz" else options.photos
    slope = (peaks[1] - peaks[0]) * (1 << 20) / (0.9 * count)
    return {**runs, "ratio": speeds["import"] / speeds["tensorflow_loop"], "slope": slope}


def _once(options):
    return arguments(None).parse_args(["--python", options.python, "--repeats", "1"])


if __name__ == "__main__":
    main()
