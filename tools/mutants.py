"""Mutants of the lessons' solutions: small changes such as a learner might have made, and what ``check`` says to them.

A mutant is the text of a solution with one change. Each operator is given one node of the solution's tree and yields
(what was done, the node to put in its place).

python -m tools.mutants [EXERCISE ...]    how many are rejected, how many of these with a sentence, and which survive
"""

import ast
import collections
import contextlib
import copy
import io
import sys
import warnings

import numpy as np

from sparsecourse.exercises import checking, exercises
from tools import lessons

COMPARISONS = {
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.GtE],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.LtE],
    ast.Eq: [ast.NotEq, ast.LtE, ast.GtE],
    ast.NotEq: [ast.Eq, ast.Lt, ast.Gt],
}
ARITHMETIC = {
    ast.Add: [ast.Sub, ast.Mult],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Add, ast.Div],
    ast.Div: [ast.Mult, ast.FloorDiv],
    ast.FloorDiv: [ast.Div, ast.Mult],
    ast.Pow: [ast.Mult],
    ast.MatMult: [ast.Mult],
}
FUNCTIONS = {  # of numpy, of arrays, and Python's own
    "round": ["int", "math.ceil"],
    "mean": ["sum", "median", "max"],
    "sum": ["mean", "max", "count_nonzero"],
    "max": ["min", "sum"],
    "min": ["max"],
    "maximum": ["minimum"],
    "minimum": ["maximum"],
    "any": ["all"],
    "all": ["any"],
    "idxmax": ["idxmin"],
    "zeros": ["ones"],
    "ones": ["zeros"],
    "sqrt": ["square"],
    "cumsum": ["cumprod"],
    "std": ["var"],
}
DROPPED = {"abs", "sqrt", "sign", "sum", "mean", "round", "int", "float", "bool", "maximum", "square"}
MISSING = ("axis", "ddof", "dtype")


def name_of(call):
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def comparisons(node):
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for kind in COMPARISONS.get(type(node.ops[0]), ()):
            yield f"{type(node.ops[0]).__name__} to {kind.__name__}", changed(node, ops=[kind()])
        zero = node.comparators[0]
        if isinstance(zero, ast.Constant) and zero.value == 0 and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            near = ast.parse(f"np.abs({ast.unparse(node.left)}) < 1e-6", mode="eval").body
            far = ast.parse(f"np.abs({ast.unparse(node.left)}) >= 1e-6", mode="eval").body
            yield "zero to near zero", near if isinstance(node.ops[0], ast.Eq) else far


def arithmetic(node):
    if isinstance(node, ast.BinOp):
        for kind in ARITHMETIC.get(type(node.op), ()):
            yield f"{type(node.op).__name__} to {kind.__name__}", changed(node, op=kind())
        yield "right operand dropped", node.left
        yield "left operand dropped", node.right
        if isinstance(node.op, (ast.Sub, ast.Div, ast.MatMult, ast.Pow, ast.FloorDiv)):
            yield "operands swapped", changed(node, left=node.right, right=node.left)
        if isinstance(node.op, ast.MatMult):
            for side in ("left", "right"):
                yield f"{side} transposed", changed(node, **{side: transposed(getattr(node, side))})
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Invert, ast.Not)):
        yield "sign or not dropped", node.operand
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
        yield "+= to =", ast.Assign([node.target], node.value)


def transposed(node):
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    return ast.Attribute(node, "T", ast.Load())


def logic(node):
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "and to or" if isinstance(node.op, ast.And) else "or to and", changed(node, op=other)
        for k in range(len(node.values)):
            rest = node.values[:k] + node.values[k + 1 :]
            yield f"condition {k} dropped", rest[0] if len(rest) == 1 else changed(node, values=rest)
    if isinstance(node, (ast.If, ast.IfExp)):
        for value in (True, False):
            yield f"always {value}", changed(node, test=ast.Constant(value))


def constants(node):
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for step in (1, -1):
            yield f"{node.value} to {node.value + step}", ast.Constant(node.value + step)
        if node.value not in (0, 1):
            yield f"{node.value} to 1", ast.Constant(1)


