"""The helper library of the course *Sparse Neural Networks, from y = Wx to the worm*.

Import it before torch. Threads that wait for work then sleep instead of spinning, so that several learners can share a
machine: OpenMP reads OMP_WAIT_POLICY once, when torch loads it. Before it sleeps a thread looks a thousand times
whether there is work after all (GOMP_SPINCOUNT, in microseconds only a few), because small networks wait often and
shortly: alone they train a quarter faster so, and six learners on two cores do not notice.

In a notebook it also lets the stop button say one line: where a long loop was stopped tells nothing.
"""

import os
import sys

__version__ = "0.1.0"

torch_came_first = "torch" in sys.modules and "OMP_WAIT_POLICY" not in os.environ
if os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE").upper() == "PASSIVE":
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
if getattr(shell, "kernel", None) is not None:
    stopped = "Stopped by you, before the end of this cell. Run it again to start it afresh."
    shell.set_custom_exc((KeyboardInterrupt,), lambda *_raised, **_options: print(stopped, file=sys.stderr))
