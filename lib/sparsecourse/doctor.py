"""Is this machine ready for the course? Versions, threads, memory and the data tables, in one table."""

import math
import os
import platform
import sys
from importlib import metadata

import psutil
from packaging.requirements import Requirement

from sparsecourse import tables

LESSON_MEMORY = 800 * 2**20  # bytes: what the largest lesson may hold
OLDEST_PYTHON = (3, 11)


def check_python():
    """(fine?, sentence) about the Python version."""
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        return False, f"Python {version} is too old: the course needs 3.11 or newer."
    return True, f"Python {version} on {platform.system()} {platform.machine()}"


def check_packages():
    """(fine?, sentence) about the packages the course stands on, and whether their versions lie in its ranges."""
    try:
        asked = [Requirement(line) for line in metadata.requires("sparsecourse")]
    except metadata.PackageNotFoundError:
        return False, "sparsecourse itself is not installed: what it needs is unknown. Install it as the README says."
    needed = [package for package in asked if package.marker is None or package.marker.evaluate({"extra": ""})]
    faults = {package: fault for package in needed if (fault := _fault(package))}
    if faults:
        ranges = " ".join(f'"{package.name}{package.specifier}"' for package in faults)
        return False, f"{', '.join(faults.values())}. Install with `pip install {ranges}`."
    versions = [f"{package.name} {metadata.version(package.name)}" for package in needed]
    return True, ", ".join(versions)


def _fault(package):
    """What is wrong with a package that is needed, or None."""
    try:
        version = metadata.version(package.name)
    except metadata.PackageNotFoundError:
        return f"{package.name} is not installed"
    if package.specifier.contains(version, prereleases=True):  # a preview of a later version will do
        return None
    return f"{package.name} {version} is installed where {package.specifier} is needed"


def check_threads():
    """(fine?, sentence) about threads: a waiting thread should sleep, not spin."""
    try:
        import torch  # late, so that the doctor can speak where torch is missing
    except ImportError:
        return False, "torch can't be imported: install it as the README says."

    from sparsecourse import torch_came_first

    threads = f"{os.cpu_count()} processors, torch uses {torch.get_num_threads()} threads"
    policy = os.environ.get("OMP_WAIT_POLICY", "unset")
    if policy.upper() != "PASSIVE":
        return False, f"{threads}; OMP_WAIT_POLICY is {policy}: waiting threads spin and slow everyone on this machine."
    if torch_came_first:
        late = "torch was imported before sparsecourse, so its waiting threads spin. Restart the kernel."
        return False, f"{threads}; {late}"
    return True, f"{threads}, waiting threads sleep"


def processor():
    """The name of this machine's processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def check_memory():
    """(fine?, sentence) about free memory."""
    free = psutil.virtual_memory().available
    if free < LESSON_MEMORY:
        need = f"a lesson may need {LESSON_MEMORY / 2**30:.1f} GB"
        return False, f"{free / 2**30:.1f} GB of memory free: {need}. Close other programs or kernels."
    # a power of two, so that the line stays the same from run to run
    return True, f"more than {2 ** math.floor(math.log2(free / 2**30)):g} GB of memory free, which is enough"


def check_data():
    """(fine?, sentence) about the course's tables."""
    try:
        found = [
            tables.verified(part, name) for part in tables.TABLES for name in tables.checksums(tables.folder(part))
        ]
    except (tables.DamagedDataError, OSError) as error:
        return False, str(error)
    return True, f"{len(found)} data tables, every checksum right"


def examine():
    """Show a table with a row a check, then say the verdict; return whether every check was fine."""
    rows = []
    for check in (check_python, check_packages, check_threads, check_memory, check_data):
        fine, sentence = check()
        rows.append(
            {"check": check.__name__.removeprefix("check_"), "fine": "ok" if fine else "FIX", "found": sentence}
        )
    tables.show(rows, "This machine")
    ready = all(row["fine"] == "ok" for row in rows)
    print("This machine is ready." if ready else "See to the rows marked FIX, then run this cell again.")
    return ready
