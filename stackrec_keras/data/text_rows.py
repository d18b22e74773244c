"""Checks that each row of a text file is one row of the table that pandas reads.

pandas fills short rows, cuts long ones if columns are chosen, and lets a stray quote
swallow the lines up to the next quote.
"""

import csv
import io
import re
from dataclasses import dataclass, field, replace

import numpy as np

from stackrec_keras.wording import counted

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Separates the fields of a .dat file once it is read.
UNIT_SEPARATOR = b"\x1f"
_SHOWN = {"\t": "a tab", UNIT_SEPARATOR.decode(): "'::'"}
_LINE = re.compile(rb"([^\r\n]*)(\r\n|\r|\n)?")
_QUOTED_LINE = re.compile(rb'((?:"[^"]*"|[^"\r\n]++)*+)(\r\n|\r|\n)')


@dataclass(frozen=True)
class TextForm:
    """The format of a text file.

    Args:
        extension: String, the extension of the file.
        separator: String, the character between fields.
        quoted: Boolean, whether quotes may enclose a field.
        line_end: String, the end of the first line: `"\\n"`, `"\\r\\n"` or `"\\r"`.
        first_row: List of the fields in the first line.
    """

    extension: str
    separator: str
    quoted: bool
    line_end: str = "\n"
    first_row: list[str] = field(default_factory=list)

    @property
    def csv_options(self):
        """Dict of arguments for `csv.reader`."""
        quoting = csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE
        return {"delimiter": self.separator, "quoting": quoting, "strict": True}

    @property
    def terminator(self):
        """The character that ends lines, or `None` if the first line ends with
        `\\r\\n`. Either character then ends a line, alone or together.

        As in `csv.writer`, a lone `\\r` is part of a field if lines end with `\\n`.
        """
        return None if self.line_end == "\r\n" else self.line_end


def read_form(begin, extension, separator, quoted):
    """Returns the `TextForm` of a text file that begins with these bytes."""
    begin = begin.removeprefix(_BYTE_ORDER_MARK)
    begin = re.sub(rb"\A(?: *[\r\n])+", b"", begin)
    match = (quoted and _QUOTED_LINE.match(begin)) or _LINE.match(begin)
    line, line_end = match[1].decode(), (match[2] or b"\n").decode()
    form = TextForm(extension, separator, quoted, line_end)
    return replace(form, first_row=_as_row(io.StringIO(line, newline=""), form))


def first_rows(begin, form, number=1000):
    """Returns the first rows of a text file that begins with these bytes."""
    text = begin.removeprefix(_BYTE_ORDER_MARK).decode(errors="replace")
    lines = text.split(form.line_end)[: number + 1]
    rows = [_as_row([line], form) for line in lines[: max(1, len(lines) - 1)]]
    return [row for row in rows if row]


def _as_row(lines, form):
    try:
        return next(csv.reader(lines, **form.csv_options), [])
    except csv.Error:
        return "".join(lines).split(form.separator)


class CheckedRows(io.RawIOBase):
    """Reads the bytes of a file, and checks that rows have as many fields as the first.

    Args:
        file: File that is open for reading bytes.
        form: `TextForm` of the file.

    Attributes:
        regular: Boolean. `True` proves that each row has as many fields as the first
            and that no field holds a line break. `False` proves nothing, because a
            harmless blank line, for example, also leads to `False`.
        has_nul: Boolean, whether a NUL character was seen.
        mixed_line_ends: Boolean, whether `\\r\\n` was seen in a file whose lines end
            with `\\n`.
    """

    def __init__(self, file, form):
        self._file = file
        self._form = form
        self.regular = True
        self.has_nul = False
        self.mixed_line_ends = False
        self._separator = ord(form.separator)
        self._line_end = ord(form.line_end[-1])
        self._within_quotes = False
        # The last examined byte and the byte after it; then the position of the former.
        self._tail = bytes([self._line_end])
        self._tail_start = -1
        # A mark is a separator or line end that is not within quotes.
        self._num_marks = 0
        self._mark_sums = [0] * len(form.first_row)
        self._first_marks = []
        self._last_mark = -1

    def readable(self):
        return True

    def read(self, size=-1):
        block = self._file.read(size)
        self.has_nul |= b"\0" in block
        if self._form.line_end == "\n" and b"\r" in block:
            self.mixed_line_ends |= b"\r\n" in block
        self._check(block)
        return block

    def finish(self):
        """Checks the end of the file, where the last line may lack its line end."""
        end = self._form.line_end.encode()
        self._check(end[-1:] if self._tail[-1:] == end[-1:] else end + end[-1:])
        self.regular &= self._num_marks % len(self._mark_sums) == 0

    def lengths(self, has_header):
        """Returns the number of bytes in each column below the header. The numbers are
        right only if `regular`.

        A field lies between two marks, so it suffices to sum the marks' positions.
        """
        rows = self._num_marks // len(self._mark_sums)
        before = [self._mark_sums[-1] - self._last_mark - 1, *self._mark_sums[:-1]]
        lengths = np.subtract(self._mark_sums, before) - rows
        lengths[-1] -= rows * (len(self._form.line_end) - 1)
        if has_header:
            lengths -= np.diff(self._first_marks, prepend=-1) - 1
            lengths[-1] += len(self._form.line_end) - 1
        return lengths

    def _check(self, block):
        if self._tail_start < 0 and len(self._tail) == 1:
            block = block.removeprefix(_BYTE_ORDER_MARK)
        window = self._tail + block
        if not self.regular or len(window) < 3:
            self._tail = window[-2:]
            return
        start = self._tail_start + 1
        self._tail, self._tail_start = window[-2:], start + len(window) - 3
        has_quotes = self._form.quoted and (self._within_quotes or b'"' in window)
        window = np.frombuffer(window, np.uint8)
        here = window[1:-1]  # the bytes that have a neighbour on each side
        is_end = here == self._line_end
        is_mark = is_end | (here == self._separator)
        if self._form.terminator is None:
            # Each "\r" precedes a "\n", and each "\n" follows a "\r".
            self.regular &= np.array_equal(window[:-2] == ord("\r"), is_end)
        marks = (
            self._marks_outside_quotes(window, is_mark, is_end)
            if has_quotes
            else np.flatnonzero(is_mark)
        )
        self._check_marks(marks, np.flatnonzero(is_end), start)

    def _marks_outside_quotes(self, window, is_mark, is_end):
        is_quote = window[1:-1] == ord('"')
        places = np.flatnonzero(is_mark | is_quote)
        is_quote = is_quote[places]
        within = np.bitwise_xor.accumulate(is_quote) ^ self._within_quotes
        if len(within):
            self._within_quotes = bool(within[-1])
        self.regular &= not is_end[places[within]].any()
        quotes = places[is_quote]
        beside = window[quotes + np.where(within[is_quote], 0, 2)]
        # A doubled quote closes and reopens a field, so each of the two is beside a
        # quote.
        good = (beside == self._separator) | (beside == self._line_end)
        good |= beside == ord('"')
        if self._form.terminator is None:
            good |= beside == ord("\r")
        self.regular &= bool(good.all())
        return places[~(is_quote | within)]

    def _check_marks(self, marks, ends, start):
        num_fields = len(self._mark_sums)
        columns = [
            (place - self._num_marks) % num_fields for place in range(num_fields)
        ]
        self.regular &= np.array_equal(marks[columns[-1] :: num_fields], ends)
        for place, first in enumerate(columns):
            chosen = marks[first::num_fields]
            self._mark_sums[place] += int(chosen.sum()) + start * len(chosen)
        if len(self._first_marks) < num_fields:
            missing = num_fields - len(self._first_marks)
            self._first_marks += (marks[:missing] + start).tolist()
        if len(marks):
            self._last_mark = int(marks[-1]) + start
        self._num_marks += len(marks)


