"""Pictures follow at once in these tests: how much time lies between two changes depends on the machine."""

import pytest

from bplib.widgets import view
from bplib.widgets.timing import Throttle


@pytest.fixture(autouse=True)
def drawn_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "storm" not in request.node.name:  # there the pause between two pictures is what is tested
        monkeypatch.setattr(view, "Throttle", lambda call: Throttle(call, interval=0.0))
