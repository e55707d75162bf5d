"""How soon a picture follows the hand: a point dragged in a widget, beside matplotlib redrawn under `interact`.

    python benchmarks/live_pictures.py

Both run in one JupyterLab, in a copy of the course and a real browser. The clock starts at the browser's own time of
the input and stops when the frame with the new picture has been handed over. The slider of `interact` gets one key at
a time, and so never has to catch up; the point in the widget is dragged in circles, as fast as the browser takes the
moves. Where a move changes the axes, the kernel sends the whole scene; that is no live picture and not counted.
"""

import contextlib
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import nbformat  # noqa: E402  (after the course is found)
import psutil  # noqa: E402
from first_slider import chromium_page, complete_copy, run_all_cells, running  # noqa: E402
from playwright.sync_api import Locator, Page  # noqa: E402

_INPUTS, _WARMING = 30, 5
# The rate lab's picture as a notebook draws it that knows no other way.
_INTERACT = """
%matplotlib inline
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import FloatSlider, interact
axis = np.linspace(-2, 2, 60)
bowl = (axis**2 + 10 * axis[:, None] ** 2) / 2
@interact(start=FloatSlider(-1.5, min=-2, max=2, step=0.02))
def draw(start):
    points = np.array([start, 1.0]) * (1 - 0.15 * np.array([1.0, 10.0])) ** np.arange(41)[:, None]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
    left.contour(axis, axis, bowl, 12)
    left.plot(*points.T, "o-")
    right.semilogy((points[:, 0] ** 2 + 10 * points[:, 1] ** 2) / 2)
    plt.show()
"""
# The picture with a point to drag, and the name of that point.
_LIVE = {
    "rate": ("rate_lab()", "start of the descent"),
    "momentum": ("momentum_plane()", "learning rate times curvature"),
    "race": ("optimizer_race()", "start of all five"),
    "explorer": ("surface_explorer()", "start of your run"),
    "losses": ("loss_comparer()", "the outlier"),
    "nudge": ('nudge_lab(show="direction")', "point on the bowl"),
    "depth": ('depth_bench(show="saddle")', "start of the descent"),
}
_PROBE = r"""
window.probe = { asked: 0, moving: false, sent: {}, answers: [], waits: [], bytes: [], received: 0 };
addEventListener("keydown", (event) => { probe.asked = event.timeStamp; }, true);
addEventListener("pointermove", (event) => { probe.asked = event.timeStamp; probe.moving = true; }, true);
addEventListener("pointermove", () => { probe.moving = false; });
// The frame has been handed over when a task runs that was posted from its animation frame.
probe.painted = (asked) => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => probe.waits.push(performance.now() - asked);
  channel.port2.postMessage(0);
});
probe.images = (output) => new MutationObserver(() => {
  const image = output.querySelector("img"), asked = probe.asked;
  if (image && image !== probe.image) { probe.image = image; image.decode().then(() => probe.painted(asked)); }
}).observe(output, { childList: true, subtree: true });
// Reports of the point and the kernel's answers are numbered.
const letters = new TextDecoder("latin1");
const number = (data, name) => {
  const text = typeof data === "string" ? data : letters.decode(data);
  return text.match(new RegExp(`"${name}": ?\\{"n": ?(\\d+)`))?.[1];
};
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  const n = number(data, "pointer");
  if (n) probe.sent[n] = probe.asked;
  return send.call(this, data);
};
const listen = (socket) => socket.addEventListener("message", ({ data }) => {
  probe.received += data.byteLength ?? data.length;
  const n = number(data, "live");
  if (n) { probe.answers.push(n); probe.bytes.push(probe.received); probe.received = 0; }
});
window.WebSocket = class extends WebSocket { constructor(...given) { super(...given); listen(this); } };
// What is drawn while the pointer moves is the point under the hand; all else here is an answer.
const drawImage = CanvasRenderingContext2D.prototype.drawImage;
CanvasRenderingContext2D.prototype.drawImage = function (...given) {
  if (!probe.moving && probe.answers.length) probe.painted(probe.sent[probe.answers.shift()]);
  return drawImage.apply(this, given);
};
probe.start = () => { probe.waits = []; probe.bytes = []; probe.received = 0; };
"""


class Follow(NamedTuple):
    """How a picture follows: milliseconds from an input to the painted picture, and what one costs."""

    pictures: int
    median: float
    p95: float
    kernel_ms: float
    received: float

    def keeps_up_with(self, slow: "Follow") -> bool:
        """Whether a live picture is as quick and as light as promised.

        Of the kernel's time it may take 3 % of what `interact` takes: 5 ms on a machine where that is 165.
        """
        quick = self.median <= slow.median / 4 and self.kernel_ms <= 0.03 * slow.kernel_ms
        return quick and self.received <= 4096

    def __str__(self) -> str:
        """All of it in one line of the table."""
        return (
            f"{self.pictures} pictures, {self.median:.0f} ms, p95 {self.p95:.0f} ms, "
            f"{self.kernel_ms:.1f} ms of the kernel's time, {self.received:,.0f} bytes"
        )


