"""A room full of people: the hub's settings agree with the course, links keep a learner's work, and a real hub runs.

Without the extra `hub` all are skipped, and without git or Node.js those that need them, unless REQUIRE_HUB is set.
tests/test_hub_attacks.py tries to get into a room.
"""

import asyncio
import copy
import functools
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import tomllib
import uuid
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import jsonschema
import nbformat
import psutil
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from traitlets.config.loader import PyFileConfigLoader

from tools import lessons
from workshop.hub import link

if not os.environ.get("REQUIRE_HUB"):
    pytest.importorskip("jupyterhub")  # room.py asks for its version

HUB = lessons.ROOT / "workshop" / "hub"
PAGE = (HUB / "README.md").read_text(encoding="utf-8")
ROOM = PyFileConfigLoader("room.py", path=str(HUB / "tljh")).load_config()
ROOM_TEXT = (HUB / "tljh" / "room.py").read_text(encoding="utf-8")
CONFIG = (HUB / "z2jh" / "config.yaml").read_text(encoding="utf-8")
CHART = yaml.safe_load(CONFIG)
WRITTEN = [textwrap.dedent(text) for text in re.findall(r"<<END\n(.+?)\n +END\n", PAGE, re.DOTALL)]
CLOSED, OPEN = (yaml.safe_load("\n".join(WRITTEN[:count])) for count in (1, 2))  # private.yaml, as the page writes it
SCHEMAS = json.loads((lessons.ROOT / "tests" / "hub_schemas.json").read_text(encoding="utf-8"))
VERSIONS = tomllib.loads((HUB / "versions.toml").read_text(encoding="utf-8"))
DOCKERFILE = (HUB / "z2jh" / "Dockerfile").read_text(encoding="utf-8")
README = (lessons.ROOT / "README.md").read_text(encoding="utf-8")
DAY_SECONDS = 400  # of the hub's day in the tests, which takes a minute; a message that is lost must not hold up all
SERVER_BYTES = 200e6  # a JupyterLab server without a kernel; one was measured at 157 MB


def settings_of_the_page():
    """What the page tells The Littlest JupyterHub, as its own file would say it."""
    settings = {}
    for verb, name, value in re.findall(r"tljh-config (set|add-item) (\S+) (\S+)", PAGE):
        *place, key = name.split(".")
        inside = functools.reduce(lambda level, part: level.setdefault(part, {}), place, settings)
        inside[key] = yaml.safe_load(value) if verb == "set" else [*inside.get(key, []), value]
    return settings


TLJH = settings_of_the_page()


def bytes_of(size):
    return int(size.removesuffix("G")) * 2**30


# -------------------------------------------------------------------------------------------------------- settings


def test_the_memory_limit_holds_the_two_largest_lessons_at_once():
    largest = sorted(float(megabytes) * 1e6 for megabytes in re.findall(r"\| \d+ s \| (\d+) MB \|", README))
    assert len(largest) == len(lessons.pages())
    assert sum(largest[-2:]) + SERVER_BYTES < bytes_of(ROOM.Spawner.mem_limit)


def test_threads_are_set_as_everywhere_else():
    conda = yaml.safe_load((lessons.ROOT / "environment.yml").read_text(encoding="utf-8"))["variables"]
    assert conda.items() <= ROOM.Spawner.environment.items()
    assert ROOM.Spawner.environment["OMP_NUM_THREADS"] == str(ROOM.Spawner.cpu_limit)


def test_the_sockets_of_kernels_have_short_paths():
    """A longer one than this can't be bound."""
    path = f"{ROOM.Spawner.environment['JUPYTER_RUNTIME_DIR']}/kernel-{uuid.uuid4()}-ipc-5"
    assert len(path) <= 103  # on macOS; 107 on Linux


def test_the_cluster_says_what_the_server_says():
    singleuser, spawner = CHART["singleuser"], ROOM.Spawner
    assert singleuser["extraEnv"] == spawner.environment
    assert singleuser["memory"]["limit"] == spawner.mem_limit
    assert singleuser["cpu"]["limit"] == spawner.cpu_limit
    assert singleuser["cmd"] == ["jupyterhub-singleuser", *spawner.args]
    assert singleuser["defaultUrl"] == spawner.default_url
    assert singleuser["startTimeout"] == spawner.start_timeout
    assert CHART["hub"]["concurrentSpawnLimit"] == ROOM.JupyterHub.concurrent_spawn_limit
    assert CHART["hub"]["activeServerLimit"] == ROOM.JupyterHub.active_server_limit
    names = {"maxAge": "max_age"}  # what is called otherwise on one server
    assert {names.get(key, key): value for key, value in CHART["cull"].items()} == TLJH["services"]["cull"]


