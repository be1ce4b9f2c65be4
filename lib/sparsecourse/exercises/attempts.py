"""Run what a learner wrote, so that it ends, that nothing else changes, and that whatever it does has a name."""

import builtins
import contextlib
import copy
import ctypes
import inspect
import random
import threading
import time
from dataclasses import dataclass

import numpy as np
import torch

from sparsecourse.exercises.comparing import plain, same

LIMIT, LONGEST = 4.0, 30.0  # seconds for one call and for all of a check; the cases take milliseconds
NO_END = f"gave no answer in time: {LIMIT:g} seconds for a call, {LONGEST:g} for a check. Does a loop never end?"


@dataclass(frozen=True)
class Outcome:
    """What came of an answer on one case: a result, or what stopped it.

    Attributes:
        result: what the answer returned, as :func:`~sparsecourse.exercises.comparing.plain` has it, or None.
        error: name of the type of the error that stopped it, or None.
        words: what happened instead of a result, for a sentence that begins with the call.
        changed: name of an argument that is no longer what it was, or None.
        last: whether it makes no sense to try another case.
    """

    result: object = None
    error: str | None = None
    words: str | None = None
    changed: str | None = None
    last: bool = False


class TimeUp(BaseException):
    """Raised inside what has run for too long. No ``except Exception`` holds it up."""


class NoKeyboardError(Exception):
    """Raised by ``input``."""


def attempt(answer, case=(), seconds=LIMIT):
    """Outcome of an answer on one case, whatever the answer is and does.

    Args:
        answer: a function, or a value.
        case: its arguments; they stay as they are.
        seconds: after which it is stopped.
    """

    def run():
        found = outcome_of(answer, case)
        if found.error in ("AttributeError", "TypeError"):  # written for tensors, perhaps, as much of a lesson is
            tensors = outcome_of(answer, tuple(map(_as_tensor, case)))
            return found if tensors.error or isinstance(tensors.result, torch.nn.Module) else tensors
        return found

    try:
        return supervised(run, seconds)
    except TimeUp:
        return Outcome(error="TimeUp", words=NO_END, last=True)


def _as_tensor(argument):
    if isinstance(argument, list):
        return [_as_tensor(item) for item in argument]
    return torch.tensor(argument) if isinstance(argument, np.ndarray) else argument


def outcome_of(answer, case=()):
    """Outcome of an answer on one case that is trusted to end."""
    arguments = copy.deepcopy(case)
    try:
        with np.errstate(all="warn"):
            result = plain(answer(*arguments) if callable(answer) else answer)
    except NoKeyboardError:
        words = "waits for something to be typed. What it needs comes as its arguments: take `input` out."
        return Outcome(error="NoKeyboardError", words=words, last=True)
    except TimeUp:
        raise
    except BaseException as error:  # also SystemExit: whatever an answer does, its author gets a sentence
        return Outcome(error=type(error).__name__, words=f"stopped with {error_words(error)}.")
    changed = _changed(answer, arguments, case)
    for argument in arguments:  # nothing that was handed over may be kept: whoever made it goes on with it
        if isinstance(argument, np.ndarray) and argument.flags.writeable:
            argument[...] = 0
    return Outcome(result, changed=changed)


def supervised(run, seconds=None):
    """What a function returns that is called with fixed surroundings.

    Args:
        run: called without arguments. It runs with random numbers from fixed seeds, in single precision, with
            gradients, and can read nothing from the keyboard; afterwards all is as it was.
        seconds: after which it is stopped; None lets it run.

    Raises:
        TimeUp: it was stopped.
        KeyboardInterrupt: the learner stopped it.
    """
    with surroundings():
        return run() if seconds is None else within(seconds, run)


def within(seconds, function):
    """What a function returns, or TimeUp after so many seconds.

    It runs in a thread of its own: the one way to end an endless loop that is the same in Jupyter, VS Code and Colab
    and on every system. What waits inside a library is left to itself; a single call into C that never comes back, as
    ``sum(itertools.count())``, can't be ended at all.
    """
    results = []

    def work():
        try:
            results.append((function(), None))
        except BaseException as error:
            results.append((None, error))

    thread = threading.Thread(target=work, daemon=True)
    deadline = time.monotonic() + seconds
    thread.start()
    try:
        while thread.is_alive():
            if time.monotonic() > deadline:
                raise TimeUp
            thread.join(0.05)  # not for ever: an interrupt gets through in between
    except BaseException:
        _end(thread, results)
        raise
    result, error = results[0]
    if error:
        raise error
    return result


def _end(thread, results, tries=20):
    """Raise TimeUp in a thread that has no results yet, more than once where it catches everything."""
    for _ in range(tries):
        if thread.is_alive() and not results:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(TimeUp))
            thread.join(0.05)


@contextlib.contextmanager
def surroundings():
    """What an answer finds around it, and the notebook's own state again afterwards."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002 the learner's own
    dtype, keyboard = torch.get_default_dtype(), builtins.input
    try:
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002
        torch.default_generator.manual_seed(0)
        torch.set_default_dtype(torch.float32)
        builtins.input = _refuse
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        builtins.input = keyboard
        torch.set_default_dtype(dtype)
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])


def _refuse(*_prompt):
    raise NoKeyboardError


def error_words(error):
    """Type of an error and the first line of what it says."""
    try:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    except BaseException:  # an error that can't even be read
        lines = []
    words = f"{type(error).__name__}: {lines[0].rstrip('.')}" if lines else type(error).__name__
    return words[:200].encode("utf-8", "backslashreplace").decode()


def _changed(answer, arguments, case):
    """Name of the first argument that a call has changed, or None."""
    for place, (after, before) in enumerate(zip(arguments, case, strict=True)):
        if not same(after, before):
            try:
                return list(inspect.signature(answer).parameters)[place]
            except (TypeError, ValueError, IndexError):  # a function that hides its parameters
                return f"argument {place + 1}"
    return None
