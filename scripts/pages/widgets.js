// Where the widgets of a page find their parts: beside the page, nowhere else.

window.__jupyter_widgets_assets_path__ = "assets/";
requirejs.config({ paths: { anywidget: "assets/anywidget" } });
