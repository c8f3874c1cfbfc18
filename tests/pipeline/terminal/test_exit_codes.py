"""Which errors are refusals, and which still show a trace."""

import struct
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.message import DecodeError

from latentloom.pipeline.terminal.exit_codes import (
    FAILED_RUN,
    USERS_MISTAKE,
    exit_code,
    is_refusal,
    reported_errors,
)


def raised(source: str, module: str = "latentloom.invented") -> Exception:
    """The error of a line in a module of ours."""
    try:
        exec(compile(source, module, "exec"), {"__name__": module, "np": np, "tf": tf})
    except Exception as error:
        return error
    raise AssertionError(source)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("raise ValueError('Expected: 1.')", USERS_MISTAKE),
        ("raise TypeError('Expected: an integer.')", USERS_MISTAKE),
        ("raise FileNotFoundError('nowhere')", USERS_MISTAKE),
        ("open('/no/such/file')", USERS_MISTAKE),
        ("raise RuntimeError('The run stopped.')", FAILED_RUN),
    ],
)
def test_what_our_code_raises_is_a_refusal(source, code):
    error = raised(source)
    assert is_refusal(error)
    assert exit_code(error) == code


@pytest.mark.parametrize(
    "source",
    [
        *("{}['key']", "[][0]", "int('seven')", "b'\\xff'.decode()", "1 + 'a'", "2.0 ** 5000"),
        *("np.zeros(-1)", "tf.reshape([1, 2, 3], [2])"),
    ],
)
def test_a_bug_of_ours_and_an_error_of_a_library_show_their_trace(source):
    error = raised(source)
    assert not is_refusal(error)
    assert exit_code(error) == FAILED_RUN


@pytest.mark.parametrize(
    "kind",
    [
        *(KeyError, IndexError, MemoryError, OverflowError, EOFError, RecursionError),
        *(zipfile.BadZipFile, zlib.error, struct.error, DecodeError, UnicodeDecodeError),
        *(tf.errors.ResourceExhaustedError, tf.errors.DataLossError),
    ],
)
def test_what_libraries_raise_is_reported(kind):
    assert issubclass(kind, reported_errors())


@pytest.mark.parametrize("kind", [AttributeError, NameError, AssertionError, KeyboardInterrupt])
def test_what_only_a_bug_raises_is_not(kind):
    assert not issubclass(kind, reported_errors())


def test_the_list_needs_no_tensorflow():
    program = (
        "import sys; from latentloom.pipeline.terminal.exit_codes import reported_errors;"
        "reported_errors(); sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
