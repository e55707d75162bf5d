// Gives stock ipywidgets controls the names a screen reader needs, and keeps the notebook's own
// shortcuts away from them. One hidden view for each box; it looks at the box it lies in, nowhere else.

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

function render({ el }) {
  el.style.display = "none";
  let box = null;
  const name = () => { nameSliders(box); nameGroups(box); };
  // Runs after all handlers of the same change, so the read-out is the new one. Writing an equal
  // value is avoided in put(), hence it cannot wake itself for ever.
  const observer = new MutationObserver(name);
  const attach = () => {
    box = el.closest(".bplib-box");
    if (!box) { waiting = requestAnimationFrame(attach); return; }
    observer.observe(box, {
      subtree: true, childList: true, characterData: true,
      attributes: true, attributeFilter: ["aria-valuetext", "aria-valuenow", "class"],
    });
    name();
  };
  let waiting = requestAnimationFrame(attach);
  return () => { cancelAnimationFrame(waiting); observer.disconnect(); };
}

export default { render };
