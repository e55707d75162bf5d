// Gives stock ipywidgets controls the names a screen reader needs, and keeps the notebook's own
// shortcuts away from them. One hidden view for each box; it looks at the box it lies in, nowhere else.
// A message {shown, field} from Python, two CSS selectors, moves the keyboard and the page.

// The arrow of a list is dark in every theme; on a dark one it would not be seen.
const ARROW = encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 18 18"><path fill="#E0E0E0" d="M5 6l4 4 4-4 1 1-5 5-5-5z"/></svg>',
);
// The tick has its room from the start, so that nothing moves when it appears. It is drawn, not written:
// a screen reader hears aria-pressed.
const STYLE = `
.bplib-box .widget-toggle-button::before { content: ""; display: inline-block; box-sizing: border-box; width: 0.4em;
  height: 0.75em; margin: 0 0.45em 0.1em 0; border: solid transparent; border-width: 0 2px 2px 0;
  transform: rotate(45deg); vertical-align: middle; }
.bplib-box .widget-toggle-button.mod-active::before { border-color: currentColor; }
.bplib-box .bplib-statement { height: auto; }
.bplib-box .bplib-statement label { white-space: normal; line-height: 1.5; }
.bplib-box .bplib-code { height: auto; max-width: 100%; white-space: pre-wrap; line-height: 1.5; }
[data-jp-theme-light="false"] .bplib-box { --jp-widgets-dropdown-arrow: url("data:image/svg+xml,${ARROW}"); }
.bplib-box .widget-toggle-button.mod-active { font-weight: bold; box-shadow: inset 0 0 0 2px currentColor; }
`;

function put(element, name, value) {
  if (element && element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function nameSliders(box) {
  for (const slider of box.querySelectorAll(".widget-slider, .widget-hslider, .widget-vslider")) {
    const label = slider.querySelector(".widget-label");
    const readout = slider.querySelector(".widget-readout");
    for (const handle of slider.querySelectorAll(".noUi-handle")) {
      if (label && label.textContent) put(handle, "aria-label", label.textContent);
      // Without this a screen reader says the position, "5", for a rate of 0.00141.
      if (readout && readout.textContent) put(handle, "aria-valuetext", readout.textContent);
      // It must stand on the handle itself: Notebook 7 takes the arrow keys otherwise.
      put(handle, "data-lm-suppress-shortcuts", "true");
    }
  }
}

/** The value beside a slider over positions looks like a field and takes no value: reading only. */
function closeReadouts(box) {
  for (const readout of box.querySelectorAll(".bplib-positions .widget-readout")) {
    put(readout, "contenteditable", "false");
    put(readout, "tabindex", "-1");
  }
}

/** Waits until both are there to be seen: the messages that show them may still be under way. */
async function lead(box, { shown, field }) {
  const seen = (element) => element && element.getClientRects().length;
  for (let frame = 0; frame < 60; frame++) {
    const part = box.querySelector(shown), next = box.querySelector(field);
    if (seen(part) && seen(next)) {
      next.focus({ preventScroll: true });
      await Promise.all([...part.querySelectorAll("img")].map((picture) => picture.decode().catch(() => null)));
      const high = part.getBoundingClientRect().height > 0.8 * window.innerHeight;
      part.scrollIntoView({ block: high ? "start" : "nearest" });
      return;
    }
    await new Promise(requestAnimationFrame);
  }
}

function nameGroups(box) {
  for (const group of box.querySelectorAll(".widget-toggle-buttons")) {
    const label = group.querySelector(".widget-label");
    put(group, "role", "group");
    if (label && label.textContent) put(group, "aria-label", label.textContent);
    for (const button of group.querySelectorAll("button")) {
      put(button, "aria-pressed", String(button.classList.contains("mod-active")));
    }
  }
}

function render({ model, el }) {
  el.style.display = "none";
  const style = document.createElement("style");
  style.textContent = STYLE;
  el.append(style);
  let box = null;
  const name = () => { nameSliders(box); nameGroups(box); closeReadouts(box); };
  const told = (message) => { if (box) lead(box, message); };
  model.on("msg:custom", told);
  // Runs after all handlers of the same change, so the read-out is the new one. Writing an equal
  // value is avoided in put(), hence it cannot wake itself for ever.
  const observer = new MutationObserver(name);
  const attach = () => {
    box = el.closest(".bplib-box");
    if (!box) { waiting = requestAnimationFrame(attach); return; }
    observer.observe(box, {
      subtree: true, childList: true, characterData: true,
      attributes: true, attributeFilter: ["aria-valuetext", "aria-valuenow", "class", "contenteditable"],
    });
    name();
  };
  let waiting = requestAnimationFrame(attach);
  return () => { cancelAnimationFrame(waiting); observer.disconnect(); model.off("msg:custom", told); };
}

export default { render };
