"""A simulated learner: what a person's browser asks of a JupyterHub, without the browser.

A `Learner` follows the room's link as a browser would: the login form, the start of a server, nbgitpuller's page. A
`Lesson` is a notebook opened in that server: a kernel, and cells that run one after another.
"""

import asyncio
import json
import time
from urllib.parse import parse_qsl, quote, urlsplit

import aiohttp
import nbformat
from jupyter_client.jsonutil import json_default
from jupyter_client.session import Session
from yarl import URL

LOST = {"restarting", "autorestarting", "dead"}  # what a server says of a kernel that died
OUTPUTS = {"display_data", "error", "execute_result", "stream"}
RETRY_SECONDS = 1
AGAIN = {424, 429, 500, 503}  # no server yet, too many starts at once, or a server that is gone: a person reloads


class LearnerError(Exception):
    """Something that a learner would have seen go wrong."""


class LostError(LearnerError):
    """The kernel, or the server with it, went away."""


class Learner:
    """One person at a hub.

    Args:
        hub: the hub's address.
        name: the person's name there.
        password: what opens the hub to that name.
    """

    def __init__(self, hub, name, password):
        self.hub, self.name, self.password = hub, name, password
        self.server = f"{hub}/user/{name}"
        self.broken = []  # why connections to kernels broke that could be made again

    async def __aenter__(self):
        cookies = aiohttp.CookieJar(unsafe=True)  # "unsafe": from an address of numbers too
        self.browser = aiohttp.ClientSession(cookie_jar=cookies, timeout=aiohttp.ClientTimeout(total=None))
        return self

    async def __aexit__(self, *_):
        await self.browser.close()

    async def arrive(self, link):
        """Log in, wait for a server of one's own, and let nbgitpuller bring the course.

        Args:
            link: the link that the room was handed.

        Returns:
            Seconds from the login to the server's first page.
        """
        start = time.perf_counter()
        await self.login(urlsplit(link).path + "?" + urlsplit(link).query)
        await self.enter(link)
        seconds = time.perf_counter() - start
        await self.pull(link)
        return seconds

    async def login(self, target):
        """Send the login form.

        Args:
            target: the page to go on to, from the hub's address.

        Raises:
            LearnerError: the hub does not let this person in.
        """
        await self.ask("GET", f"{self.hub}/hub/login")
        form = {"username": self.name, "password": self.password, "_xsrf": self.token(f"{self.hub}/hub/")}
        await self.ask("POST", f"{self.hub}/hub/login?next={quote(target, safe='')}", data=form)

    async def enter(self, link):
        """Open the link until a server of one's own answers it; ask the hub for a server where there is none."""
        while True:
            await self.ask("GET", f"{self.hub}/hub/spawn", statuses=AGAIN)
            await self.started()
            page = await self.ask("GET", link, statuses=AGAIN)
            if page.status == 200 and page.url.path.startswith(f"/user/{self.name}/git-pull"):
                return
            await asyncio.sleep(RETRY_SECONDS)

    async def started(self):
        """Wait until the hub calls the server ready, or knows of none: it may have noticed just now that one died."""
        progress = f"{self.hub}/hub/api/users/{self.name}/server/progress"
        async for event in self.events(progress, f"{self.hub}/hub/", none={404}):
            if event.get("failed"):
                raise LearnerError(f"the server did not start: {event.get('message')}")
            if event.get("ready"):
                return

    async def pull(self, link):
        """What nbgitpuller's page does: bring the course, or what is new in it, into this learner's home."""
        query = dict(parse_qsl(urlsplit(link).query))
        address = f"{self.server}/git-pull/api?repo={quote(query['repo'], safe='')}&targetpath={query['targetPath']}"
        async for event in self.events(address, f"{self.server}/"):
            if event["phase"] == "error":
                raise LearnerError(f"nbgitpuller: {event.get('message') or event}")

    async def open(self, path):
        """A lesson, as it now lies in this learner's home, with a kernel.

        Args:
            path: where it lies, from the home.
        """
        notebook = await self.read(path)
        session = {"path": path, "name": "", "type": "notebook", "kernel": {"name": notebook.metadata.kernelspec.name}}
        kernel = (await self.api("POST", "sessions", json=session))["kernel"]["id"]
        return Lesson(self, path, notebook, kernel)

    async def read(self, path):
        """A notebook in this learner's home."""
        return nbformat.from_dict((await self.api("GET", f"contents/{path}"))["content"])

    async def leave(self):
        """Stop the server."""
        headers = {"X-XSRFToken": self.token(f"{self.hub}/hub/")}
        await self.ask("DELETE", f"{self.hub}/hub/api/users/{self.name}/server", headers=headers)

    # ------------------------------------------------------------------------------------------------ plain requests

    def token(self, address):
        """The token that guards against requests from elsewhere: a page's cookie, which the page sends back."""
        return self.browser.cookie_jar.filter_cookies(URL(address))["_xsrf"].value

    async def ask(self, method, address, statuses=frozenset(), **options):
        """A request; an answer of 400 or more is a failure unless it is among `statuses`."""
        try:
            async with self.browser.request(method, address, **options) as answer:
                await answer.read()
        except aiohttp.ClientError as error:
            raise LostError(f"{method} {urlsplit(address).path}: {error}") from error
        if answer.status >= 400 and answer.status not in statuses:
            raise LearnerError(
                f"{method} {urlsplit(address).path} answered {answer.status}: {(await answer.text())[:300]}"
            )
        return answer

    async def api(self, method, what, **options):
        """A request to the REST interface of this learner's server."""
        headers = {"X-XSRFToken": self.token(f"{self.server}/")}
        answer = await self.ask(method, f"{self.server}/api/{what}", headers=headers, **options)
        return await answer.json() if answer.status != 204 else None

    async def events(self, address, page, none=frozenset()):
        """The events that a server sends until it ends the stream; an answer whose status is in `none` holds none."""
        try:
            async with self.browser.get(address, headers={"X-XSRFToken": self.token(page)}) as answer:
                if answer.status in none:
                    return
                if answer.status != 200:
                    raise LearnerError(f"GET {urlsplit(address).path} answered {answer.status}: {await answer.text()}")
                async for line in answer.content:
                    if line.startswith(b"data:"):
                        yield json.loads(line.removeprefix(b"data:"))
        except aiohttp.ClientError as error:
            raise LostError(f"GET {urlsplit(address).path}: {error}") from error


