"""A room's JupyterHub: what every learner's server gets.

The Littlest JupyterHub reads a copy of this file in its folder jupyterhub_config.d, and the load test reads it here:
what is tested is what is deployed. ../z2jh/config.yaml says the same for a cluster; tests/test_hub.py holds both
together.
"""

import jupyterhub

# Older ones have published holes: ../versions.toml.
if jupyterhub.version_info[:3] < (5, 5, 4):
    raise RuntimeError(
        f"JupyterHub {jupyterhub.__version__} is not safe. Install 5.5.4 or newer: versions.toml says why."
    )

c = get_config()  # noqa: F821

# Whoever may come stands on a list that the administrator makes; a login makes no new name.
c.FirstUseAuthenticator.create_users = False

# The link that learners are handed copies the course into this folder of their home.
c.Spawner.default_url = "/lab/tree/course/notebooks/00_start_here.ipynb"

# Threads that wait must sleep. By default they spin, and take the cores from the neighbours. And no more threads than a
# learner has cores: else a kernel on a large machine starts one for every core there is.
CORES = 2
c.Spawner.cpu_limit = CORES
c.Spawner.environment = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000", "OMP_NUM_THREADS": str(CORES)}

# A ceiling, not a reservation. It holds a server and the kernels of the two largest lessons, for the last lesson's
# kernel often still runs when the next lesson is open.
c.Spawner.mem_limit = "2G"

# No file larger than 1 GB, and no more processes and threads than several lessons take.
c.SystemdSpawner.unit_extra_properties = {"LimitFSIZE": "1G", "TasksMax": "512"}

# Kernels talk through sockets in a folder that only their owner can enter. By default they take ports, which everyone
# on the machine can listen to. The folder's name is short, for a socket's path has at most 107 characters. It lies in
# /tmp, and that each learner has alone.
c.SystemdSpawner.isolate_tmp = True
c.Spawner.environment["JUPYTER_RUNTIME_DIR"] = "/tmp/jupyter"

# A room arrives in the same minute, so its servers start together and slowly. Up to this many run at once; whoever
# comes beyond is asked to try again.
SEATS = 40
c.JupyterHub.active_server_limit = SEATS
c.JupyterHub.concurrent_spawn_limit = SEATS
c.Spawner.start_timeout = 300
c.Spawner.http_timeout = 300

# How often the hub looks whether a server still runs: so long a learner whose server died waits for a new one.
c.Spawner.poll_interval = 10

# What is idle goes, from the inside: a kernel after an idle hour, never while a cell runs, a terminal likewise, and a
# server half an hour after its last kernel. A cell that runs for ever is ended from the outside: the hub's own culler
# ends every server after twelve hours, idle or not.
c.Spawner.args = [
    "--KernelManager.transport=ipc",
    "--MappingKernelManager.cull_idle_timeout=3600",
    "--MappingKernelManager.cull_interval=300",
    "--MappingKernelManager.cull_connected=True",
    "--MappingKernelManager.cull_busy=False",
    "--TerminalManager.cull_inactive_timeout=3600",
    "--TerminalManager.cull_interval=300",
    "--ServerApp.shutdown_no_activity_timeout=1800",
]
