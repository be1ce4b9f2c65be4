"""The stop button, pressed in a real kernel."""

import threading

import pytest
from jupyter_client.manager import start_new_kernel

SECONDS = 0.3  # from the loop's first round to the stop button
SETUP = """
import os, time
os.environ["TQDM_DISABLE"] = "1"
import sparsecourse, torch
from sparsecourse import tasks, training
asked = [torch.nn.Linear(50, 1)], tasks.useless_features(60, 0)

def announced(k, n):  # what comes before the first steps takes seconds on a busy machine
    if k == 3:
        print("begun", flush=True)
    return 1.0
"""
LOOPS = {
    "a loop of the learner's": (
        "print('begun', flush=True)\nwhile True: time.sleep(0.1)",
        "before the end of this cell",
    ),
    "a sweep": ("training.train(*asked, steps=10**7, schedule=announced, strict=True)", "before the end of this cell"),
    "training": (
        "result = training.train(*asked, steps=10**7, schedule=announced)",
        "What was trained until then comes back.",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("code", "words"), LOOPS.values(), ids=LOOPS)
def test_the_stop_button_prints_one_line(code, words):
    manager, kernel = start_new_kernel(kernel_name="python3")
    said = []

    def hear(message):
        if message["msg_type"] in ("stream", "error"):
            said.append(message["content"].get("text", message["msg_type"]))
            if "begun" in said[-1]:
                threading.Timer(SECONDS, manager.interrupt_kernel).start()

    try:
        kernel.execute_interactive(SETUP, timeout=60)
        reply = kernel.execute_interactive(code, output_hook=hear, timeout=60)["content"]
    finally:
        kernel.stop_channels()
        manager.shutdown_kernel(now=True)
    lines = "".join(said).splitlines()
    assert lines[0] == "begun"
    assert len(lines) == 2
    assert lines[1].startswith("Stopped by you")
    assert words in lines[1]
    assert reply["status"] == ("ok" if "comes back" in words else "error")  # "Run All" goes on, or ends
