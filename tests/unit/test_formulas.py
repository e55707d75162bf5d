"""The story of an operation that is new in the table and has no words of its own yet."""

from dataclasses import replace

from bplib import tensor, trace
from bplib.engine import apply
from bplib.rules import TABLE

LIMITED = replace(TABLE["clip"], name="limited", symbol="lim", derivative="1 where a lies between")


def test_it_is_told_with_its_sign_its_settings_and_the_derivative_of_the_table() -> None:
    x = tensor(0.5, requires_grad=True, name="x")
    story = trace(apply(LIMITED, x, settings=(0.0, 1.0)) * 2.0)
    forward, backward = story.step(1), story.step(4)
    assert forward.sentence == "limited: z1 = lim(x) with 0.0, 1.0 = lim(0.5) with 0.0, 1.0 = 0.5"
    (share,) = backward.shares
    assert share.local is None
    assert share.symbols == "1 where a lies between"
    assert share.sentence == "to x: incoming through the rule of limited = 2 through the rule of limited = 2"
