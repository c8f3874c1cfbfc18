import subprocess
import sys

from latentloom import augment

PROBE = """
import sys
before = set(sys.modules)
import latentloom.augment
new = set(sys.modules) - before
own = {".".join(name.split(".")[:2]) for name in new if name.startswith("latentloom.")}
loaded = own | {name.partition(".")[0] for name in new} - {"latentloom"}
print(sorted(loaded - set(sys.stdlib_module_names)))
"""


def test_importing_augment_loads_numpy_and_nothing_else():
    run = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['latentloom.augment', 'numpy']"
    for heavy in ("tensorflow", "keras", "apache_beam"):
        assert heavy not in run.stdout


def test_every_public_name_exists_and_is_listed_once():
    assert len(set(augment.__all__)) == len(augment.__all__)
    assert all(hasattr(augment, name) for name in augment.__all__)
