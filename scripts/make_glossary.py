"""Copy the words of GLOSSARY.md into the library: ``python scripts/make_glossary.py``."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "GLOSSARY.md"
DATA = ROOT / "bplib" / "lessons" / "glossary.json"
COLUMNS = ("word", "symbol", "shape", "unit", "code", "meaning", "first")


def rows() -> list[dict[str, str]]:
    """Give the rows of both tables, column to text; a dash in the page is an empty text here."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip().replace("–", "", cell.strip() == "–") for cell in line[2:-2].split(" | ")] for line in lines]
    return [dict.fromkeys(COLUMNS, "") | dict(zip(COLUMNS, row, strict=False)) for row in cells if row[0] != "word"]


def data() -> str:
    """Give the text of the file."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows())
    return f"[\n{lines}\n]\n"


if __name__ == "__main__":
    DATA.write_text(data(), "utf-8", newline="\n")
    print(DATA.relative_to(ROOT).as_posix())
