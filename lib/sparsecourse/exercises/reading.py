"""What the text of a function tells: a loop that ends at its first turn, an argument without a use, its mutants."""

import ast
import functools
import linecache
import math
import sys
import types

import numpy as np

from sparsecourse.exercises.mutants import mutants


def text_of(function):
    """The tree of the file or the cell where a function stands, and the function in it; (None, None) if unknown."""
    if not isinstance(function, types.FunctionType):
        return None, None
    code = function.__code__
    try:
        tree = ast.parse("".join(linecache.getlines(code.co_filename, function.__globals__)))
    except SyntaxError:
        return None, None
    functions = [part for part in ast.walk(tree) if isinstance(part, (ast.FunctionDef, ast.Lambda))]
    here = [part for part in functions if part.lineno == code.co_firstlineno]
    return (tree, here[0]) if len(here) == 1 else (None, None)  # of two in one line nobody knows which


def returns_at_once(function):
    """Whether a function ends a loop at its first turn, by a ``return`` that stands directly in it."""
    _, found = text_of(function)
    loops = [part for part in own_parts(found) if isinstance(part, (ast.For, ast.While))] if found else []
    return any(
        any(isinstance(part, ast.Return) for part in loop.body)
        and not any(isinstance(part, ast.Continue) for part in ast.walk(loop))
        for loop in loops
    )


def calls(function, *names):
    """Whether a function calls one of these, by its last name."""
    _, found = text_of(function)
    called = [part.func for part in ast.walk(found) if isinstance(part, ast.Call)] if found else []
    return any(getattr(part, "attr", getattr(part, "id", "")) in names for part in called)


def own_parts(function):
    """Parts of a function, but for those of functions and classes that are defined in it."""
    parts = list(ast.iter_child_nodes(function))
    for part in parts:
        if not isinstance(part, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            parts.extend(ast.iter_child_nodes(part))
    return parts


def unused_argument(function, reference):
    """Name of the first argument that a function never reads though the reference does, or None."""
    places = _unread(reference)
    unread = [(place, name) for place, name in _unread(function) if place not in dict(places)]
    return unread[0][1] if unread else None


def _unread(function):
    """Arguments of a function that it never reads: [(place, name), ...]."""
    _, found = text_of(function)
    if found is None:
        return []
    read = {part.id for part in ast.walk(found) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}
    return [(k, argument.arg) for k, argument in enumerate(found.args.args) if argument.arg not in read]


@functools.cache
def wrong_ways(function):
    """Mutants of a function: [(sentence, function), ...].

    What the function calls of its own module, by names that begin with an underscore, is changed with it.
    """
    tree, found = text_of(function)
    if tree is None:
        return []
    own = {part.name: part for part in tree.body if isinstance(part, ast.FunctionDef)}
    name = getattr(found, "name", "wrong")
    last = found if isinstance(found, ast.FunctionDef) else ast.Assign([ast.Name(name, ast.Store())], found)
    body, made = [*_called(found, own), last], []
    for _, sentence, _, text in mutants(ast.fix_missing_locations(ast.Module(body, []))):
        names = {"np": np, "math": math, **vars(sys.modules[function.__module__])}
        exec(compile(text, "<mutant>", "exec"), names)
        made.append((sentence, names[name]))
    return made


def _called(function, own):
    """Functions among a module's own that a function calls, in the module's order, and those that they call."""
    names, new = set(), {function}
    while new:
        used = {part.id for each in new for part in ast.walk(each) if isinstance(part, ast.Name)}
        new = {own[name] for name in used - names if name in own and name.startswith("_")} - {function}
        names |= used
    return [part for name, part in own.items() if name in names and name.startswith("_") and part is not function]
