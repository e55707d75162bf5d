// What every page does by itself: formulas, and the change from a widget's picture to the widget.

window.MathJax = {
  tex: { inlineMath: [["$", "$"]], displayMath: [["$$", "$$"]] },
  // Formulas stand in the text; a $ in an output stays a $. Without its menu MathJax asks for no further file.
  options: { ignoreHtmlClass: "mathjax_ignore", processHtmlClass: "text_cell_render", enableMenu: false },
  startup: {
    ready() {
      MathJax.startup.defaultReady();
      MathJax.Hub = { Queue() {} };      // the widgets call version 2 by this name
    },
  },
  Hub: { Queue() {} },
};

/** A part that sticks out sideways must be reached by the keyboard, to be scrolled. */
function reach() {
  for (const part of document.querySelectorAll("pre, .wide, mjx-container")) {
    if (part.scrollWidth > part.clientWidth + 1) part.tabIndex = 0; else part.removeAttribute("tabindex");
  }
}

document.addEventListener("DOMContentLoaded", () => {
  for (const widget of document.querySelectorAll(".widget")) {
    const live = widget.querySelector(".live");
    const observer = new MutationObserver(() => {
      if (!live.querySelector(".bplib-card canvas")) return;      // it is put there with its picture
      widget.classList.add("drawn");
      observer.disconnect();
    });
    observer.observe(live, { subtree: true, childList: true });
  }
});
window.addEventListener("load", reach);
window.addEventListener("resize", reach);
