"""Markdown tables that are readable as plain text."""

from collections.abc import Sequence

_WIDTH = 100


def markdown_table(rows: Sequence[Sequence[str]], width: int = _WIDTH) -> str:
    """Returns a Markdown table, split into several tables if it is too wide.

    Each table begins with the first column, followed by as many columns as fit.

    Args:
        rows: Lists of strings. All lists have the same length, and the first one is the
            header.
        width: Integer, the maximum number of characters in a line. Defaults to `100`.
    """
    first, *columns = zip(*rows, strict=True)
    tables = []
    part = [first]
    for column in columns:
        if len(part) > 1 and _length([*part, column]) > width:
            tables.append(_table(part))
            part = [first]
        part.append(column)
    return "\n\n".join([*tables, _table(part)])


def _length(columns):
    return 1 + sum(_width(column) + 3 for column in columns)


def _width(column):
    return max(map(len, column))


def _table(columns):
    widths = [_width(column) for column in columns]
    header, *lines = (_line(row, widths) for row in zip(*columns, strict=True))
    rule = "|-" + "-" * widths[0] + "-|"
    rule += "".join("-" * (width + 1) + ":|" for width in widths[1:])
    return "\n".join([header, rule, *lines])


def _line(row, widths):
    cells = [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
    return "| " + " | ".join([row[0].ljust(widths[0]), *cells]) + " |"