def find_fault(file, form, time_column=None):
    """Finds the first row of a text file that is not like the others.

    Args:
        file: File that is open for reading bytes.
        form: `TextForm` of the file.
        time_column: Integer, the position of the column of times. Defaults to `None`.

    Returns:
        `None` if all rows are alike; otherwise `(what, fix)`, strings that say what is
        wrong in which line, and what to do.
    """
    recent: list[str] = []
    rows = csv.reader(_lines(file, form, recent), **form.csv_options)
    while True:
        recent.clear()
        line = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            what = str(error).replace("unexpected end of data", "EOF inside the field")
            return (
                f"line {line} has a quote that is not closed before the end of its "
                f"field: {what}"
            ), _without_quotes(form)
        if row is None:
            return None
        if len(row) != len(form.first_row) and not _is_blank(row):
            return _count_fault(line, row, form)
        if len(recent) > 1 and all(_is_row(one, form, time_column) for one in recent):
            return (
                f"lines {line} to {rows.line_num} are one field within quotes, though "
                f"each would be a row by itself: {recent[0].rstrip()!r:.80}"
            ), _without_quotes(form)


def line_of_row(file, form, row):
    """Returns the line, from 1, in which a row begins; blank lines are not rows."""
    rows = csv.reader(_lines(file, form, []), **form.csv_options)
    for _ in range(row + 1):
        fields: list[str] = []
        while _is_blank(fields):
            line = rows.line_num + 1
            fields = next(rows)
    return line


def _is_blank(row):
    """Returns whether pandas skips a line with these fields."""
    return not row or (len(row) == 1 and row != [""] and not row[0].strip(" \t"))


def _without_quotes(form):
    return (
        "Correct it. If quotes mean nothing in this file, give this frame instead: "
        f"pandas.read_csv(path, sep={form.separator!r}, quoting={csv.QUOTE_NONE}, "
        "dtype=str, keep_default_na=False, na_values=[''])."
    )


def _lines(file, form, recent):
    """Yields the lines of a file, and appends each line to `recent`."""
    newline = "" if form.terminator is None else form.terminator
    with io.TextIOWrapper(file, encoding="utf-8-sig", newline=newline) as lines:
        for line in lines:
            if form.terminator is not None:
                # csv would end a row at either character.
                line = line.replace("\r" if form.terminator == "\n" else "\n", "?")
            recent.append(line)
            yield line


def _count_fault(line, row, form):
    separator = _SHOWN.get(form.separator, repr(form.separator))
    rule = f"Put quotes around a field that holds {separator} or a line break"
    if not form.quoted:
        rule = f"No field may hold {separator} or a line break"
    return (
        f"line {line} has {counted(len(row), 'field')}, but the first line has "
        f"{len(form.first_row)}: {str(row):.80}"
    ), f"{rule}, and leave a missing field empty."


def _is_row(line, form, time_column):
    """Returns whether a line would be a row of the table if quotes meant nothing."""
    fields = line.rstrip("\r\n").split(form.separator)
    return (
        len(fields) == len(form.first_row)
        and all(field.strip('"') for field in fields)
        and (time_column is None or fields[time_column].strip('"')[:1].isdecimal())
    )
