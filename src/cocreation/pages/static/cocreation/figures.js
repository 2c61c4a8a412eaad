// Figures: "Enlarge" shows one in a dialog. The drawing itself goes there and comes back, so that no identifier is
// on the page twice. Escape, the button and a click beside the dialog close it; the focus returns to the button.

/** Only a figure that scrolls needs to be reached by the keyboard. */
function watchScrolling() {
  const tell = (plot) => {
    if (plot.scrollWidth > plot.clientWidth) plot.tabIndex = 0;
    else plot.removeAttribute("tabindex");
  };
  const watcher = new ResizeObserver((entries) => entries.forEach((entry) => tell(entry.target)));
  document.querySelectorAll(".cc-plot").forEach((plot) => watcher.observe(plot));
}

function enlarge(button) {
  const plot = button.closest(".cc-figure").querySelector(".cc-plot");
  const dialog = document.createElement("dialog");
  dialog.className = "cc-dialog";
  dialog.setAttribute("aria-label", button.dataset.name);
  const close = document.createElement("button");
  close.type = "button";
  close.className = "cc-close";
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  // its place is kept, at its height, so that the page below does not jump
  const place = document.createElement("div");
  place.style.height = `${plot.offsetHeight}px`;
  plot.replaceWith(place);
  dialog.append(close, plot);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => {
    place.replaceWith(plot);
    dialog.remove();
    button.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}

document.querySelectorAll(".cc-enlarge").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => enlarge(button));
});
watchScrolling();
