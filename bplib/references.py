"""Where a method comes from: the source that its docstring names, ready to be cited."""

import inspect
import re
import sys
from typing import Any

from bplib.errors import DataError

__all__ = ["cite"]

_SECTION = re.compile(r"^References\n-+\n(.*?)(?=\n\n\S[^\n]*\n-{3,}\n|\Z)", re.DOTALL | re.MULTILINE)
_ELSEWHERE = re.compile(r"\b[Ss]ee `(\w+)`")


def cite(x: Any) -> str:
    """Give the source of a loss, a layer, an optimizer, an initialiser, or anything else whose docstring names one.

    Parameters
    ----------
    x : function, class or object
        Such as ``bplib.losses.mse``, ``bplib.nn.Linear`` or a model's layer.

    Returns
    -------
    str
        Author, year and place; one line for each source, or more.

    Raises
    ------
    DataError
        If nothing is named there.

    Examples
    --------
    >>> import bplib
    >>> print(cite(bplib.optim.Adam))
    D. P. Kingma and J. Ba (2015), ICLR, arXiv 1412.6980, algorithm 1.
    S. J. Reddi, S. Kale and S. Kumar (2018), ICLR, arXiv 1904.09237, algorithm 2 (AMSGrad).
    """
    told = x if inspect.isroutine(x) or inspect.isclass(x) else type(x)
    found = _source_of(told)
    if found is None:
        name = getattr(told, "__name__", repr(told))
        raise DataError(
            f"cite: {name} names no source. Expected a loss, a layer, an optimizer or an initialiser, such as "
            "bplib.losses.mse, or an object of such a class."
        )
    return found


def _source_of(told: Any) -> str | None:
    """Give the section of the docstring, or that of the first function it points to."""
    names = _ELSEWHERE.findall(_text_of(told))
    others = [getattr(sys.modules[told.__module__], name, None) for name in names]
    for text in map(_text_of, [told, *others]):
        if section := _SECTION.search(text):
            return section.group(1).strip()
    return None


def _text_of(told: Any) -> str:
    return inspect.cleandoc(getattr(told, "__doc__", None) or "")
