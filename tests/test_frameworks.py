"""The sparse layer outside plain PyTorch: the lesson's Keras cells on three frameworks, and the ONNX format.

`make frameworks` installs what this needs and sets REQUIRE_FRAMEWORKS; without it, what is missing is skipped.
"""

import importlib.util
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch

from sparsecourse import layers, masks
from tools import lessons

LESSON = next(path for path in lessons.paths() if path.name.startswith("09"))
KERAS_CELLS = [cell for cell in lessons.read(LESSON).cells if cell.cell_type == "code" and "keras" in cell.source]


def need(package):
    """Skip where a package is missing, unless the environment says that it must be there."""
    if importlib.util.find_spec(package) is None and not os.environ.get("REQUIRE_FRAMEWORKS"):
        pytest.skip(f"{package} is not installed; `make frameworks` installs it")


def printed(backend):
    """What the lesson's Keras cells print on a backend, in a process of its own."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"}
    source = "\n".join(cell.source for cell in KERAS_CELLS)
    code = f"{source}\nassert keras.backend.backend() == {backend!r}\n"
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def numbers(text):
    return np.array([float(number) for number in re.findall(r"-?\d+\.\d+", text)])


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "tensorflow", "jax"])
def test_the_lessons_cells_give_the_saved_numbers_on_every_framework(backend):
    need(backend)
    saved = numbers(KERAS_CELLS[-1].outputs[0]["text"])
    assert len(saved) == 9  # five losses and four outputs
    found = numbers(printed(backend))
    assert found == pytest.approx(saved, abs=2e-4)  # four digits are printed


def test_the_onnx_file_gives_the_same_numbers(tmp_path):
    for package in ("onnx", "onnxscript", "onnxruntime"):
        need(package)
    import onnxruntime

    network = layers.mlp((6, 5, 4), seed=0, masks=[masks.random((5, 6), 0.5, 0), masks.random((4, 5), 0.5, 1)])
    x = torch.randn(3, 6)
    for name, module in (("masked", network), ("folded", layers.fold(network))):
        path = tmp_path / f"{name}.onnx"
        torch.onnx.export(module.eval(), (x,), path, dynamo=True, verbose=False)
        session = onnxruntime.InferenceSession(path)
        (y,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        assert y == pytest.approx(network(x).detach().numpy(), abs=1e-5)