@pytest.mark.skipif(sys.platform == "win32", reason="systemd and its spawner run on Linux")
def test_every_setting_exists(needs):
    """traitlets takes a misspelt name without a word."""
    needs("jupyterhub", "firstuseauthenticator", "systemdspawner")
    from firstuseauthenticator import FirstUseAuthenticator
    from jupyter_client.manager import KernelManager
    from jupyter_server.serverapp import ServerApp
    from jupyter_server.services.kernels.kernelmanager import MappingKernelManager
    from jupyter_server_terminals.terminalmanager import TerminalManager
    from jupyterhub.app import JupyterHub
    from jupyterhub.auth import Authenticator
    from jupyterhub.authenticators.shared import SharedPasswordAuthenticator
    from jupyterhub.spawner import Spawner
    from systemdspawner import SystemdSpawner

    hub = (JupyterHub, Authenticator, FirstUseAuthenticator, SharedPasswordAuthenticator, Spawner, SystemdSpawner)
    classes = {one.__name__: one for one in hub}
    for name, settings in [*ROOM.items(), *CHART["hub"]["config"].items()]:
        assert settings.keys() <= classes[name].class_traits(config=True).keys()
    server = {one.__name__: one for one in (KernelManager, MappingKernelManager, ServerApp, TerminalManager)}
    for argument in ROOM.Spawner.args:
        name, trait = re.fullmatch(r"--(\w+)\.(\w+)=\w+", argument).groups()
        assert trait in server[name].class_traits(config=True)


@pytest.mark.parametrize(("kind", "values"), [("chart", CHART), ("chart", CLOSED), ("chart", OPEN), ("tljh", TLJH)])
def test_the_values_fit_their_schema(kind, values):
    jsonschema.validate(values, SCHEMAS[kind])


@pytest.mark.parametrize(
    ("kind", "place"),
    [("chart", ["hub"]), ("chart", ["singleuser", "networkPolicy"]), ("tljh", ["services", "cull"])],
)
def test_the_schema_refuses_a_key_that_nobody_reads(kind, place):
    values = copy.deepcopy({"chart": CHART, "tljh": TLJH}[kind])
    functools.reduce(dict.__getitem__, place, values)["mispelt"] = True
    with pytest.raises(jsonschema.ValidationError, match="mispelt"):
        jsonschema.validate(values, SCHEMAS[kind])


def test_nothing_that_is_deployed_lets_everybody_in():
    for text in (CONFIG, ROOM_TEXT, PAGE):
        assert not re.search(r"dummy|CHANGE-ME|create_users true", text, re.IGNORECASE)
    assert CHART["hub"]["config"]["Authenticator"]["allow_all"] is False
    assert ROOM.FirstUseAuthenticator.create_users is False


def test_the_cluster_opens_with_https_only():
    assert CHART["proxy"] == {"service": {"type": "ClusterIP"}}
    assert "proxy" not in CLOSED
    assert OPEN["proxy"]["service"]["type"] == "LoadBalancer"
    assert OPEN["proxy"]["https"]["enabled"]
    assert OPEN["proxy"]["https"]["hosts"]


def test_learners_on_the_cluster_do_not_reach_its_credentials():
    policy = CHART["singleuser"]["networkPolicy"]
    assert policy["enabled"]
    assert not policy["egressAllowRules"]["cloudMetadataServer"]
    assert not policy["egressAllowRules"]["privateIPs"]
    assert CHART["singleuser"]["cloudMetadata"] == {"blockWithIptables": True, "ip": "169.254.169.254"}


