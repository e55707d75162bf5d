"""Everything that a paper brought into the world can be cited, and the source is the one in its docstring."""

import re

import pytest

import bplib
from bplib import losses, nn, optim
from bplib.errors import DataError

CITED = {
    **{f"losses.{n}": getattr(losses, n) for n in losses.__all__},
    **{f"nn.{n}": getattr(nn, n) for n in nn.__all__ if n not in ("Module", "Parameter", "init")},
    **{f"nn.init.{n}": getattr(nn.init, n) for n in nn.init.__all__},
    **{f"optim.{n}": getattr(optim, n) for n in optim.__all__ if hasattr(getattr(optim, n), "_update")},
    **{f"optim.{n}": getattr(optim, n) for n in optim.__all__ if n.endswith("_step") or n.startswith("clip")},
}
del CITED["optim.Optimizer"]


@pytest.mark.parametrize("name", CITED)
def test_every_loss_layer_optimizer_and_initialiser_has_a_source_with_author_and_year(name):
    text = bplib.cite(CITED[name])
    assert re.match(r"[A-Z]\.( [A-Z]\.)*( [A-Z][\w-]+|-[A-Z]\. \w+)", text), text
    assert re.search(r"\((19|20)\d\d\)", text), text
    assert "Examples" not in text


def test_the_table_of_this_file_is_not_empty():
    assert len(CITED) == 9 + 13 + 7 + 7 + 9


def test_a_class_without_a_section_is_followed_to_its_step():
    assert bplib.cite(optim.SGD) == bplib.cite(optim.sgd_step)
    assert bplib.cite(optim.SGD).startswith("B. T. Polyak (1964)")


def test_an_object_is_cited_by_its_class():
    assert bplib.cite(nn.Dropout(0.5)) == bplib.cite(nn.Dropout)


def test_a_section_ends_where_the_next_one_begins():
    def f():
        """Do it.

        References
        ----------
        A. Author (2001), Journal 1.
        Second line.

        Examples
        --------
        >>> f()
        """

    assert bplib.cite(f) == "A. Author (2001), Journal 1.\nSecond line."


class Loop:
    """Goes round: see `Loop`."""


class Mine(nn.Linear):
    pass


@pytest.mark.parametrize(("x", "name"), [(3, "int"), ("mse", "str"), (len, "len"), (Mine, "Mine"), (Loop(), "Loop"),
                                         (None, "NoneType")])  # fmt: skip
def test_what_has_no_source_is_refused_in_words(x, name):
    with pytest.raises(DataError, match=rf"cite: {name} names no source\. Expected a loss"):
        bplib.cite(x)
