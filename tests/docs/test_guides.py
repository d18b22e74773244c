"""The code and the commands of README and guides, run on small data."""

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.cli import build_parser

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# The names that a page takes as given.
ASSUMED = {"adding_a_model": ["x", "y", "num_items"]}
TITLES = ["Toy Story (1995)", "Aladdin (1992)", "Jumanji (1995)", "Heat (1995)"]
TITLES += map(str, range(30))


def blocks(page, language):
    pattern = rf"^```{language}\n(.*?)^```$"
    return re.findall(pattern, page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def log(users=12, events=25):
    return pd.DataFrame(
        {
            "user": np.repeat(np.arange(users), events),
            "item": [TITLES[i % len(TITLES)] for i in range(users * events)],
            "timestamp": np.arange(users * events),
        }
    )


@pytest.fixture
def folder(tmp_path, monkeypatch, eager_on_tensorflow):
    """A working folder with the files that the pages read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sr.data, "load", lambda name: log())
    log().rename(columns={"user": "session", "item": "article"}).to_csv("clicks.csv")
    Path("clicks").mkdir()
    log().to_parquet("clicks/part-0.parquet")
    Path("movielen_20.csv").write_text("0,0,1,2\n1,2,3,4\n")
    Path("movielen_20_context.csv").write_text("7,0,1,2\n8,1,2,3\n")


def _pages_with_code():
    for page in PAGES:
        if blocks(page, "python"):
            # The README's is what people try first, whatever they have installed.
            marks = [pytest.mark.every_backend] * (page.stem == "README")
            if page.stem == "several_devices":
                marks = [pytest.mark.skip(reason="tests/distribution runs its code")]
            yield pytest.param(page, id=page.stem, marks=marks)


@pytest.mark.parametrize("page", list(_pages_with_code()))
def test_the_code_of_a_page_runs_from_top_to_bottom(page, folder, sequences):
    x, y = (part[:8] for part in sequences)
    assumed = {"x": x, "y": y, "num_items": NUM_ITEMS}
    names = {name: assumed[name] for name in ASSUMED.get(page.stem, ())}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_have_the_options_they_are_given(page):
    for line in commands(page, "stackrec"):
        arguments = shlex.split(line.split("#")[0])
        if arguments[0] != "--version":
            build_parser().parse_args(arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_links_to_what_is_there(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_names_scripts_with_the_options_that_they_have(page):
    pattern = r"python (benchmarks/\w+\.py)([^`]*)`"
    shared = (ROOT / "benchmarks" / "forms.py").read_text("utf-8")
    for script, options in re.findall(pattern, page.read_text("utf-8")):
        source = (ROOT / script).read_text("utf-8") + shared
        for option in re.findall(r"--[\w-]+", options):
            assert f'"{option}"' in source, (script, option)


def commands(page, name):
    """The arguments of each call of a command in the page's shell blocks."""
    for block in blocks(page, "bash"):
        for line in re.split(r"&&|\n", block.replace("\\\n", " ")):
            found = re.match(rf"\s*(?:\S*/)?{name} (.*)", line)
            if found:
                yield found[1]
