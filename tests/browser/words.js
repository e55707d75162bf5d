// Where the words of a picture lie on its canvas, as the browser itself has drawn them.
//
// Written into a page before its own scripts: every word that a canvas draws leaves its rectangle in device pixels, and
// the rectangle that it is cut at. A picture that is copied from another canvas takes the words along.
(() => {
  const proto = CanvasRenderingContext2D.prototype;
  const { fillText, drawImage, rect, clip, save, restore, fillRect } = proto;
  const records = new WeakMap();
  const of = (g) => {
    if (!records.has(g)) records.set(g, { words: [], cut: null, kept: [], last: null, drawn: 0 });
    return records.get(g);
  };

  function around(g, left, top, right, bottom) {
    const m = g.getTransform();
    const corners = [[left, top], [right, top], [left, bottom], [right, bottom]];
    const xs = corners.map(([x, y]) => m.a * x + m.c * y + m.e), ys = corners.map(([x, y]) => m.b * x + m.d * y + m.f);
    return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  }

  proto.fillText = function (text, x, y, ...rest) {
    const m = this.measureText(text), record = of(this);
    const box = around(this, x - m.actualBoundingBoxLeft, y - m.actualBoundingBoxAscent,
      x + m.actualBoundingBoxRight, y + m.actualBoundingBoxDescent);
    if (text.trim()) record.words.push({ text, box, cut: record.cut });
    return fillText.call(this, text, x, y, ...rest);
  };
  proto.fillRect = function (x, y, width, height) {
    const [left, top, right, bottom] = around(this, x, y, x + width, y + height), { canvas } = this;
    if (left <= 1 && top <= 1 && right >= canvas.width - 1 && bottom >= canvas.height - 1) of(this).words = [];
    return fillRect.call(this, x, y, width, height);
  };
  proto.drawImage = function (picture, ...place) {
    if (picture instanceof HTMLCanvasElement) {
      of(this).words = [...of(picture.getContext("2d")).words];
      of(this).drawn += 1;
    }
    return drawImage.call(this, picture, ...place);
  };
  proto.rect = function (x, y, width, height) {
    of(this).last = around(this, x, y, x + width, y + height);
    return rect.call(this, x, y, width, height);
  };
  proto.clip = function (...rest) { of(this).cut = of(this).last; return clip.apply(this, rest); };
  proto.save = function () { of(this).kept.push(of(this).cut); return save.call(this); };
  proto.restore = function () { of(this).cut = of(this).kept.pop() ?? null; return restore.call(this); };

  const NEAR = 2;        // pixels of the page: words closer side by side read as one
  const SLACK = 1;       // a canvas measures in fractions, and the edge of a letter is soft

  /** What is wrong with the words of a canvas now. */
  function problems(canvas) {
    const scale = canvas.width / parseFloat(canvas.parentElement.style.width), found = [];
    const { words } = of(canvas.getContext("2d"));
    words.forEach(({ text, box: [left, top, right, bottom], cut }, i) => {
      const edge = cut ?? [0, 0, canvas.width, canvas.height], slack = SLACK * scale;
      const beyond = Math.max(edge[0] - left, edge[1] - top, right - edge[2], bottom - edge[3]);
      if (beyond > slack) found.push(`cut off: ${text}`);
      for (const { text: other, box } of words.slice(0, i)) {
        const across = Math.min(right, box[2]) - Math.max(left, box[0]);
        const down = Math.min(bottom, box[3]) - Math.max(top, box[1]);
        if (across > -NEAR * scale && down > slack) found.push(`overlap: ${other} | ${text}`);
      }
    });
    return found;
  }

  function press(handle, key, times = 1) {
    for (let k = 0; k < times; k++) handle.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  }

  /** What is wrong with the words of a widget now, and at every position of the slider over its table. */
  window.wordProblems = (box) => {
    const canvas = box.querySelector(".bplib-card canvas"), found = new Map();
    const look = (where) => { for (const one of problems(canvas)) if (!found.has(one)) found.set(one, where); };
    look("as it is");
    for (const handle of box.querySelectorAll(".bplib-positions .noUi-handle")) {
      const seen = handle.getClientRects().length && !handle.closest("[disabled]");
      const [at, last] = ["now", "max"].map((name) => Math.round(handle.getAttribute(`aria-value${name}`)));
      const [there, back] = at < last ? ["ArrowRight", "ArrowLeft"] : ["ArrowLeft", "ArrowRight"];
      const before = of(canvas.getContext("2d")).drawn;
      if (seen) press(handle, there);
      if (of(canvas.getContext("2d")).drawn === before) {    // Python draws for this slider, if it is one of those seen
        if (seen) press(handle, back);
        continue;
      }
      press(handle, "Home"); look("at 0");
      for (let k = 1; k <= last; k++) { press(handle, "ArrowRight"); look(`at ${k}`); }
      press(handle, "Home");
      press(handle, "ArrowRight", at);
    }
    return [...found].map(([one, where]) => `${where}: ${one}`);
  };
})();
