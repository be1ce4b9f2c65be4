"""The link that a room is handed: it starts a learner's server, brings the course there and opens a lesson.

python -m workshop.hub.link https://hub.example.org         lesson 00
python -m workshop.hub.link https://hub.example.org 05      another lesson

In the course's folder every Python can run it, also without the environment.
"""

import argparse
import re
from urllib.parse import urlencode

from tools import address, lessons

HUB = re.compile(r"https?://([^/?#@:\\\s]+|\[[0-9a-f:]+\])(:\d+)?(/[^/?#\\\s]+)*/?")  # a host, a port, a path
FOLDER = "course"  # where the course lies in a learner's home, whatever its repository is called


def link(hub, repository, lesson="00"):
    """The address that opens a lesson on a hub, with nbgitpuller bringing the course first.

    Args:
        hub: the hub's address, as in https://hub.example.org.
        repository: what `git clone` would be given.
        lesson: the beginning of a notebook's name.

    Raises:
        ValueError: the hub's address is not one that a browser can follow, or no single lesson begins so.
    """
    if not HUB.fullmatch(hub):
        raise ValueError(f"Write the hub's address as in https://hub.example.org, not as {hub!r}.")
    found = [path.name for path in lessons.pages() if path.name.startswith(lesson)]
    if len(found) != 1:
        raise ValueError(f"{len(found)} lessons begin with {lesson!r}; give a lesson's two digits, such as 05.")
    query = {"repo": repository, "targetPath": FOLDER, "urlpath": f"lab/tree/{FOLDER}/notebooks/{found[0]}"}
    return f"{hub.removesuffix('/')}/hub/user-redirect/git-pull?{urlencode(query)}"


def repository():
    """The course's repository, as `make address` has set it, or None."""
    now = address.current()
    return f"https://github.com/{now}" if now else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hub", help="the hub's address")
    parser.add_argument("lesson", nargs="?", default="00", help="two digits")
    arguments = parser.parse_args()
    if not repository():
        raise SystemExit("The course has no address yet. Set it with: make address REPO=owner/name")
    try:
        print(link(arguments.hub, repository(), arguments.lesson))
    except ValueError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
