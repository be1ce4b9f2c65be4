"""A room's JupyterHub: what every learner's server gets.

The Littlest JupyterHub reads this file from its folder jupyterhub_config.d, and the load test reads the same file: what
is tested is what is deployed. ../z2jh/config.yaml says the same for a cluster; tests/test_hub.py holds both together.
"""

c = get_config()  # noqa: F821

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

# A room arrives in the same minute, so its servers start together and slowly. Up to this many starts share the machine;
# whoever comes beyond is asked to try again.
c.JupyterHub.concurrent_spawn_limit = 40
c.Spawner.start_timeout = 300
c.Spawner.http_timeout = 300

# How often the hub looks whether a server still runs: so long a learner whose server died waits for a new one.
c.Spawner.poll_interval = 10

# What is idle goes, from the inside: a kernel after an idle hour, never while a cell runs, and a server half an hour
# after its last kernel. The hub's own culler can't tell a silent computation from an absent learner, so it stays off.
c.Spawner.args = [
    "--MappingKernelManager.cull_idle_timeout=3600",
    "--MappingKernelManager.cull_interval=300",
    "--MappingKernelManager.cull_connected=True",
    "--MappingKernelManager.cull_busy=False",
    "--ServerApp.shutdown_no_activity_timeout=1800",
]
