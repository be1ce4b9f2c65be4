"""Attacks on a room, tried on loopback: each must fail, with the settings that rooms get.

Without the extra `hub`, git or Node.js they are skipped, unless REQUIRE_HUB is set.
"""

import asyncio
import os
import socket
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
import yaml
from traitlets.config.loader import PyFileConfigLoader

from tools import lessons
from workshop.hub import link

HUB = lessons.ROOT / "workshop" / "hub"
CHART = yaml.safe_load((HUB / "z2jh" / "config.yaml").read_text(encoding="utf-8"))
ROOM_PASSWORD, ADMIN_PASSWORD = "the room's own password", "a password that only the administrator knows"
LISTENING_SECONDS = 5  # a kernel on a port, which speaks ten times a second, is heard in less
NOBODY = 65534  # the user that owns nothing

pytestmark = pytest.mark.slow


def run(attack, seconds=180):
    """Await an attack; one that hangs ends the test."""
    return asyncio.run(asyncio.wait_for(attack, seconds))


async def enters(hub, name, password):
    """What somebody who sends the login form becomes: "learner", "administrator", or None where the hub refuses."""
    from workshop.hub.learner import Learner, LearnerError

    async with Learner(hub.address, name, password) as someone:
        try:
            await someone.login("/hub/home")
        except LearnerError as refusal:
            if "answered 403" not in str(refusal):
                raise
            return None
        page = await someone.ask("GET", f"{hub.address}/hub/admin", statuses={403})
        return "learner" if page.status == 403 else "administrator"


def hub_with(folder, settings, after=""):
    """A hub of the load test's whose settings are read after `settings` and before `after`, lines of Python."""
    from workshop.hub.loopback import CONFIG, Hub

    config = folder / "config.py"
    lines = ["c = get_config()", settings, f"load_subconfig({str(CONFIG)!r})", after]
    config.write_text("\n".join(lines), encoding="utf-8")
    return Hub(allow_root=True, config=config)


# --------------------------------------------------------------------------------------------------- the load test


def test_the_load_test_does_not_run_as_root_unless_it_is_told_to(real_hub, monkeypatch):
    from workshop.hub import load

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(sys, "argv", ["load.py", "--learners", "1", "--lesson", "00"])
    with pytest.raises(SystemExit, match="ordinary user"):
        load.main()


@asynccontextmanager
async def kernel_that_says(hub, words):
    """A learner's kernel that says something again and again, as a process."""
    import nbformat

    from workshop.hub.learner import Learner
    from workshop.hub.simulation import kernels

    source = f"import time\nfor _ in range(600):\n    print({words!r})\n    time.sleep(0.1)"
    async with Learner(hub.address, "ada", hub.password) as learner:
        await learner.arrive(link.link(hub.address, hub.course.address))
        lesson = await learner.open(f"{link.FOLDER}/notebooks/{lessons.paths()[0].name}")
        lesson.notebook.cells = [nbformat.v4.new_code_cell(source)]
        async with lesson:
            running = await lesson.begin(lesson.code()[0])
            assert words in lesson.code()[0].outputs[0].text
            yield kernels(hub.servers()["ada"])[0]
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def overheard(kernel):
    """What a neighbour hears who subscribes to every port that a kernel listens on."""
    import zmq

    ports = {one.laddr.port for one in kernel.net_connections("tcp") if one.status == psutil.CONN_LISTEN}
    heard, end = [], time.monotonic() + LISTENING_SECONDS
    with zmq.Context() as context, context.socket(zmq.SUB) as neighbour:
        neighbour.subscribe(b"")
        for port in ports:
            neighbour.connect(f"tcp://127.0.0.1:{port}")
        while time.monotonic() < end:
            if neighbour.poll(100):
                heard += neighbour.recv_multipart()
    return b"".join(heard)


def can_connect(path):
    """Whether another user of this machine reaches a socket; only root can try that."""
    os.seteuid(NOBODY)
    try:
        with socket.socket(socket.AF_UNIX) as neighbour:
            neighbour.connect(str(path))
        return True
    except PermissionError:
        return False
    finally:
        os.seteuid(0)


def test_strangers_get_nothing_from_the_load_tests_hub(real_hub):
    """Another user of the machine neither gets in nor reads the password nor hears a kernel."""
    from workshop.hub.loopback import Hub, environment

    async def attack():
        async with Hub(allow_root=True) as hub:
            assert await enters(hub, "ada", hub.password) == "learner"
            for password in ("", hub.password[:-1], Hub().password):
                assert await enters(hub, "ada", password) is None
            async with kernel_that_says(hub, "my answer") as kernel:
                assert b"my answer" not in overheard(kernel)
                sockets = [Path(one.laddr) for one in kernel.net_connections("unix") if "-ipc-" in one.laddr]
                assert sockets
                for path in sockets:
                    assert path.parent.stat().st_mode & 0o077 == 0
                    if os.geteuid() == 0:
                        assert not can_connect(path)
                assert hub.password not in environment(kernel).values()
            for process in hub.processes():  # anybody can read how a process was called
                assert hub.password not in " ".join(process.cmdline())

    run(attack())


