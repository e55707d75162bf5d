"""The README keeps its word: its example prints what it says, its commands and links exist."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


EXAMPLES = re.findall(r"```python\n(.*?)```\n+```\n(.*?)```", README, re.DOTALL)


def test_the_examples_print_what_stands_beside_them():
    assert len(EXAMPLES) == 2
    done = ""
    for code, printed in EXAMPLES:
        run = subprocess.run(
            [sys.executable, "-W", "error", "-c", done + code], capture_output=True, text=True, cwd=ROOT, check=False
        )
        assert run.stderr == ""
        assert run.stdout.endswith(printed)
        done += code


def test_the_first_example_has_twelve_lines():
    assert len(EXAMPLES[0][0].splitlines()) == 12


def test_the_two_commands_come_first():
    first = README.split("```")[1]
    assert [line.split("#")[0].strip() for line in first.strip().splitlines()] == [
        "python course.py",
        "python course.py test",
    ]


def test_every_link_leads_to_a_file():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_notebook_is_in_the_table():
    listed = set(re.findall(r"\(notebooks/(\d\d_\w+)\.ipynb\)", README))
    assert listed == {path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")}
