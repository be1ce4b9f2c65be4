"""The load test's hub: the room's settings, but on this machine alone and with everything in temporary folders.

loopback.py starts JupyterHub with this file and passes the folders, the proxy, a password of this run's own and three
free ports in the environment, which only this user can read.
"""

import os
from pathlib import Path

c = get_config()  # noqa: F821
load_subconfig(str(Path(__file__).parent / "tljh" / "room.py"))  # noqa: F821

folder, sockets = Path(os.environ["LOAD_FOLDER"]), Path(os.environ["LOAD_SOCKETS"])
front, back, control = (f"http://127.0.0.1:{port}" for port in os.environ["LOAD_PORTS"].split())
c.JupyterHub.bind_url = front
c.JupyterHub.hub_bind_url = back
c.ConfigurableHTTPProxy.api_url = control
c.ConfigurableHTTPProxy.command = [os.environ["LOAD_PROXY"]]
c.JupyterHub.db_url = f"sqlite:///{folder / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(folder / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(folder / "proxy.pid")

# Every server is a process of this user's, so whoever gets in is this user: only simulated learners know the password.
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = os.environ["LOAD_PASSWORD"]
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(folder / "homes" / "{username}")
c.Spawner.environment["LOAD_FOLDER"] = str(folder)  # by this loopback.py finds what it started
c.Spawner.environment["JUPYTER_RUNTIME_DIR"] = lambda spawner: str(sockets / spawner.user.name)  # they share one /tmp
if os.geteuid() == 0:
    c.Spawner.args.append("--allow-root")
