"""A real JupyterHub on this machine's loopback, with the room's settings, for as long as an `async with` lasts.

Everything it writes lies in temporary folders that only this user can enter, and every process it starts carries the
name of one in its environment. So nothing is left behind: what still runs at the end is found by the name and ended.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import aiohttp
import psutil

from tools.lessons import NOTEBOOKS, ROOT

BUILD = ROOT / "build" / "hub"  # ignored by git
VERSIONS = tomllib.loads((ROOT / "workshop" / "hub" / "versions.toml").read_text(encoding="utf-8"))
PROXY, NODE = f"configurable-http-proxy@{VERSIONS['configurable-http-proxy']}", 20
CONFIG = ROOT / "workshop" / "hub" / "loopback_config.py"
START_SECONDS, STOP_SECONDS = 60, 30
MARK = "LOAD_FOLDER"


def proxy():
    """The path of JupyterHub's proxy, which npm installs into build/hub where there is none.

    Raises:
        RuntimeError: the proxy is missing and can't be installed; the message says what to do.
    """
    name = PROXY.split("@")[0]
    installed = shutil.which(name) or shutil.which(BUILD / "node_modules" / ".bin" / name)
    if node() < NODE or not (installed or shutil.which("npm")):
        raise RuntimeError(
            f"JupyterHub's proxy needs Node.js {NODE} or newer and npm. Install them, then run this again."
        )
    if installed:
        return installed
    BUILD.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["npm", "install", "--prefix", BUILD, PROXY], capture_output=True, text=True, check=False)
    installed = shutil.which(BUILD / "node_modules" / ".bin" / name)
    if not installed:
        raise RuntimeError(f"npm could not install {PROXY}:\n{done.stderr}")
    return installed


def node():
    """The number of Node.js's release; 0 where there is none."""
    if not shutil.which("node"):
        return 0
    return int(subprocess.check_output(["node", "--version"], text=True).lstrip("v").split(".")[0])


def free_ports(count):
    """Ports that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Hub:
    """The hub, its learners' homes, and the course's repository that nbgitpuller copies from.

    Args:
        allow_root: whether learners' servers may run as root, in a container where there is no other user.
        config: JupyterHub's settings.

    Raises, when it is entered:
        RuntimeError: the user is root and may not be, or the hub does not start; then the message holds the end of its
            log.
    """

    def __init__(self, allow_root=False, config=CONFIG):
        self.allow_root, self.config = allow_root, config
        self.password = secrets.token_urlsafe(32)  # another one for each run

    async def __aenter__(self):
        if os.geteuid() == 0 and not self.allow_root:
            raise RuntimeError(
                "As root, whoever gets into this hub is root. Run it as an ordinary user. In a container that has no "
                "other user, allow it: make load ALLOW_ROOT=1"
            )
        node_proxy = proxy()
        self.folder = Path(tempfile.mkdtemp(prefix="hub-"))
        self.sockets = Path(tempfile.mkdtemp(prefix="hub-", dir="/tmp"))  # a socket's path must be short
        (self.folder / "homes").mkdir()
        self.course = Course(self.folder / "repository")
        ports = free_ports(3)
        self.address = f"http://127.0.0.1:{ports[0]}"
        environment = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            MARK: str(self.folder),
            "LOAD_PORTS": " ".join(map(str, ports)),
            "LOAD_PROXY": node_proxy,
            "LOAD_SOCKETS": str(self.sockets),
            "LOAD_PASSWORD": self.password,
        }
        with (self.folder / "hub.log").open("w") as log:
            self.process = await asyncio.create_subprocess_exec(
                *[sys.executable, "-m", "jupyterhub", "--config", self.config],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl + C reaches the load test alone, which then ends the hub
            )
        try:
            await self.answers()
        except BaseException:
            await self.__aexit__(*sys.exc_info())
            raise
        return self

    async def answers(self):
        """Wait until the hub answers."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as browser:
                while self.process.returncode is None:
                    with contextlib.suppress(aiohttp.ClientError):
                        async with browser.get(f"{self.address}/hub/health") as answer:
                            if answer.status == 200:
                                return
                    await asyncio.sleep(0.2)
        raise RuntimeError(f"JupyterHub did not start. The end of its log:\n{self.log()}")

    async def __aexit__(self, *_):
        BUILD.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.folder / "hub.log", BUILD / "hub.log")  # for whoever asks what went wrong
        with contextlib.suppress(TimeoutError, ProcessLookupError):
            self.process.terminate()  # it ends its servers and its proxy
            async with asyncio.timeout(STOP_SECONDS):
                await self.process.wait()
        left = self.processes()
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=STOP_SECONDS)
        await self.process.wait()
        for folder in (self.folder, self.sockets):
            shutil.rmtree(folder, ignore_errors=True)

    def log(self):
        """The end of the hub's log."""
        return "\n".join((self.folder / "hub.log").read_text(errors="replace").splitlines()[-15:])

    def home(self, name):
        """A learner's home."""
        return self.folder / "homes" / name

    def processes(self):
        """Every process that the hub started, directly or through others, and the hub."""
        return [process for process in psutil.process_iter() if environment(process).get(MARK) == str(self.folder)]

    def servers(self):
        """The learners' servers, by the learner's name."""
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.process.pid).children()
            named = {environment(child).get("JUPYTERHUB_USER"): child for child in children}
            return {name: child for name, child in named.items() if name}
        return {}


def environment(process):
    """A process's environment; nothing for one that is gone or another user's."""
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}


class Course:
    """A git repository with the lessons in it, as the course's own address would offer it.

    Args:
        folder: where it is made.
    """

    def __init__(self, folder):
        self.folder = folder
        shutil.copytree(NOTEBOOKS, folder / "notebooks", ignore=shutil.ignore_patterns(".*"))
        self.git("init", "--quiet", "--initial-branch=main")
        self.publish("The course")

    @property
    def address(self):
        """What `git clone` is given."""
        return self.folder.as_uri()

    def publish(self, message):
        """Commit what has changed."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def git(self, *arguments):
        """Run git here."""
        author = ["-c", "user.name=Instructor", "-c", "user.email=instructor@example.org"]
        subprocess.run(["git", *author, *arguments], cwd=self.folder, check=True, capture_output=True)
