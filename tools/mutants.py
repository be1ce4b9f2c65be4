"""Mutants of the lessons' solutions: small changes such as a learner might have made, and what ``check`` says to them.

A mutant is the text of a solution with one change: sparsecourse.exercises.mutants makes them.

python -m tools.mutants [EXERCISE ...]    how many are rejected, how many of these with a sentence, and which survive
"""

import ast
import collections
import contextlib
import io
import linecache
import sys
import warnings

import numpy as np

from sparsecourse.exercises import checking, exercises
from sparsecourse.exercises.mutants import changed, with_change
from sparsecourse.exercises.mutants import mutants as made
from tools import lessons


def mutants(source):
    """Mutants of a solution, (name, text): a name says what was done, to which node, and which of several alike."""
    tree = ast.parse(source)
    named = collections.Counter()
    for done, _, node, text in made(tree):
        name = f"{done}, in {excerpt(node)}"
        named[name] += 1
        yield (name if named[name] == 1 else f"{name} ({named[name]})"), text
    for text in early_returns(tree):
        yield "returned inside the loop", text


def early_returns(tree):
    """The solution with its last return moved to the end of a loop."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and isinstance(function.body[-1], ast.Return):
            for loop in function.body:
                if isinstance(loop, ast.For):
                    early = changed(loop, body=[*loop.body, function.body[-1]])
                    body = [early if part is loop else part for part in function.body[:-1]]
                    whole = with_change(tree, function, changed(function, body=body))
                    yield ast.unparse(ast.fix_missing_locations(whole))


def excerpt(node):
    text = ast.unparse(node).splitlines()[0]
    return text if len(text) <= 60 else text[:57] + "..."


# ------------------------------------------------------------------------------------------------- what check says

TRAINED = {"6.4", "7.5", "8.4", "11.5"}  # the answer is trained, for seconds; each would take minutes
IMPORTS = "import math\nimport numpy as np\nimport torch\nfrom torch import nn"


def scope(notebook, card):
    """The names that an exercise's cell finds: what earlier cells import, define, or set to plain values."""
    names = {"__name__": "lesson"}
    exec(IMPORTS, names)
    for cell in notebook.cells[: card.stub]:
        if cell.cell_type != "code" or "setup" in lessons.tags(cell):
            continue
        lines = [line for line in cell.source.splitlines() if not line.lstrip().startswith("%")]
        for statement in ast.parse("\n".join(lines)).body:
            if isinstance(statement, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)) or is_plain(
                statement
            ):
                with contextlib.suppress(Exception):  # what is made of what a cell computes is not needed
                    exec(compile(ast.Module([statement], []), "lesson", "exec"), names)
    return names


def is_plain(statement):
    """Whether a statement gives a name a value that is written out."""
    if not isinstance(statement, ast.Assign):
        return False
    with contextlib.suppress(ValueError):
        ast.literal_eval(statement.value)
        return True
    return False


def answers(trained=False):
    """Every exercise with the names that its cell finds: (exercise, solution, names).

    Args:
        trained: whether those whose answer is trained are among them.
    """
    known = exercises()
    for path in lessons.pages():
        notebook = lessons.read(path)
        for card in lessons.cards(notebook):
            if trained or card.number not in TRAINED:
                yield known[card.number], card.solution, scope(notebook, card)


def verdict(exercise, source, names):
    """What ``check`` says to an answer; None where there is no answer, because the cell fails."""
    names = dict(names)
    with (
        contextlib.redirect_stdout(io.StringIO()),
        np.errstate(all="ignore"),
        warnings.catch_warnings(action="ignore"),
    ):
        try:
            # as a notebook does it, so that the text of what a cell defines can be looked up
            linecache.cache["answer"] = (len(source), None, source.splitlines(keepends=True), "answer")
            exec(compile(source, "answer", "exec"), names)
        except Exception:
            return None
        return checking.verdict(exercise, names[exercise.answer])


def main(chosen):
    rejected, helped, survivors = 0, 0, []
    for exercise, solution, names in answers():
        if chosen and exercise.number not in chosen:
            continue
        for name, source in mutants(solution):
            found = verdict(exercise, source, names)
            if found and found.solved:
                survivors.append(f"{exercise.number}: {name}")
            elif found:
                rejected += 1
                helped += found.helped
    print("accepted:", *survivors, sep="\n  ")
    print(f"{rejected:,} mutants rejected, {helped / max(rejected, 1):.0%} of them with a sentence")


if __name__ == "__main__":
    main(sys.argv[1:])
