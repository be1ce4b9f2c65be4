"""What a function becomes by one slip: ``<`` for ``<=``, a mean for a sum, the other axis, a root left out.

A mutant is a function with one change. ``check`` compares a wrong answer with the mutants of the right one: that an
answer does what a mutant does, says where to look. The tests make mutants of every solution and see that none of them
passes. Each operator is given one node of a function's tree and yields (what was done, a sentence for those who did it,
the node to put in its place).
"""

import ast
import copy

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
SIGNS = {
    **{ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="},
    **{ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Pow: "**", ast.MatMult: "@"},
    **{ast.And: "and", ast.Or: "or"},
}
NAMES = {
    **{ast.Add: "sum", ast.Sub: "difference", ast.Mult: "product", ast.Div: "fraction", ast.FloorDiv: "fraction"},
    **{ast.Pow: "power", ast.MatMult: "matrix product"},
}
BOUNDS = {frozenset((ast.Lt, ast.LtE)), frozenset((ast.Gt, ast.GtE))}
FUNCTIONS = {  # of numpy, of arrays, and Python's own
    "round": ["int", "math.ceil"],
    "mean": ["sum", "median", "max"],
    "sum": ["mean", "max", "count_nonzero"],
    "count_nonzero": ["sum"],
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


def instead(wrong, right):
    return f"That is what comes out with `{wrong}` where `{right}` belongs."


def comparisons(node):
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        old = type(node.ops[0])
        for kind in COMPARISONS.get(old, ()):
            words = "A comparison is reversed, or lets more through than it should."
            if frozenset((old, kind)) in BOUNDS:
                words = f"Exactly at the bound it decides otherwise: `{SIGNS[kind]}`, or `{SIGNS[old]}`?"
            yield f"{old.__name__} to {kind.__name__}", words, changed(node, ops=[kind()])
        zero = node.comparators[0]
        if isinstance(zero, ast.Constant) and zero.value == 0 and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            near = ast.parse(f"np.abs({ast.unparse(node.left)}) < 1e-6", mode="eval").body
            far = ast.parse(f"np.abs({ast.unparse(node.left)}) >= 1e-6", mode="eval").body
            words = "What is small is taken for zero. Only an exact zero is one."
            yield "zero to near zero", words, near if isinstance(node.ops[0], ast.Eq) else far


def arithmetic(node):
    if isinstance(node, ast.BinOp) and type(node.op) in NAMES:
        old, what = type(node.op), NAMES[type(node.op)]
        for kind in ARITHMETIC[old]:
            words = instead(SIGNS[kind], SIGNS[old])
            yield f"{old.__name__} to {kind.__name__}", words, changed(node, op=kind())
        left_out = f"A part is left out of a {what}."
        yield "right operand dropped", left_out, node.left
        yield "left operand dropped", left_out, node.right
        if old in (ast.Sub, ast.Div, ast.MatMult, ast.Pow, ast.FloorDiv):
            turned = f"The two sides of a {what} are swapped."
            yield "operands swapped", turned, changed(node, left=node.right, right=node.left)
        if old is ast.MatMult:
            words = "A matrix is transposed that should not be, or the other way round."
            for side in ("left", "right"):
                yield f"{side} transposed", words, changed(node, **{side: transposed(getattr(node, side))})
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Invert, ast.Not)):
        yield "sign or not dropped", "A minus is missing, or a `not`.", node.operand
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
        words = "Each turn of a loop replaces what the turns before gave: add up with `+=`."
        yield "+= to =", words, ast.Assign([node.target], node.value)


def transposed(node):
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    return ast.Attribute(node, "T", ast.Load())


def logic(node):
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        new, old = SIGNS[type(other)], SIGNS[type(node.op)]
        yield f"{old} to {new}", instead(new, old), changed(node, op=other)
        for k in range(len(node.values)):
            rest = node.values[:k] + node.values[k + 1 :]
            words = "One of the conditions is missing."
            yield f"condition {k} dropped", words, rest[0] if len(rest) == 1 else changed(node, values=rest)
    if isinstance(node, (ast.If, ast.IfExp)):
        for value in (True, False):
            words = "It does the same in every case: one of its branches is never taken, or always."
            yield f"always {value}", words, changed(node, test=ast.Constant(value))


def constants(node):
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for step in (1, -1):
            words = "A number in it is one too large or one too small."
            yield f"{node.value} to {node.value + step}", words, ast.Constant(node.value + step)
        if node.value not in (0, 1):
            yield f"{node.value} to 1", f"A factor, a power or a number is missing: {node.value}.", ast.Constant(1)


