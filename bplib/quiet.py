"""A place where NumPy's floating-point warnings are off.

An infinity or a NaN on the way is a result, and the library speaks of it in its own words
where it matters. `numpy.errstate` would do, at ten times the price: NumPy keeps its settings
in a context variable, so a context in which they are off can be made once and entered often.
"""

from contextvars import Context

import numpy as np

__all__ = ["quiet"]

_IGNORING = Context()
_IGNORING.run(np.seterr, all="ignore")

# ``quiet().run(function, *arguments)`` calls the function with the warnings off. Each call needs a copy of its own: a
# context cannot be entered twice, and an interrupt or a second thread may come in between.
quiet = _IGNORING.copy