# ------------------------------------------------------------------------------------------------------- one server


async def free(hub, name):
    """The administrator deletes a name that somebody took, and adds it again."""
    from workshop.hub.learner import Learner

    async with Learner(hub.address, "admin", ADMIN_PASSWORD) as admin:
        await admin.login("/hub/home")
        for method in ("DELETE", "POST"):
            headers = {"X-XSRFToken": admin.token(f"{hub.address}/hub/")}
            await admin.ask(method, f"{hub.address}/hub/api/users/{name}", headers=headers, json={})


@pytest.mark.parametrize("names", [[], ["ada"]], ids=["before the list", "with a list"])
def test_on_one_server_names_are_not_for_the_taking(real_hub, needs, tmp_path, names):
    """As The Littlest JupyterHub sets it up, in the worst case: its own settings, read first, let new names be made."""
    needs("firstuseauthenticator")
    settings = f"c.FirstUseAuthenticator.create_users = True\nc.FirstUseAuthenticator.allow_all = {not names}"
    after = f"""
c.JupyterHub.authenticator_class = "firstuseauthenticator.FirstUseAuthenticator"
c.FirstUseAuthenticator.dbm_path = {str(tmp_path / "passwords")!r}
c.Authenticator.allow_all = False
c.Authenticator.admin_users = {{"admin"}}
c.Authenticator.allowed_users = set({names!r})
"""

    async def attack():
        async with hub_with(tmp_path, settings, after) as hub:
            assert await enters(hub, "stranger", "a good password") is None
            assert await enters(hub, "admin", ADMIN_PASSWORD) == "administrator"
            for name in ("admin", "Admin", "ADMIN"):
                assert await enters(hub, name, "a good password") is None
            for name in names:
                assert await enters(hub, name, "the learner's password") == "learner"
                assert await enters(hub, name, "a good password") is None
                await free(hub, name)
                assert await enters(hub, name, "another password") == "learner"
                assert await enters(hub, name, "the learner's password") is None
            assert await enters(hub, "stranger", "a good password") is None

    run(attack())


# ------------------------------------------------------------------------------------------------------- the cluster


def chart(tmp_path, private):
    """A hub with what config.yaml says of logins, and private.yaml after it, as the chart hands them to JupyterHub."""
    after = "\n".join(
        f"c.{name}.{trait} = {value!r}"
        for part in (CHART["hub"]["config"], private)
        for name, traits in part.items()
        for trait, value in traits.items()
    )
    return hub_with(tmp_path, "", after)


def test_the_cluster_admits_nobody_as_it_stands(real_hub, tmp_path):
    async def attack():
        async with chart(tmp_path, {}) as hub:
            for name in ("ada", "instructor", "root"):
                for password in ("", "CHANGE-ME", "None", hub.password):
                    assert await enters(hub, name, password) is None

    run(attack())


def test_the_cluster_admits_who_is_on_the_list_and_has_the_password(real_hub, tmp_path):
    passwords = {"user_password": ROOM_PASSWORD, "admin_password": ADMIN_PASSWORD}
    private = {"SharedPasswordAuthenticator": passwords, "Authenticator": {"allowed_users": ["ada"]}}

    async def attack():
        async with chart(tmp_path, private) as hub:
            assert await enters(hub, "ada", ROOM_PASSWORD) == "learner"
            assert await enters(hub, "instructor", ADMIN_PASSWORD) == "administrator"
            assert await enters(hub, "ada", ADMIN_PASSWORD) is None
            assert await enters(hub, "ada", "") is None
            for name in ("instructor", "Instructor", "stranger"):
                assert await enters(hub, name, ROOM_PASSWORD) is None

    run(attack())


# --------------------------------------------------------------------------------------------------------- versions


@pytest.mark.parametrize(("version", "starts"), [((5, 4, 4), False), ((5, 5, 3), False), ((5, 5, 4), True)])
def test_a_hub_with_published_holes_does_not_start(needs, monkeypatch, version, starts):
    needs("jupyterhub")
    import jupyterhub

    monkeypatch.setattr(jupyterhub, "version_info", (*version, "", ""))
    monkeypatch.setattr(jupyterhub, "__version__", ".".join(map(str, version)))
    for start in (
        PyFileConfigLoader("room.py", path=str(HUB / "tljh")).load_config,
        lambda: exec(CHART["hub"]["extraConfig"]["version"], {}),
    ):
        if starts:
            start()
        else:
            with pytest.raises(RuntimeError, match="is not safe"):
                start()
