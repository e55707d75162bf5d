"""Draw the pictures that the README shows: ``python scripts/make_pictures.py`` writes them into ``docs``."""

from pathlib import Path

from bplib.widgets.rate_view import rate_lab

DOCS = Path(__file__).resolve().parents[1] / "docs"


def rate_lab_picture() -> bytes:
    """Draw the rate lab on a narrow bowl, at a rate that zig-zags across the valley."""
    lab = rate_lab(condition_number=25, rate=0.45)
    lab.reveal()
    try:
        return lab.picture().png()
    finally:
        lab.close()


if __name__ == "__main__":
    DOCS.mkdir(exist_ok=True)
    (DOCS / "rate_lab.png").write_bytes(rate_lab_picture())
    print("docs/rate_lab.png")
