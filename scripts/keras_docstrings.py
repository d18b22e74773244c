"""A griffe extension that turns docstrings in Keras' style into Markdown.

Each section ("Args:", "Call arguments:", "Returns:", ...) becomes a bold title, and the
entries of a section become a list of definitions. `mkdocs.yml` names this file.
"""

import re
import textwrap

import griffe

TITLES = {
    "Args": "Arguments",
    "Attributes": "Attributes",
    "Call arguments": "Call arguments",
    "Example": "Example",
    "Raises": "Raises",
    "Reference": "Reference",
    "Returns": "Returns",
    "Yields": "Yields",
}
WITH_ENTRIES = ("Args", "Attributes", "Call arguments", "Raises")
SECTION = re.compile(rf"^({'|'.join(TITLES)}):[ ]*(.*)$")
ENTRY = re.compile(r"^(\*{0,2}[\w.`, *]+?):\s*(.*)$", re.DOTALL)


class KerasDocstrings(griffe.Extension):
    def on_instance(self, *, obj, **kwargs):
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(docstring):
    """Converts a docstring, already cleaned by `inspect.cleandoc`, to Markdown."""
    parts = []
    for name, lines in sections(docstring):
        body = textwrap.dedent("\n".join(lines)).strip("\n")
        if name in WITH_ENTRIES:
            body = definitions(body)
        if name == "Example" and body.startswith(">>>"):
            body = f"```pycon\n{body}\n```"
        title = f"**{TITLES[name]}**\n\n" if name else ""
        parts.append(title + body)
    return "\n\n".join(part for part in parts if part)


def sections(docstring):
    """Yields each section's name ("" for prose) and its lines."""
    name, lines, in_code = "", [], False
    for line in docstring.splitlines():
        in_code ^= line.lstrip().startswith("```")
        start = None if in_code else SECTION.match(line)
        if start:
            yield name, lines
            name, lines = start[1], [start[2]]
        elif name not in ("", "Example") and line and not line.startswith(" "):
            yield name, lines
            name, lines = "", [line]
        else:
            lines.append(line)
    yield name, lines


def definitions(body):
    """Converts entries of the form `name: what it is` to a list of definitions."""
    found = [ENTRY.match(entry) for entry in re.split(r"\n(?=\S)", body)]
    if not all(found):
        return body
    return "\n\n".join(definition(*entry.groups()) for entry in found)


def definition(name, text):
    first, _, rest = text.partition("\n")
    text = f"{first}\n{textwrap.dedent(rest)}".strip()
    return f"`{name.strip('`')}`\n:   " + textwrap.indent(text, "    ")[4:]
