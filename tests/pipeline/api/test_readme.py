"""The example of the page on use in a program runs."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "pipeline" / "README.md"


def test_the_example_keeps_the_class_of_its_images(folder):
    found = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (code,) = [code for code in found if "load_bundle" in code]
    names = {}
    exec(compile(code, PAGE.name, "exec"), names)
    assert names["variants"].shape == names["images"].shape == (4, 8, 8, 1)
    assert (names["sure"] > 0.1).all()
