"""The story of a forward and a backward pass: `trace` walks a graph once and writes down what happens.

Records of numbers and words, without a tensor in them; the sentences are made from the records when they are
asked for.

References
----------
S. Linnainmaa (1976), BIT 16, 146-160. A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM,
chapter 3.
"""

from bplib.tracing.assembling import trace
from bplib.tracing.chains import Path
from bplib.tracing.records import BackwardStep, ForwardStep, Share, TracedNode
from bplib.tracing.story import Trace

__all__ = ["BackwardStep", "ForwardStep", "Path", "Share", "Trace", "TracedNode", "trace"]
