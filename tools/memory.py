"""What processes take of memory, at most, while something runs."""

import contextlib
import threading

import psutil


@contextlib.contextmanager
def peak(look, seconds=0.02):
    """Watch memory while a `with` block runs.

    Args:
        look: function that is called again and again, in a thread of its own; it returns what is used at that moment,
            {name: bytes}, of as many things as are to be told apart.
        seconds: between two looks.

    Yields:
        {name: the most that was seen, in bytes}, complete when the block has ended.

    Raises:
        Exception: whatever ``look`` raised, when the block ends.
    """
    largest, wrong, done = {}, [], threading.Event()

    def watch():
        try:
            while True:
                for name, used in look().items():
                    largest[name] = max(used, largest.get(name, 0))
                if done.wait(seconds):
                    return
        except Exception as error:
            wrong.append(error)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield largest
    finally:
        done.set()
        watcher.join()
    if wrong:
        raise wrong[0]


def resident(pid):
    """The resident memory of a process.

    Args:
        pid: its number.

    Returns:
        Bytes; 0 for a process that is gone.
    """
    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.NoSuchProcess:
        return 0