def calls(node):
    if not isinstance(node, ast.Call):
        return
    for other in FUNCTIONS.get(name_of(node), ()):
        if isinstance(node.func, ast.Attribute) and "." not in other:
            yield f"{name_of(node)} to {other}", changed(node, func=changed(node.func, attr=other))
        elif isinstance(node.func, ast.Name):
            yield f"{name_of(node)} to {other}", changed(node, func=ast.parse(other, mode="eval").body)
    if name_of(node) in DROPPED:
        inner = node.args[0] if node.args else node.func.value
        if not isinstance(inner, ast.GeneratorExp):
            yield f"{name_of(node)} dropped", inner
    if len(node.args) == 2:
        yield "arguments swapped", changed(node, args=node.args[::-1])
    for k, keyword in enumerate(node.keywords):
        rest = node.keywords[:k] + node.keywords[k + 1 :]
        if keyword.arg in MISSING:
            yield f"{keyword.arg} dropped", changed(node, keywords=rest)
        if keyword.arg == "axis" and isinstance(keyword.value, ast.Constant):
            swapped = ast.keyword("axis", ast.Constant(1 - (keyword.value.value or 0)))
            yield "other axis", changed(node, keywords=[*rest, swapped])
    if name_of(node) == "zeros" and not any(keyword.arg == "dtype" for keyword in node.keywords):
        whole = ast.keyword("dtype", ast.Name("int", ast.Load()))
        yield "whole numbers", changed(node, keywords=[*node.keywords, whole])
    if name_of(node) == "range":
        last = node.args[min(1, len(node.args) - 1)]
        fewer = ast.BinOp(last, ast.Sub(), ast.Constant(1))
        args = [fewer] if len(node.args) == 1 else [node.args[0], fewer, *node.args[2:]]
        yield "one turn fewer", changed(node, args=args)


def subscripts(node):
    if isinstance(node, ast.Slice):
        for end in ("lower", "upper", "step"):
            if getattr(node, end) is not None:
                yield f"{end} dropped", changed(node, **{end: None})
        for end in ("lower", "upper"):
            if getattr(node, end) is not None:
                for step in (1, -1):
                    moved = ast.BinOp(getattr(node, end), ast.Add(), ast.Constant(step))
                    yield f"{end} {step:+}", changed(node, **{end: moved})
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
        yield "axes swapped", changed(node, slice=changed(node.slice, elts=node.slice.elts[::-1]))
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "not transposed", node.value
    if isinstance(node, (ast.Tuple, ast.List)) and isinstance(node.ctx, ast.Load) and len(node.elts) == 2:
        yield "order swapped", changed(node, elts=node.elts[::-1])


def statements(node):
    if isinstance(node, (ast.For, ast.While)):
        yield "only the first turn", changed(node, body=[*node.body, ast.Break()])
    if isinstance(node, ast.Return) and node.value is not None:
        for words, text in {
            "result cut to whole numbers": "np.asarray({}).astype(int)",
            "result transposed": "np.transpose({})",
            "result plus one": "np.asarray({}) + 1",
            "result of the other sign": "-np.asarray({})",
            "result rounded": "np.round({}, 2)",
        }.items():
            yield words, ast.Return(ast.parse(text.format(ast.unparse(node.value)), mode="eval").body)


OPERATORS = (comparisons, arithmetic, logic, constants, calls, subscripts, statements)


def changed(node, **fields):
    """A copy of a node with other fields."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def mutants(source):
    """Mutants of a solution, (name, text): a name says what was done, to which node, and which of several alike."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    spoken = {id(part) for each in nodes if isinstance(each, ast.Expr) for part in ast.walk(each)}  # docstrings
    texts, named = {ast.unparse(tree)}, collections.Counter()
    for node in nodes:
        if id(node) in spoken:
            continue
        for operator in OPERATORS:
            for words, other in operator(node):
                text = ast.unparse(ast.fix_missing_locations(with_change(tree, node, other)))
                if text not in texts:
                    texts.add(text)
                    name = f"{words}, in {excerpt(node)}"
                    named[name] += 1
                    yield (name if named[name] == 1 else f"{name} ({named[name]})"), text
    for text in early_returns(tree):
        if text not in texts:
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


def with_change(tree, node, other):
    """A copy of a tree with another node in one node's place."""
    if tree is node:
        return copy.deepcopy(other)
    if isinstance(tree, list):
        return [with_change(part, node, other) for part in tree]
    if isinstance(tree, ast.AST):
        return type(tree)(**{name: with_change(value, node, other) for name, value in ast.iter_fields(tree)})
    return tree


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


def answers():
    """Every exercise with the names that its cell finds: (exercise, solution, names)."""
    known = exercises()
    for path in lessons.paths():
        notebook = lessons.read(path)
        for card in lessons.cards(notebook):
            if card.number not in TRAINED:
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
            exec(compile(source, "answer", "exec"), names)
        except Exception:
            return None
        return checking.verdict(exercise, names[exercise.answer])


def has_sentence(exercise, words):
    """Whether a verdict says more than what came out."""
    return len(words.splitlines()) > 1 or any(mistake.sentence in words for mistake in exercise.mistakes)


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
                helped += has_sentence(exercise, found.words)
    print("accepted:", *survivors, sep="\n  ")
    print(f"{rejected:,} mutants rejected, {helped / max(rejected, 1):.0%} of them with a sentence")


if __name__ == "__main__":
    main(sys.argv[1:])
