// The Stage: draws a scene that Python describes as plain data, and reports drags of its handles.
//
// A scene is a list of panels; a panel is a rectangle, two axes and marks. Python sends the mapping from
// data to pixels as two numbers an axis, and every tick with its label: nothing is computed twice.
// The model holds
//   scene    the description; a mark's coordinates are float32, (n, 2) or a table (positions, n, 2)
//   index    the position of the table that is shown; a slider is linked to it inside the browser
//   live     {n, index, marks, words, sentence}: coordinates that stand in for the table during a drag
//   pointer  {n, mark, x, y, phase}: written here at every drag, read by Python

const FAR = 1e6;                       // pixels; infinity is drawn as far as this and cut at the panel's edge
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const INK = "#222222", FRAME = "#8A8A8A", GRID = "#E3E3E3", PAPER = "#FFFFFF";
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

const STYLE = `
.bplib-stage { position: relative; max-width: 100%; margin: 4px 0; overflow-x: auto; overflow-y: hidden; }
.bplib-stage[data-more] { mask-image: linear-gradient(to right, #000 calc(100% - 40px), transparent); }
.bplib-stage[data-more] .bplib-line { margin-right: 40px; }
.bplib-card { position: relative; max-width: 100%; background: ${PAPER}; border-radius: 6px; overflow: hidden; }
.bplib-stage:focus-visible { outline: 3px solid #0072B2; outline-offset: 1px; }
.bplib-stage::-webkit-scrollbar { height: 10px; }
.bplib-stage::-webkit-scrollbar-thumb { background: ${FRAME}; border-radius: 5px; }
.bplib-card canvas { display: block; width: 100%; height: 100%; }
.bplib-handle { position: absolute; width: 32px; height: 32px; margin: -16px 0 0 -16px; border-radius: 50%;
  cursor: grab; touch-action: none; outline: none; box-sizing: border-box; }
.bplib-handle:active { cursor: grabbing; }
.bplib-handle:focus-visible { box-shadow: 0 0 0 2px ${PAPER}, 0 0 0 5px #0072B2; }
@media (forced-colors: active) { .bplib-handle:focus-visible { outline: 3px solid Highlight; } }
.bplib-line { position: sticky; left: 2px; margin: 6px 2px 2px; min-height: 1.4em; line-height: 1.4; font-size: var(--jp-ui-font-size2, 15px);
  font-variant-numeric: tabular-nums; color: var(--jp-content-font-color1, inherit); }
.bplib-said { position: absolute; top: 0; left: 0; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;

// ---------------------------------------------------------------- coordinates

/** Pixel of a value: offset + factor * t(value). On a log axis zero lies infinitely far below. */
export function pixel(axis, value) {
  const t = axis.log ? (value > 0 ? Math.log10(value) : value <= 0 ? -Infinity : NaN) : value;
  return axis.offset + axis.factor * t;
}

/** Value at a pixel, the inverse of `pixel`. */
export function value(axis, position) {
  const t = (position - axis.offset) / axis.factor;
  return axis.log ? 10 ** t : t;
}

const bounded = (v) => Math.max(-FAR, Math.min(FAR, v));
const within = (axis, v) => Math.max(axis.low, Math.min(axis.high, v));

function floats(view) {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/** The coordinates that a mark shows: live ones where there are some, else the table's, as [x0, y0, x1, ...]. */
function coordinates(mark, index, live) {
  const size = 2 * mark.n;
  const at = mark.table ? Math.min(index, mark.data.length / size - 1) * size : 0;
  const rows = mark.data.subarray(at, at + size);
  const fresh = live && live.marks[mark.name];
  if (!fresh) return rows;
  if (fresh.length !== mark.n) return fresh;
  const mixed = rows.slice();          // only the second coordinate was sent: the first never changes
  for (let i = 0; i < mark.n; i++) mixed[2 * i + 1] = fresh[i];
  return mixed;
}

function words(mark, index, live) {
  const fresh = live && live.words[mark.name];
  if (fresh !== undefined && fresh !== null) return fresh;
  const text = mark.text ?? "";
  return Array.isArray(text) ? text[Math.min(index, text.length - 1)] : text;
}

// ---------------------------------------------------------------- drawing

function symbol(g, marker, x, y, r) {
  g.beginPath();
  if (marker === "s") g.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
  else if (marker === "^") { g.moveTo(x, y - 1.2 * r); g.lineTo(x + 1.1 * r, y + 0.9 * r); g.lineTo(x - 1.1 * r, y + 0.9 * r); g.closePath(); }
  else if (marker === "v") { g.moveTo(x, y + 1.2 * r); g.lineTo(x + 1.1 * r, y - 0.9 * r); g.lineTo(x - 1.1 * r, y - 0.9 * r); g.closePath(); }
  else if (marker === "D") { g.moveTo(x, y - 1.3 * r); g.lineTo(x + 1.3 * r, y); g.lineTo(x, y + 1.3 * r); g.lineTo(x - 1.3 * r, y); g.closePath(); }
  else if (marker === "*") {
    for (let k = 0; k < 10; k++) {
      const a = Math.PI * (k / 5 - 0.5), q = k % 2 ? 0.5 * r : 1.25 * r;
      g.lineTo(x + q * Math.cos(a), y + q * Math.sin(a));
    }
    g.closePath();
  } else if (marker === "+") { g.moveTo(x - r, y); g.lineTo(x + r, y); g.moveTo(x, y - r); g.lineTo(x, y + r); }
  else if (marker === "x") { g.moveTo(x - r, y - r); g.lineTo(x + r, y + r); g.moveTo(x - r, y + r); g.lineTo(x + r, y - r); }
  else g.arc(x, y, r, 0, 7);
  g.fill(); g.stroke();
}

function label(g, text, x, y, size, align = "left", weight = "") {
  g.font = `${weight} ${size}px ${FONT}`; g.textAlign = align; g.textBaseline = "middle"; g.fillStyle = INK;
  g.fillText(text, x, y);
}

function dressed(g, mark, width) {
  g.strokeStyle = mark.colour; g.fillStyle = mark.fill; g.lineWidth = width; g.setLineDash(mark.dash); g.lineJoin = "round";
}

/** The part of a segment inside a box, as fractions of its length (Liang and Barsky 1984); null if there is none. */
export function inside([left, top, width, height], ax, ay, bx, by) {
  let from = 0, to = 1;
  for (const [p, q] of [[ax - bx, ax - left], [bx - ax, left + width - ax], [ay - by, ay - top], [by - ay, top + height - ay]]) {
    if (p === 0 && q < 0) return null;
    if (p < 0) from = Math.max(from, q / p);
    if (p > 0) to = Math.min(to, q / p);
  }
  return from <= to ? [from, to] : null;
}

/** Adds a segment to the path, cut at the box: a dashed line a million pixels long would take the browser 0.1 s. */
function segment(g, box, ax, ay, bx, by) {
  const cut = inside(box, ax, ay, bx, by);
  if (!cut) return;
  if (cut[0] > 0) g.moveTo(ax + cut[0] * (bx - ax), ay + cut[0] * (by - ay));
  g.lineTo(ax + cut[1] * (bx - ax), ay + cut[1] * (by - ay));
  if (cut[1] < 1) g.moveTo(bx, by);
}

const MARKS = {
  path(g, panel, mark, rows) {
    const { x, y } = panel, [left, top, width, height] = panel.box;
    const around = [left - 9, top - 9, width + 18, height + 18];    // the clip at the edge itself cuts cleanly
    dressed(g, mark, mark.width);
    let end = 0, px = 0, py = 0;
    g.beginPath();
    for (; end < mark.n; end++) {
      const qx = pixel(x, rows[2 * end]), qy = pixel(y, rows[2 * end + 1]);
      if (Number.isNaN(qx) || Number.isNaN(qy)) break;
      if (end) segment(g, around, px, py, bounded(qx), bounded(qy));
      else g.moveTo(bounded(qx), bounded(qy));
      px = bounded(qx); py = bounded(qy);
    }
    if (mark.width) g.stroke();
    if (mark.markers) MARKS.points(g, panel, { ...mark, n: end, size: 5.5 }, rows, 1);
  },
  points(g, panel, mark, rows, edge = 1.2) {
    dressed(g, mark, edge); g.setLineDash([]);
    for (let i = 0; i < mark.n; i++) {
      const px = pixel(panel.x, rows[2 * i]), py = pixel(panel.y, rows[2 * i + 1]);
      if (Math.abs(px) < FAR && Math.abs(py) < FAR) symbol(g, mark.marker, px, py, mark.size / 2);
    }
  },
  arrow(g, panel, mark, rows) {
    const [ax, ay, bx, by] = [0, 1, 2, 3].map((i) => bounded(pixel(i % 2 ? panel.y : panel.x, rows[i])));
    const a = Math.atan2(by - ay, bx - ax), head = 5 + 2 * mark.width;
    dressed(g, mark, mark.width);
    g.beginPath(); g.moveTo(ax, ay); g.lineTo(bx - 0.7 * head * Math.cos(a), by - 0.7 * head * Math.sin(a)); g.stroke();
    g.beginPath(); g.moveTo(bx, by);
    for (const turn of [2.7, -2.7]) g.lineTo(bx + head * Math.cos(a + turn), by + head * Math.sin(a + turn));
    g.closePath(); g.fillStyle = mark.colour; g.fill();
  },
  bars(g, panel, mark, rows) {
    dressed(g, mark, 1.5); g.setLineDash([]);
    const foot = bounded(pixel(panel.y, mark.base));
    for (let i = 0; i < mark.n; i++) {
      const px = pixel(panel.x, rows[2 * i]) - mark.width / 2, py = bounded(pixel(panel.y, rows[2 * i + 1]));
      if (Number.isNaN(py)) continue;
      g.fillRect(px, py, mark.width, foot - py); g.strokeRect(px, py, mark.width, foot - py);
    }
  },
  text(g, panel, mark, rows, said) {
    const x = pixel(panel.x, rows[0]) + mark.shift[0], y = pixel(panel.y, rows[1]) + mark.shift[1];
    if (mark.plate && said) {
      g.font = `12px ${FONT}`; g.fillStyle = PAPER;
      const width = g.measureText(said).width, start = { left: 0, center: 0.5, right: 1 }[mark.anchor];
      g.fillRect(x - start * width - 2, y - 8, width + 4, 16);
    }
    label(g, said, x, y, 12, mark.anchor);
  },
  rule(g, panel, mark) {
    const [left, top, width, height] = panel.box;
    dressed(g, mark, 1.5);
    g.beginPath();
    if (mark.vertical) {
      const px = pixel(panel.x, mark.value);
      g.moveTo(px, top); g.lineTo(px, top + height); g.stroke();
      label(g, mark.text, px + (mark.anchor === "left" ? 4 : -4), top + 10, 11, mark.anchor);
    } else {
      const py = pixel(panel.y, mark.value);
      g.moveTo(left, py); g.lineTo(left + width, py); g.stroke();
      label(g, mark.text, mark.end === "left" ? left + 4 : left + width - 4, py + (mark.below ? 8 : -8), 11, mark.end);
    }
  },
  handle(g, panel, mark, rows) {
    const px = pixel(panel.x, rows[0]), py = pixel(panel.y, rows[1]);
    g.setLineDash([]); g.strokeStyle = INK; g.lineWidth = 2;
    g.fillStyle = PAPER; symbol(g, "o", px, py, 7.5);
    g.fillStyle = INK; symbol(g, "o", px, py, 2.5);
  },
};

function drawMark(g, panel, mark, index, live) {
  const rows = mark.kind === "rule" ? null : coordinates(mark, index, live);
  const said = mark.kind === "text" ? words(mark, index, live) : undefined;
  g.save();
  if (mark.kind !== "handle" && mark.kind !== "text") { g.beginPath(); g.rect(...panel.box); g.clip(); }
  MARKS[mark.kind](g, panel, mark, rows, said);
  g.restore();
}

/** What never changes while a control moves: fields, grids, ticks, frames, titles. */
function drawStatic(g, scene, fields) {
  g.fillStyle = PAPER; g.fillRect(0, 0, scene.width, scene.height);
  for (const panel of scene.panels) {
    const [left, top, width, height] = panel.box;
    if (fields.get(panel)) { g.imageSmoothingQuality = "high"; g.drawImage(fields.get(panel), left, top, width, height); }
    g.lineWidth = 1;
    for (const [v, text] of panel.x.ticks) {
      const px = pixel(panel.x, v);
      g.strokeStyle = GRID; if (panel.grid) line(g, px, top, px, top + height);
      g.strokeStyle = FRAME; line(g, px, top + height, px, top + height + 4);
      label(g, text, px, top + height + 13, 11, "center");
    }
    let wide = 0;
    for (const [v, text] of panel.y.ticks) {
      const py = pixel(panel.y, v);
      g.strokeStyle = GRID; if (panel.grid) line(g, left, py, left + width, py);
      g.strokeStyle = FRAME; line(g, left - 4, py, left, py);
      label(g, text, left - 7, py, 11, "right");
      wide = Math.max(wide, g.measureText(text).width);
    }
    g.strokeStyle = FRAME; g.strokeRect(left, top, width, height);
    label(g, panel.x.label, left + width / 2, top + height + 31, 12, "center");
    g.save(); g.translate(left - 18 - wide, top + height / 2); g.rotate(-Math.PI / 2);
    label(g, panel.y.label, 0, 0, 12, "center"); g.restore();
    label(g, panel.title, left, top - 13, 13, "left", "bold");
  }
}

function line(g, x0, y0, x1, y1) { g.beginPath(); g.moveTo(x0, y0); g.lineTo(x1, y1); g.stroke(); }

/** The key of a panel, in the row of its title, from the right. */
function drawKey(g, panel, index, live) {
  const [left, top, width] = panel.box;
  let right = left + width;
  for (const mark of [...panel.marks].reverse()) {
    const text = ["path", "points", "bars"].includes(mark.kind) ? words(mark, index, live) : "";
    if (!text) continue;
    label(g, text, right, top - 13, 11, "right");
    right -= g.measureText(text).width + 5;
    dressed(g, mark, mark.kind === "bars" ? 1.5 : mark.width);
    if (mark.kind === "path") line(g, right - 26, top - 13, right, top - 13);
    g.setLineDash([]);
    if (mark.kind === "bars") { g.fillRect(right - 19, top - 18, 12, 10); g.strokeRect(right - 19, top - 18, 12, 10); }
    g.lineWidth = 1;
    if (mark.markers || mark.kind === "points") symbol(g, mark.marker, right - 13, top - 13, 4);
    right -= 26 + 12;
  }
}

// ---------------------------------------------------------------- the model's data

/** The scene with its coordinates as numbers. */
function unpack(raw) {
  const panels = raw.panels.map((panel) => ({
    ...panel,
    marks: panel.marks.map((mark) => (mark.data ? { ...mark, data: floats(mark.data) } : mark)),
  }));
  return { ...raw, panels };
}

function unpackLive(raw, index, scene) {
  if (!raw || !raw.marks || raw.index !== index) return null;    // made for another position: the table knows better
  const marks = {}, data = raw.marks.length ? floats(raw.data) : null;
  const named = scene.panels.flatMap((panel) => panel.marks.filter((mark) => mark.name));
  let start = 0;
  for (const [place, count] of raw.marks) { marks[named[place].name] = data.subarray(start, start + count); start += count; }
  return { ...raw, marks, words: raw.words ?? {} };
}

async function decode(panel) {
  const url = URL.createObjectURL(new Blob([panel.field], { type: "image/png" }));
  const picture = new Image();
  picture.src = url;
  try { await picture.decode(); return picture; } catch { return null; } finally { URL.revokeObjectURL(url); }
}

// ---------------------------------------------------------------- one view

class View {
  constructor(model, el) {
    this.model = model; this.el = el; this.fields = new Map(); this.handles = new Map(); this.held = null; this.closed = false; this.timer = 0;
    el.classList.add("bplib-stage");
    const style = document.createElement("style"); style.textContent = STYLE;
    this.card = div("bplib-card"); this.line = div("bplib-line"); this.said = div("bplib-said");
    this.canvas = document.createElement("canvas"); this.canvas.setAttribute("role", "img");
    this.line.setAttribute("aria-hidden", "true");       // the same words reach a screen reader through `said`
    this.said.setAttribute("role", "status"); this.said.setAttribute("aria-live", "polite");
    this.card.append(this.canvas); el.append(style, this.card, this.line, this.said);
    this.backdrop = document.createElement("canvas");
    // A finger that starts to scroll must not move anything: it acts when it taps.
    this.canvas.addEventListener("pointerdown", (event) => { if (event.pointerType !== "touch") this.press(event); });
    this.canvas.addEventListener("click", (event) => { if (event.pointerType === "touch") this.press(event); });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.card);
    el.addEventListener("scroll", () => this.hint(), { passive: true });
    this.watchDensity();
    this.events = { "change:scene": () => this.takeScene(), "change:index": () => this.draw(), "change:live": () => this.draw() };
    for (const [name, call] of Object.entries(this.events)) model.on(name, call);
    this.takeScene();
  }

  close() {
    this.closed = true;
    for (const [name, call] of Object.entries(this.events)) this.model.off(name, call);
    this.observer.disconnect(); this.density.removeEventListener("change", this.onDensity); clearTimeout(this.timer);
  }

  takeScene() {
    const before = this.scene ? this.scene.panels.map((panel) => this.fields.get(panel)) : [];
    const scene = this.scene = unpack(this.model.get("scene"));
    this.fields = new Map(scene.panels.map((panel, i) => [panel, panel.field && before[i]]));    // the old field until the new one is decoded
    this.card.style.width = `${scene.width}px`; this.card.style.minWidth = `${scene.least}px`;
    this.card.style.aspectRatio = `${scene.width} / ${scene.height}`;
    this.canvas.setAttribute("aria-label", scene.name);
    this.placeHandles();
    this.resize(true);
    for (const panel of scene.panels) {
      if (panel.field) decode(panel).then((picture) => {
        if (this.closed || this.scene !== scene || !picture) return;
        this.fields.set(panel, picture); this.resize(true);
      });
    }
  }

  /** The right edge fades where the picture goes on beyond it. */
  hint() { this.el.toggleAttribute("data-more", this.el.scrollWidth - this.el.clientWidth - this.el.scrollLeft > 2); }

  /** As many device pixels as the card covers: sharp on dense screens and in narrow cells. */
  resize(force = false) {
    // Where the page is narrower than the picture may become, the keyboard must be able to scroll it.
    const scrolls = this.el.scrollWidth > this.el.clientWidth + 1;
    for (const name of ["tabindex", "data-lm-suppress-shortcuts"]) {
      if (scrolls) this.el.setAttribute(name, name === "tabindex" ? "0" : "true"); else this.el.removeAttribute(name);
    }
    this.hint();
    const shown = this.card.clientWidth || this.scene.width;
    const scale = (shown / this.scene.width) * (window.devicePixelRatio || 1);
    const width = Math.max(1, Math.round(this.scene.width * scale)), height = Math.max(1, Math.round(this.scene.height * scale));
    if (!force && width === this.canvas.width && height === this.canvas.height) return;
    for (const canvas of [this.canvas, this.backdrop]) { canvas.width = width; canvas.height = height; }
    this.scale = scale;
    const g = this.backdrop.getContext("2d");
    g.setTransform(scale, 0, 0, scale, 0, 0);
    drawStatic(g, this.scene, this.fields);
    for (const panel of this.scene.panels) for (const mark of panel.marks) if (mark.fixed) drawMark(g, panel, mark, 0, null);
    this.draw();
  }

  watchDensity() {
    this.onDensity = () => { this.density.removeEventListener("change", this.onDensity); this.watchDensity(); this.resize(true); };
    this.density = window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    this.density.addEventListener("change", this.onDensity);
  }

  draw() {
    const { scene, model } = this, index = model.get("index"), g = this.canvas.getContext("2d");
    const live = this.withHeld(unpackLive(model.get("live"), index, scene));
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.drawImage(this.backdrop, 0, 0);
    g.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    for (const panel of scene.panels) {
      for (const mark of panel.marks) if (!mark.fixed) drawMark(g, panel, mark, index, live);
      drawKey(g, panel, index, live);
    }
    this.moveHandles(index, live);
    this.say((live && live.sentence) || scene.sentences[Math.min(index, scene.sentences.length - 1)] || "");
  }

  /** A handle stays under the finger until Python has answered the last report. */
  withHeld(live) {
    const answered = Math.max((this.model.get("live") ?? {}).n ?? 0, this.model.get("scene").n ?? 0);
    if (this.held && !this.held.down && answered >= this.held.n) this.held = null;
    if (!this.held) return live;
    const { mark, x, y } = this.held, base = live ?? { marks: {}, words: {} };
    return { ...base, marks: { ...base.marks, [mark]: new Float32Array([x, y]) } };
  }

  say(sentence) {
    if (this.line.textContent === sentence) return;
    this.line.textContent = sentence;
    clearTimeout(this.timer);            // a screen reader hears where the control came to rest, not every step on the way
    this.timer = setTimeout(() => { this.said.textContent = sentence; }, 400);
  }

  // -------------------------------------------------------------- handles

  placeHandles() {
    const wanted = new Set();
    for (const panel of this.scene.panels) for (const mark of panel.marks) {
      if (mark.kind !== "handle") continue;
      wanted.add(mark.name);
      if (!this.handles.has(mark.name)) this.handles.set(mark.name, { el: this.newHandle(mark.name) });
      Object.assign(this.handles.get(mark.name), { panel, mark });
      this.handles.get(mark.name).el.setAttribute("aria-label", mark.label);
    }
    for (const [name, { el }] of this.handles) if (!wanted.has(name)) { el.remove(); this.handles.delete(name); }
  }

  newHandle(name) {
    const el = div("bplib-handle");
    el.tabIndex = 0;
    el.setAttribute("role", "slider");
    el.setAttribute("aria-roledescription", "point, moved with the arrow keys");
    el.setAttribute("data-lm-suppress-shortcuts", "true");       // else the notebook takes the arrow keys
    el.addEventListener("keydown", (event) => this.key(event, name));
    el.addEventListener("pointerdown", (event) => this.grab(event, name));
    this.card.append(el);
    return el;
  }

  moveHandles(index, live) {
    for (const handle of this.handles.values()) {
      const { el, panel, mark } = handle, [x, y] = coordinates(mark, index, live);
      handle.at = [x, y];
      el.style.left = `${(100 * pixel(panel.x, x)) / this.scene.width}%`;
      el.style.top = `${(100 * pixel(panel.y, y)) / this.scene.height}%`;
      el.setAttribute("aria-valuemin", panel.x.low); el.setAttribute("aria-valuemax", panel.x.high);
      el.setAttribute("aria-valuenow", x.toPrecision(4));
      el.setAttribute("aria-valuetext", `${panel.x.label}: ${x.toPrecision(3)}, ${panel.y.label}: ${y.toPrecision(3)}`);
    }
  }

  /** Arrow keys move by a fiftieth of the axis, with Shift by a tenth. */
  key(event, name) {
    const turn = ARROWS[event.key];
    if (!turn || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault(); event.stopPropagation();
    const { panel, at } = this.handles.get(name), part = event.shiftKey ? 10 : 50;
    const moved = [panel.x, panel.y].map((axis, i) => {
      const low = pixel(axis, axis.low), high = pixel(axis, axis.high);
      return value(axis, pixel(axis, at[i]) + (turn[i] * (high - low)) / part);
    });
    this.report(name, ...moved, "end");
  }

  /** A press anywhere in the panel of a handle brings the handle there. */
  press(event) {
    if (event.button !== 0 || this.held?.down) return;
    const [px, py] = this.where(event);
    for (const [name, { panel }] of this.handles) {
      const [left, top, width, height] = panel.box;
      if (px < left || px > left + width || py < top || py > top + height) continue;
      if (event.type === "click") this.report(name, value(panel.x, px), value(panel.y, py), "end");
      else this.grab(event, name);
      return;
    }
  }

  grab(event, name) {
    if (event.button !== 0) return;
    const { el } = this.handles.get(name), source = event.currentTarget;
    event.preventDefault(); el.focus({ preventScroll: true });
    source.setPointerCapture(event.pointerId);
    const move = (e, phase) => {
      const { panel } = this.handles.get(name) ?? {};
      if (panel) { const [px, py] = this.where(e); this.report(name, value(panel.x, px), value(panel.y, py), phase); }
    };
    const moved = (e) => move(e, "move");
    const done = (e) => {
      source.removeEventListener("pointermove", moved);
      for (const kind of ["pointerup", "pointercancel"]) source.removeEventListener(kind, done);
      if (e.type === "pointerup") move(e, "end"); else if (this.held) this.report(name, this.held.x, this.held.y, "end");
    };
    source.addEventListener("pointermove", moved);
    for (const kind of ["pointerup", "pointercancel"]) source.addEventListener(kind, done);
    if (source === this.canvas) moved(event);            // on the handle itself a click alone moves nothing
  }

  where(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * this.scene.width) / box.width, ((event.clientY - box.top) * this.scene.height) / box.height];
  }

  report(name, x, y, phase) {
    const { panel } = this.handles.get(name);
    const n = (this.model.get("pointer").n ?? 0) + 1;    // counted in the model: two views of it share the count
    this.held = { mark: name, x: within(panel.x, x), y: within(panel.y, y), n, down: phase === "move" };
    this.draw();
    this.model.set("pointer", { n, mark: name, x: this.held.x, y: this.held.y, phase });
    this.model.save_changes();
  }
}

function div(name) { const made = document.createElement("div"); made.className = name; return made; }

function render({ model, el }) {
  const view = new View(model, el);
  return () => view.close();
}

export default { render };
