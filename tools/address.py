"""The course's public address on GitHub, owner/name, in every place that needs it.

python -m tools.address             print it
python -m tools.address owner/name  set it: badges, the lessons' setup cells, launch buttons, links; again for a fork

The site takes its links and launch buttons from :func:`current`. As long as there is none, the lessons say so on Colab,
and links that need it show OWNER/NAME. The standard library is all that this needs: `make address` runs it without the
environment.
"""

import re
import sys

from tools.lessons import ROOT, pages

UNSET = "OWNER/NAME"
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?/(?!\.+$)[A-Za-z0-9._-]{1,100}")
SETUP = re.compile(r'(?<=COURSE = \\")[^"\\]*(?=\\"  # the course\'s address)')  # as it stands in a notebook's JSON
BADGES = re.compile(r"(?<=<!-- badges: written by make address -->\n).*?(?=<!-- end of badges -->)", re.DOTALL)
NOTHING_YET = "No public address yet: `make address REPO=owner/name` writes the badges and the link to the site here."
WITHOUT = f"\n_{NOTHING_YET}_\n\n"


def current(root=ROOT):
    """The course's address as owner/name, or "" while it has none.

    Raises:
        ValueError: a lesson's setup cell is missing, or holds another address than the first lesson's.
    """
    addresses = held(root)
    if len(addresses) != 1:
        raise ValueError(
            f"the lessons hold different addresses: {', '.join(sorted(addresses))}. Run make address again."
        )
    return addresses.pop()


def held(root=ROOT):
    """The addresses that the lessons hold: one, unless something went wrong.

    Raises:
        ValueError: a lesson's setup cell is missing.
    """
    found = {path.name: SETUP.search(path.read_text(encoding="utf-8")) for path in pages(root)}
    if missing := [name for name, match in found.items() if match is None]:
        raise ValueError(f"{missing[0]} has no setup cell with the course's address")
    return {match[0] for match in found.values()}


def check(address):
    """Raise ValueError unless this is a name that GitHub would accept, owner/name."""
    if NAME.fullmatch(address) and not address.endswith(".git"):
        return
    hint = re.match(r"(?:.*github\.com[:/])?([\w-]+/[\w.-]+?)(?:\.git)?(?:/.*)?$", address)
    meant = f"; did you mean {hint[1]}?" if hint and NAME.fullmatch(hint[1]) else ""
    raise ValueError(f"the address is written owner/name, got {address!r}{meant}")


def write(address, root=ROOT):
    """Set the address in every place.

    Args:
        address: owner/name.
        root: the course's folder.

    Returns:
        The files that were changed.

    Raises:
        ValueError: this is no address; nothing was changed.
    """
    check(address)
    before = "|".join(re.escape(name) for name in {*held(root), UNSET} if name)
    link = re.compile(rf"(?<=https://github\.com/)(?:{before})(?![\w-])")
    changed = []
    for path in places(root):
        text = path.read_text(encoding="utf-8")
        written = BADGES.sub(lambda _: badges(address), link.sub(address, SETUP.sub(address, text)))
        if written != text:
            path.write_text(written, encoding="utf-8", newline="\n")
            changed.append(path)
    return changed


def places(root=ROOT):
    """Every file in which the address may stand."""
    texts = [root / name for name in ("README.md", "CONTRIBUTING.md", "CITATION.cff")]
    workshop = [
        path for path in sorted((root / "workshop").rglob("*")) if path.suffix in {".md", ".py", ".yaml", ".yml", ""}
    ]
    return [*texts, *(path for path in workshop if path.is_file()), *pages(root)]


def badges(address):
    """The README's badges: tests, Binder, Colab, and the site."""
    owner, name = address.split("/")
    repository, first = f"https://github.com/{address}", "notebooks/00_start_here.ipynb"
    tests = f"{repository}/actions/workflows/test.yml"
    binder = f"https://mybinder.org/v2/gh/{address}/main?urlpath=lab/tree/{first}"
    colab = f"https://colab.research.google.com/github/{address}/blob/main/{first}"
    return (
        f"\n[![Tests]({tests}/badge.svg)]({tests})\n"
        f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({binder})\n"
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab})\n"
        f"[Read it as a web site](https://{owner.lower()}.github.io/{name}/)\n\n"
    )


def main():
    if len(sys.argv) > 2:
        sys.exit("usage: python -m tools.address [owner/name]")
    try:
        if len(sys.argv) == 1:
            print(current() or "no address yet")
            return
        changed = write(sys.argv[1])
    except ValueError as error:
        sys.exit(str(error))
    print(f"{sys.argv[1]} stands in {len(changed)} files that were changed" if changed else "it stood there already")


if __name__ == "__main__":
    main()
