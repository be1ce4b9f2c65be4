"""The load test's hub: the room's settings, but on this machine alone and with everything in one temporary folder.

loopback.py starts JupyterHub with this file and passes the folder, the proxy and three free ports in the environment.
"""

import os
from pathlib import Path

c = get_config()  # noqa: F821
load_subconfig(str(Path(__file__).parent / "tljh" / "room.py"))  # noqa: F821

folder = Path(os.environ["LOAD_FOLDER"])
front, back, control = (f"http://127.0.0.1:{port}" for port in os.environ["LOAD_PORTS"].split())
c.JupyterHub.bind_url = front
c.JupyterHub.hub_bind_url = back
c.ConfigurableHTTPProxy.api_url = control
c.ConfigurableHTTPProxy.command = [os.environ["LOAD_PROXY"]]
c.JupyterHub.db_url = f"sqlite:///{folder / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(folder / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(folder / "proxy.pid")

# Whoever comes is let in, and every server is a process of this user's.
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(folder / "homes" / "{username}")
c.Spawner.environment["LOAD_FOLDER"] = str(folder)  # by this loopback.py finds what it started
if os.geteuid() == 0:
    c.Spawner.args.append("--allow-root")