def calls(node):
    if not isinstance(node, ast.Call):
        return
    name = name_of(node)
    for other in FUNCTIONS.get(name, ()):
        words = instead(other.split(".")[-1], name)
        if isinstance(node.func, ast.Attribute) and "." not in other:
            yield f"{name} to {other}", words, changed(node, func=changed(node.func, attr=other))
        elif isinstance(node.func, ast.Name):
            yield f"{name} to {other}", words, changed(node, func=ast.parse(other, mode="eval").body)
    if name in DROPPED:
        inner = node.args[0] if node.args else getattr(node.func, "value", None)
        if inner is not None and not isinstance(inner, ast.GeneratorExp):
            yield f"{name} dropped", f"A step is missing: `{name}`.", inner
    if len(node.args) == 2:
        yield "arguments swapped", "Two arguments stand in the wrong order.", changed(node, args=node.args[::-1])
    for k, keyword in enumerate(node.keywords):
        rest = node.keywords[:k] + node.keywords[k + 1 :]
        if keyword.arg in MISSING:
            yield f"{keyword.arg} dropped", f"`{keyword.arg}=` is missing.", changed(node, keywords=rest)
        if keyword.arg == "axis" and isinstance(keyword.value, ast.Constant):
            words = "Rows and columns: `axis=0` goes down each column, `axis=1` along each row."
            swapped = ast.keyword("axis", ast.Constant(1 - (keyword.value.value or 0)))
            yield "other axis", words, changed(node, keywords=[*rest, swapped])
    if name == "zeros" and not any(keyword.arg == "dtype" for keyword in node.keywords):
        words = "The digits after the decimal point are lost: an array with `dtype=int` holds whole numbers only."
        whole = ast.keyword("dtype", ast.Name("int", ast.Load()))
        yield "whole numbers", words, changed(node, keywords=[*node.keywords, whole])
    if name == "range":
        words = "A loop ends one turn too early: `range(n)` ends before n."
        last = node.args[min(1, len(node.args) - 1)]
        fewer = ast.BinOp(last, ast.Sub(), ast.Constant(1))
        args = [fewer] if len(node.args) == 1 else [node.args[0], fewer, *node.args[2:]]
        yield "one turn fewer", words, changed(node, args=args)


def subscripts(node):
    if isinstance(node, ast.Slice):
        for end in ("lower", "upper", "step"):
            if getattr(node, end) is not None:
                yield (
                    f"{end} dropped",
                    "A slice takes too much: one of its ends is missing.",
                    changed(node, **{end: None}),
                )
        for end in ("lower", "upper"):
            if getattr(node, end) is not None:
                for step in (1, -1):
                    moved = ast.BinOp(getattr(node, end), ast.Add(), ast.Constant(step))
                    yield f"{end} {step:+}", "A slice begins or ends one place off.", changed(node, **{end: moved})
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
        words = "Row and column are swapped in an index: the row comes first."
        yield "axes swapped", words, changed(node, slice=changed(node.slice, elts=node.slice.elts[::-1]))
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "not transposed", "A transpose is missing: `.T`.", node.value
    if isinstance(node, (ast.Tuple, ast.List)) and isinstance(node.ctx, ast.Load) and len(node.elts) == 2:
        yield "order swapped", "Two things stand in the wrong order.", changed(node, elts=node.elts[::-1])


def statements(node):
    if isinstance(node, (ast.For, ast.While)):
        words = "Only the first turn of a loop counts. Does `return` stand inside it?"
        yield "only the first turn", words, changed(node, body=[*node.body, ast.Break()])
    if isinstance(node, ast.Return) and node.value is not None:
        for done, text, words in (
            (
                "result cut to whole numbers",
                "np.asarray({}).astype(int)",
                "The digits after the decimal point are lost.",
            ),
            ("result transposed", "np.transpose({})", "Rows and columns are swapped on the way."),
            ("result plus one", "np.asarray({}) + 1", "A result on the way is one too large."),
            ("result of the other sign", "-np.asarray({})", "A result on the way has the wrong sign."),
            ("result rounded", "np.round({}, 2)", "A result on the way is rounded. Keep it as it is."),
        ):
            yield done, words, ast.Return(ast.parse(text.format(ast.unparse(node.value)), mode="eval").body)


OPERATORS = (comparisons, logic, calls, statements, subscripts, arithmetic, constants)  # the likeliest slip first


def changed(node, **fields):
    """A copy of a node with other fields."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def mutants(tree):
    """Mutants of a tree that differ from it and from each other: (what was done, sentence, changed node, text)."""
    nodes = list(ast.walk(tree))
    spoken = {id(part) for each in nodes if isinstance(each, ast.Expr) for part in ast.walk(each)}  # docstrings
    texts = {ast.unparse(tree)}
    for operator in OPERATORS:
        for node in nodes:
            for done, words, other in operator(node) if id(node) not in spoken else ():
                text = ast.unparse(ast.fix_missing_locations(with_change(tree, node, other)))
                if text not in texts:
                    texts.add(text)
                    yield done, words, node, text


def with_change(tree, node, other):
    """A copy of a tree with another node in one node's place."""
    if tree is node:
        return copy.deepcopy(other)
    if isinstance(tree, list):
        return [with_change(part, node, other) for part in tree]
    if isinstance(tree, ast.AST):
        return type(tree)(**{name: with_change(value, node, other) for name, value in ast.iter_fields(tree)})
    return tree
