"""ONNX models of a bundle give what the bundle gives; without the converter, what to install."""

import importlib.util

import numpy as np
import pytest
from bundles import digits_bundle, digits_data

import latentloom


def test_onnx_models_give_what_the_bundle_gives(tmp_path):
    pytest.importorskip("tf2onnx")
    runtime = pytest.importorskip("onnxruntime")
    latentloom.export(digits_bundle(), tmp_path / "onnx", to="onnx")
    images = np.stack([r["image"] for r in latentloom.open_dataset(digits_data())[:40]])
    bundle = latentloom.load_bundle(digits_bundle())

    def run(name, **inputs):
        session = runtime.InferenceSession(tmp_path / "onnx" / f"{name}.onnx")
        outputs = [output.name for output in session.get_outputs()]
        return dict(zip(outputs, session.run(None, inputs), strict=True))

    latents = bundle.encode(images)
    for name, block in run("encode", observations=images).items():
        np.testing.assert_allclose(block, latents[name], atol=1e-4)
    for name, read in run("judge", observations=images).items():
        np.testing.assert_allclose(read, bundle.judge(images)[name], atol=1e-4)
    made, decoded = run("decode", **latents)["observations"], bundle.decode(latents)
    assert np.abs(made.astype(int) - decoded.astype(int)).max() <= 1
    assert run("encode", observations=images[:1])["zu"].shape == latents["zu"][:1].shape


@pytest.mark.skipif(importlib.util.find_spec("tf2onnx") is not None, reason="it is installed")
def test_without_the_converter_it_is_told_what_to_install(tmp_path):
    with pytest.raises(ValueError, match=r"pip install 'latentloom\[onnx\]'"):
        latentloom.export(digits_bundle(), tmp_path / "out", to="onnx")
    assert not (tmp_path / "out").exists()


def test_an_operator_that_onnx_lacks_is_told(tmp_path, monkeypatch):
    pytest.importorskip("tf2onnx")
    onnx = pytest.importorskip("onnx")

    def refuse(model):
        raise onnx.checker.ValidationError("No Op registered for Bitcast")

    monkeypatch.setattr(onnx.checker, "check_model", refuse)
    with pytest.raises(ValueError, match="'zszu_vae' cannot be converted.*--to saved_model"):
        latentloom.export(digits_bundle(), tmp_path / "out", to="onnx")
    assert not (tmp_path / "out").exists()
