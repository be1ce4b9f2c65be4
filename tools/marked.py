"""Pages of which a command writes a part: what stands between two lines that begin and end it."""


def write(page, begin, end, lines):
    """Put lines in place of those that stand between two marks.

    Args:
        page: path of a text file.
        begin: the line above them.
        end: the line below them.
        lines: what they are from now on.

    Raises:
        ValueError: the page does not hold both marks, once and in their order; nothing was changed.
    """
    text = page.read_text(encoding="utf-8")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    if text.count(begin) != 1 or rest.count(end) != 1:
        raise ValueError(f"{page.name} must hold {begin!r}, and below it {end!r}, once each")
    written = "\n".join([begin, "", *lines, "", end])
    page.write_text(f"{head}{written}{tail}", encoding="utf-8", newline="\n")
