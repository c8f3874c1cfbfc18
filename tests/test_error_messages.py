"""Every error that a user may read has one form: problem, rule, value, remedy.

The form is read from the source: `What is wrong. Expected: rule. Received: name=value. Fix it.` A
message that is no sentence is a fragment: `told_of_file`, pydantic or a caller puts it behind
`Received:` or `Expected:` of a message that has the form.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("augment", "model_zoo", "pipeline")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
FORM = re.compile(r"(?s)\S.*[.:] Expected: .+\. Received: .+[.?)}]\s\S")
EXPLAINED = {
    ("pipeline/config/config.py", "In {}: {}"): "`explain` returns the form for every wrong key",
    ("pipeline/beam_transforms/variant_job.py", "In the arguments of {}: {}"): (
        "`explain` returns the form for every wrong setting"
    ),
    ("model_zoo/training/checkpoints.py", "Training diverged. Expected: {}, in epoch {}. Lower"): (
        "models return `Received` in their symptom of divergence"
    ),
}
"""Messages whose form is elsewhere, with the reason; by file and beginning."""


def text_of(node: ast.AST | None, functions: dict[str, ast.FunctionDef]) -> str:
    """Returns the literal text of an expression, `{}` for values; "" if it has none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part, functions) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return "{}"
    if isinstance(node, ast.BinOp):
        return text_of(node.left, functions) + text_of(node.right, functions)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        function = functions.get(node.func.id)
        returned = (
            [each for each in ast.walk(function) if isinstance(each, ast.Return)]
            if (function)
            else []
        )
        return text_of(returned[-1].value, functions) if returned else ""
    return ""


def messages(path: Path):
    """Yields line and text of the message of every error that a module makes."""
    tree = ast.parse(path.read_text())
    functions = {each.name: each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name.endswith("Error") and node.args:
                texts = [text_of(argument, functions) for argument in node.args]
                yield node.lineno, max(texts, key=len)


def is_fragment(text: str) -> bool:
    starts_inside = not text[:1].isupper()
    return starts_inside and not re.search(r"[.?]( |$)", text)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_message_says_what_was_expected_and_received_and_what_to_do(path):
    file = path.relative_to(ROOT).as_posix()
    known = [start for name, start in EXPLAINED if name == file]
    odd = [
        f"{file}:{line}: {text}"
        for line, text in messages(path)
        if text
        and not is_fragment(text)
        and not FORM.match(text)
        and not text.startswith(tuple(known) or "\0")
    ]
    assert not odd


def test_the_exceptions_exist():
    for file, start in EXPLAINED:
        texts = [text for _, text in messages(ROOT / file)]
        assert any(text.startswith(start) for text in texts), (file, start)


@pytest.mark.parametrize(
    "text",
    [
        "There is no folder 'x'. Check the path.",
        "A worker died.",
        "No file matches. Expected: a pattern. Correct it.",
        "It is odd. Expected: 3. Received: 4.",
    ],
)
def test_a_message_without_the_form_would_be_found(text):
    assert not is_fragment(text)
    assert not FORM.match(text)