def beside_interact(root: Path, widget: str) -> tuple[Follow, Follow]:
    """Give how the picture of `interact` follows a slider, and that of a widget its point."""
    with _open(root) as open_page:
        return _interact(open_page), _drag(open_page, widget)


def main() -> int:
    """Print every widget with a point to drag."""
    with _open(Path(__file__).resolve().parents[1]) as open_page:
        slow = _interact(open_page)
        print(f"interact: {slow}", flush=True)
        for widget in _LIVE:
            live = _drag(open_page, widget)
            wait, kernel = live.median / slow.median, live.kernel_ms / slow.kernel_ms
            print(f"{widget}: {live}; of interact {wait:.2f}, kernel {kernel:.3f}", flush=True)
    return 0


_Open = Callable[[str], Page]


@contextlib.contextmanager
def _open(root: Path) -> Iterator[_Open]:
    """Give a function that opens a notebook with one cell and runs it."""
    with chromium_page() as page, complete_copy(root) as course, running(course) as address:
        page.set_default_timeout(60_000)
        page.add_init_script(_PROBE)
        lab, token = address.split("/lab", 1)[0], address.rpartition("?")[2]

        def open_page(cell: str) -> Page:
            name = f"live-{time.monotonic_ns()}.ipynb"
            kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
            cells = [nbformat.v4.new_code_cell(cell)]
            notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
            nbformat.write(notebook, course / "notebooks" / name)
            page.goto(f"{lab}/lab/tree/notebooks/{name}?reset&{token}")
            page.get_by_text("| Idle").wait_for()
            run_all_cells(page)
            return page

        yield open_page
        page.goto("about:blank")


def _interact(open_page: _Open) -> Follow:
    page = open_page(_INTERACT)
    output = page.locator(".jp-OutputArea-output", has=page.locator("img")).first
    output.wait_for()
    output.evaluate("(output) => probe.images(output)")
    page.locator(".noUi-handle").first.focus()

    def press(times: int) -> None:
        for _ in range(times):
            seen = page.evaluate("probe.waits.length")
            page.keyboard.press("ArrowRight")
            page.wait_for_function("(seen) => probe.waits.length > seen", arg=seen)

    press(_WARMING)
    return _measure(page, lambda: press(_INPUTS))


def _drag(open_page: _Open, widget: str) -> Follow:
    made, point = _LIVE[widget]
    page = open_page(f"from bplib.widgets.{widget} import {made.split('(')[0]}\n{made}")
    handle = page.locator(f'.bplib-handle[aria-label*="{point}"]').first
    handle.wait_for()
    handle.scroll_into_view_if_needed()
    x, y = _middle(handle)
    page.mouse.move(x, y)
    page.mouse.down()

    def circle(seconds: float) -> None:
        begin = time.monotonic()
        for step in range(int(60 * seconds)):
            turn = 2 * math.pi * step / 90
            page.mouse.move(x + 20 * math.sin(turn), y + 20 * math.cos(turn) - 20)
            time.sleep(max(0.0, begin + (step + 1) / 60 - time.monotonic()))

    circle(0.5)
    follow = _measure(page, lambda: circle(3.0))
    page.mouse.up()
    return follow


def _middle(handle: Locator) -> tuple[float, float]:
    box = handle.bounding_box()
    if box is None:
        raise RuntimeError("the point is not in the page")
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _measure(page: Page, move: Callable[[], None]) -> Follow:
    kernel = _kernel()
    page.evaluate("probe.start()")
    before = sum(kernel.cpu_times()[:2])
    move()
    spent = sum(kernel.cpu_times()[:2]) - before
    waits, sizes, received = page.evaluate("[probe.waits, probe.bytes, probe.received]")
    if len(waits) < _INPUTS:
        raise RuntimeError(f"only {len(waits)} pictures followed the inputs")
    count = len(waits)
    p95 = statistics.quantiles(waits, n=20)[-1]
    return Follow(
        count, statistics.median(waits), p95, 1000 * spent / count, statistics.median(sizes or [received / count])
    )


def _kernel() -> psutil.Process:
    """The kernel that was started last."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "ipykernel_launcher" in " ".join(process.cmdline()):
                found.append(process)
    return max(found, key=psutil.Process.create_time)


if __name__ == "__main__":
    sys.exit(main())