class Lesson:
    """A notebook and its kernel, in the hands of a learner. `async with` connects to the kernel."""

    def __init__(self, learner, path, notebook, kernel):
        self.learner, self.path, self.notebook, self.kernel = learner, path, notebook, kernel
        self.messages = Session()

    async def __aenter__(self):
        await self.connect()
        await self.ready()
        return self

    async def __aexit__(self, *_):
        await self.socket.close()

    async def connect(self):
        """Open a connection to the kernel."""
        address = f"{self.learner.server}/api/kernels/{self.kernel}/channels?session_id={self.messages.session}"
        try:
            self.socket = await self.learner.browser.ws_connect(address, max_msg_size=0, heartbeat=None)
        except aiohttp.ClientError as error:
            raise LostError(f"no connection to the kernel: {error}") from error

    async def reconnect(self, why):
        """Connect again after a break, as a browser does; the server has kept what the kernel said meanwhile.

        Raises:
            LostError: the server or the kernel is gone too.
        """
        await asyncio.sleep(RETRY_SECONDS)
        try:
            await self.learner.api("GET", f"kernels/{self.kernel}")
            await self.connect()
        except LearnerError as error:
            raise LostError(f"the connection to the kernel ended, {why!r}, and then: {error}") from error
        self.learner.broken.append(why)

    def code(self):
        """The cells to run, in their order."""
        return [cell for cell in self.notebook.cells if cell.cell_type == "code"]

    async def ready(self):
        """Ask the kernel who it is until it answers; while it starts, questions get lost."""
        while True:
            asked = await self.send("kernel_info_request", {})
            try:
                async with asyncio.timeout(5 * RETRY_SECONDS):
                    while (await self.receive(asked))["header"]["msg_type"] != "kernel_info_reply":
                        pass
                return
            except TimeoutError:
                continue

    async def run(self, cells):
        """Run cells in their order and keep their outputs.

        Raises:
            LearnerError: a cell raised.
            LostError: the kernel went away.
        """
        for cell in cells:
            cell.outputs = []
            content = {"code": cell.source, "silent": False, "store_history": True, "allow_stdin": False}
            asked = await self.send("execute_request", {**content, "user_expressions": {}, "stop_on_error": True})
            idle = replied = False
            while not (idle and replied):  # they come on two channels, in either order
                message = await self.receive(asked)
                kind, content = message["header"]["msg_type"], message["content"]
                if kind == "execute_reply":
                    replied, cell.execution_count = True, content["execution_count"]
                    if content["status"] != "ok":
                        place = self.notebook.cells.index(cell)
                        raise LearnerError(f"cell {place}: {content.get('ename')}: {content.get('evalue')}")
                elif kind == "status":
                    idle = content["execution_state"] == "idle"
                elif kind in OUTPUTS:
                    cell.outputs.append(nbformat.v4.output_from_msg(message))

    async def begin(self, cell):
        """Run a cell until it shows something for the first time.

        Returns:
            The task that goes on running it.
        """
        running = asyncio.create_task(self.run([cell]))
        while not (cell.outputs or running.done()):
            await asyncio.sleep(0.1)
        return running

    async def save(self):
        """Save the notebook with its outputs, as Ctrl + S does."""
        document = {"type": "notebook", "format": "json", "content": self.notebook}
        await self.learner.api("PUT", f"contents/{self.path}", json=document)

    async def close(self):
        """Shut the kernel down."""
        await self.learner.api("DELETE", f"kernels/{self.kernel}")

    async def send(self, kind, content):
        """Send a message to the kernel; what comes back is its id."""
        message = {**self.messages.msg(kind, content), "channel": "shell", "buffers": []}
        await self.socket.send_str(json.dumps(message, default=json_default))
        return message["header"]["msg_id"]

    async def receive(self, asked):
        """The next message that answers the one with this id.

        Raises:
            LostError: the kernel died, or the connection to it ended.
        """
        while True:
            frame = await self.socket.receive()
            if frame.type is aiohttp.WSMsgType.BINARY:  # a picture of a widget's, which no one looks at here
                continue
            if frame.type is not aiohttp.WSMsgType.TEXT:
                await self.reconnect(frame.data)
                continue
            message = json.loads(frame.data)
            if message["header"]["msg_type"] == "status" and message["content"]["execution_state"] in LOST:
                raise LostError("the kernel died")
            if message["parent_header"].get("msg_id") == asked:
                return message