def test_git_leaves_the_passwords_out():
    (name,) = set(re.findall(r"workshop/hub/z2jh/(?!config|Docker)[\w.]+", PAGE))
    assert name in (lessons.ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_image_is_made_from_the_course():
    project = tomllib.loads((lessons.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    python = re.search(r"^FROM python:([\d.]+)-slim-\w+$", DOCKERFILE, re.MULTILINE)[1]
    assert Version(python) in Requirement(f"python{project['requires-python']}").specifier
    for copied in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE):
        assert all((lessons.ROOT / name).exists() for name in copied.split())
    assert DOCKERFILE.index("'^torch=='") < DOCKERFILE.index('".[lab]"')


@pytest.mark.parametrize("text", [DOCKERFILE, PAGE], ids=["Dockerfile", "README"])
def test_root_takes_pytorch_alone_from_its_index(text):
    """With --extra-index-url, a package of any name could come from there."""
    assert "--extra-index-url" not in text
    assert re.search(r"pip install(?: --no-cache-dir)? --no-deps[\s\\]+--index-url https://download.pytorch.org", text)


# -------------------------------------------------------------------------------------------------------- versions


def test_one_file_says_the_versions():
    assert f'"jupyterhub>={VERSIONS["jupyterhub"]},<6"' in (lessons.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    constraints = (lessons.ROOT / "constraints.txt").read_text(encoding="utf-8")
    for name in ("jupyterhub", "nbgitpuller", "jupyterhub-firstuseauthenticator", "jupyterhub-systemdspawner"):
        assert f"\n{name}=={VERSIONS[name]}\n" in constraints
    assert f"JupyterHub {VERSIONS['jupyterhub']}" in PAGE
    assert f"JupyterHub {VERSIONS['tljh']}" in PAGE
    assert f"{VERSIONS['checked'].day} {VERSIONS['checked']:%B %Y}" in PAGE
    assert set(re.findall(r"jupyterhub==([\d.]+)", PAGE)) == {VERSIONS["jupyterhub"]}
    assert re.findall(r"--version '?(\S+?)'? ", PAGE) == [VERSIONS["chart"]]
    assert "==" not in DOCKERFILE.replace("'^torch=='", "")  # the constraints say it there


def test_the_oldest_hub_that_starts_is_the_one_that_was_looked_at():
    oldest = ", ".join(VERSIONS["jupyterhub"].split("."))
    for text in (ROOM_TEXT, CHART["hub"]["extraConfig"]["version"]):
        assert f"version_info[:3] < ({oldest})" in text
        assert f"{VERSIONS['jupyterhub']} or newer" in text


# ------------------------------------------------------------------------------------------------------ the README


def test_the_administrator_is_in_before_anybody_else_can_be():
    """On one server: the firewall closes, ADMIN logs in through a tunnel, the doors open, and names come last."""
    page = PAGE[PAGE.index("## One server") : PAGE.index("## A cluster")]
    order = ["ufw enable", "bootstrap.py", "ssh -L", "https.enabled true", "ufw allow 80,443", "users.allowed"]
    assert sorted(order, key=page.index) == order
    assert page.count("ufw allow 80") == page.count("add-item users.allowed") == 1


def test_a_pull_does_not_change_the_settings_of_a_running_room():
    assert not re.search(r"\bln -s", PAGE)
    assert re.search(r"install -m 600 \S+/room.py /opt/tljh/config/jupyterhub_config.d/room.py", PAGE)


# ----------------------------------------------------------------------------------------------------------- links


def test_a_link_opens_what_the_hub_opens():
    made = urlsplit(link.link("https://hub.example.org/", "https://github.com/owner/name"))
    query = parse_qs(made.query, strict_parsing=True)
    assert (made.scheme, made.netloc) == ("https", "hub.example.org")
    assert made.path == "/hub/user-redirect/git-pull"
    assert query["repo"] == ["https://github.com/owner/name"]
    assert [f"/{path}" for path in query["urlpath"]] == [ROOM.Spawner.default_url]


@pytest.mark.parametrize("path", lessons.pages(), ids=lambda path: path.stem)
def test_every_lesson_has_its_link(path):
    made = link.link("https://hub.example.org", "https://github.com/owner/name", path.name[:2])
    assert made.endswith(f"%2F{path.name}")


@pytest.mark.parametrize("hub", ["https://hub.example.org/jupyter/", "http://127.0.0.1:8000", "http://[::1]:8000"])
def test_a_hub_may_have_a_port_and_a_path(hub):
    made = link.link(hub, "https://github.com/owner/name")
    assert made.startswith(f"{hub.removesuffix('/')}/hub/user-redirect/git-pull?")


@pytest.mark.parametrize(
    ("hub", "lesson", "words"),
    [
        ("hub.example.org", "00", "https://"),
        ("https://", "00", "https://"),
        ("https:///x", "00", "https://"),
        ("https://:8000", "00", "https://"),
        ("https://hub.example.org//", "00", "https://"),
        ("https://hub.example.org/jupyter//", "00", "https://"),
        ("https:/hub.example.org", "00", "https://"),
        ("https://ADMIN@hub.example.org", "00", "https://"),
        ("https://hub.example.org/?next=x", "00", "https://"),
        ("https://hub.example.org#x", "00", "https://"),
        ("https://hub example.org", "00", "https://"),
        ("https://hub.example.org", "", "13 lessons"),
        ("https://hub.example.org", "77", "0 lessons"),
    ],
)
def test_a_link_that_cannot_be_says_why(hub, lesson, words):
    with pytest.raises(ValueError, match=words):
        link.link(hub, "https://github.com/owner/name", lesson)


# ----------------------------------------------------------------------------------------------- a learner's work


@pytest.fixture
def course(tmp_path, needs):
    """The course's repository, and a learner's copy of it that nbgitpuller has brought."""
    needs("nbgitpuller", "aiohttp")
    from workshop.hub.loopback import Course

    made = Course(tmp_path / "repository")
    return made, tmp_path / "home", pull(made, tmp_path / "home")


def pull(course, home):
    from nbgitpuller.pull import GitPuller

    return "".join(GitPuller(course.address, str(home)).pull())


def edit(folder, lesson, change):
    """Change a notebook, as JupyterLab would write it."""
    path = next((folder / "notebooks").glob(f"{lesson}_*.ipynb"))
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)
    return path.name


def exercises(folder, name):
    notebook = nbformat.read(folder / "notebooks" / name, as_version=4)
    nbformat.validate(notebook)
    return [cell.source for cell in notebook.cells if "exercise" in lessons.tags(cell)]


def solve(notebook):
    notebook.cells = lessons.solved(notebook).cells
    for number, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.execution_count = number + 100
        cell.outputs = [nbformat.v4.new_output("stream", text=f"what the learner saw\nin cell {number}\n")]


def test_a_correction_arrives_and_answers_stay(course):
    """Learner and instructor changed the same notebook, in different places."""
    repository, home, _ = course
    name = edit(home, "01", solve)
    answers = exercises(home, name)

    def correct(notebook):
        notebook.cells[0].source += "\n\nA correction."

    edit(repository.folder, "01", correct)
    other = edit(repository.folder, "02", correct)
    repository.publish("A correction")
    pull(repository, home)
    assert exercises(home, name) == answers
    assert "A correction." in (home / "notebooks" / name).read_text(encoding="utf-8")
    assert (home / "notebooks" / other).read_bytes() == (repository.folder / "notebooks" / other).read_bytes()


def test_where_both_changed_the_same_lines_the_learner_wins(course):
    """The instructor changed the stubs, ran the lesson again and added a cell; the learner had solved the exercises."""
    repository, home, _ = course
    name = edit(home, "01", solve)
    answers = exercises(home, name)

    def rewrite(notebook):
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [nbformat.v4.new_output("stream", text="what the instructor saw\n")]
            if "exercise" in lessons.tags(cell):
                cell.source = cell.source.replace("...", "pass  # your answer")
        notebook.cells.insert(3, nbformat.v4.new_markdown_cell("A new remark."))

    edit(repository.folder, "01", rewrite)
    repository.publish("A new version")
    pull(repository, home)
    assert exercises(home, name) == answers


def test_files_of_ones_own_stay_and_a_deleted_lesson_comes_back(course):
    repository, home, _ = course
    (home / "notebooks" / "mine.ipynb").write_text("my own", encoding="utf-8")
    lesson = next((home / "notebooks").glob("01_*.ipynb"))
    lesson.unlink()
    pull(repository, home)
    assert (home / "notebooks" / "mine.ipynb").read_text(encoding="utf-8") == "my own"
    assert lesson.read_bytes() == (repository.folder / "notebooks" / lesson.name).read_bytes()


def test_a_lesson_is_begun_anew_by_another_name_for_the_old_one(course):
    """As workshop/hub/README.md says: in its newest version, also where nbgitpuller has seen the answers."""
    repository, home, _ = course
    name = edit(home, "01", solve)
    pull(repository, home)
    own = (home / "notebooks" / name).read_bytes()
    edit(repository.folder, "01", lambda notebook: notebook.cells[0].update(source="# 01 · New"))
    repository.publish("A new version")
    (home / "notebooks" / name).rename(home / "notebooks" / f"my_{name}")
    pull(repository, home)
    assert (home / "notebooks" / name).read_bytes() == (repository.folder / "notebooks" / name).read_bytes()
    assert (home / "notebooks" / f"my_{name}").read_bytes() == own


# ------------------------------------------------------------------------------------------------------ a real hub


def test_a_hub_that_has_noticed_a_dead_server_is_asked_for_another(monkeypatch, needs):
    """Between two requests of a page the hub may notice that a server died, and then it knows of none."""
    needs("aiohttp")
    from aiohttp import web

    from workshop.hub import learner

    monkeypatch.setattr(learner, "RETRY_SECONDS", 0)
    spawned = []

    async def spawn(_):
        spawned.append("asked")
        return web.Response()

    async def progress(_):
        return web.Response(text='data: {"ready": true}') if len(spawned) > 1 else web.Response(status=404)

    async def page(_):
        return web.Response(status=200 if len(spawned) > 1 else 424)

    async def run():
        app = web.Application()
        routes = {"spawn": spawn, "api/users/one/server/progress": progress}
        app.add_routes([web.get(f"/hub/{path}", answer) for path, answer in routes.items()])
        app.add_routes([web.get("/user/one/git-pull", page)])
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        hub = f"http://127.0.0.1:{runner.addresses[0][1]}"
        monkeypatch.setattr(learner.Learner, "token", lambda *_: "token")
        async with learner.Learner(hub, "one", "") as one:
            await asyncio.wait_for(one.enter(f"{hub}/user/one/git-pull"), 30)
        await runner.cleanup()

    asyncio.run(run())
    assert len(spawned) == 2


def is_alive(process):
    """Whether a process runs; one that has ended and waits for its parent's look does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass
class Day:
    """A hub's day: two learners run a lesson, a third one's server is killed, a fourth one's network fails."""

    outcome: object  # of the simulation
    broken: list  # connections that could be made again
    environment: dict  # of a kernel
    failure: str  # what a cell that fails says
    started: list  # processes


@pytest.fixture(scope="module")
def day(real_hub):
    from workshop.hub.loopback import Hub
    from workshop.hub.simulation import Room

    async def run():
        async with Hub(allow_root=True) as hub:
            room = Room(hub, lessons.paths()[0])
            await room.together(2)
            await room.attempt("killed", room.accident("server", "killed"))
            return Day(room.outcome, *await bad_connection(hub), hub.processes())

    return asyncio.run(asyncio.wait_for(run(), DAY_SECONDS))


async def bad_connection(hub):
    """The connection to a kernel breaks while a cell runs, and a later cell fails."""
    from workshop.hub.learner import Learner, LearnerError

    go_on = hub.folder / "go on"
    cells = [
        "import json, os, pathlib, time\nprint(json.dumps(dict(os.environ)))",
        f"print('here')\nwhile not pathlib.Path({str(go_on)!r}).exists(): time.sleep(0.1)",
        "1 / 0",
    ]
    async with Learner(hub.address, "one", hub.password) as learner:
        await learner.arrive(link.link(hub.address, hub.course.address))
        lesson = await learner.open(f"{link.FOLDER}/notebooks/{lessons.paths()[0].name}")
        lesson.notebook.cells = [nbformat.v4.new_code_cell(source) for source in cells]
        first, second, third = lesson.code()
        async with lesson:
            await lesson.run([first])
            running = await lesson.begin(second)
            lesson.socket._response.connection.transport.abort()  # as if the network had failed
            while (
                not learner.broken
            ):  # what a server sends into a broken connection that it has not noticed yet is lost
                await asyncio.sleep(0.1)
            go_on.touch()
            await running
            with pytest.raises(LearnerError) as failure:
                await lesson.run([third])
        return learner.broken, json.loads(first.outputs[0].text), str(failure.value)


@pytest.mark.slow
def test_two_learners_run_a_lesson_and_a_killed_server_loses_nothing(day):
    assert day.outcome.failures == []
    assert len(day.outcome.starts) == 2
    assert [what for what, _ in day.outcome.accidents] == ["server"]
    assert 2e8 < max(day.outcome.resident.values()) < bytes_of(ROOM.Spawner.mem_limit)


@pytest.mark.slow
def test_settings_arrive_a_broken_connection_is_made_again_and_a_failing_cell_is_named(day):
    assert len(day.broken) == 1
    settings = dict(ROOM.Spawner.environment)
    del settings["JUPYTER_RUNTIME_DIR"]  # on loopback each learner has another one
    assert settings.items() <= day.environment.items()
    assert day.failure == "cell 2: ZeroDivisionError: division by zero"


@pytest.mark.slow
def test_a_hub_that_ends_leaves_nothing_running(day):
    assert day.started
    assert not [process for process in day.started if is_alive(process)]


@pytest.mark.slow
def test_stopping_the_load_test_leaves_nothing_running(tmp_path, real_hub):
    from workshop.hub.loopback import MARK, environment

    command = [sys.executable, HUB / "load.py", "--learners", "2", "--lesson", "00", "--allow-root"]
    with subprocess.Popen(
        command,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a test run in the background ignores it
    ) as load:
        while b"one learner alone" not in load.stderr.readline():
            assert load.poll() is None, "the load test ended by itself"
        load.send_signal(signal.SIGINT)
        words = load.stderr.read().decode()
    assert load.returncode == 1
    assert words.endswith("nothing is left running.\n")
    left = [one for one in psutil.process_iter() if environment(one).get(MARK, "").startswith(str(tmp_path))]
    assert left == []
    assert list(tmp_path.glob("hub-*")) == []
