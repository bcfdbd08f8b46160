// Keys of the console: a key is a click on something that is there to be clicked, so rights hold, and it works without.
(() => {
  "use strict";
  const $ = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility());
  let awaited = false;

  const isTyping = (target) => target.matches("input, textarea, select, [contenteditable]");

  function move(step) {
    const rows = all("[data-row]");
    const at = rows.indexOf(document.activeElement);
    const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step];
    if (next) {
      next.focus();
      next.scrollIntoView({ block: "nearest" });
    }
  }

  function press(key) {
    if (awaited) {
      awaited = false;
      return $(`[data-go="${CSS.escape(key)}"]`)?.click() ?? true;
    }
    const named = all(`[data-key="${CSS.escape(key)}"]`)[0];
    if (named) return named.click() ?? true;
    if (key === "/") return $("#q") && ($("#q").focus(), $("#q").select(), true);
    if (key === "?") return $("#keys")?.togglePopover() ?? true;
    if (key === "j" || key === "k") return move(key === "j" ? 1 : -1) ?? true;
    if (key === "g") {
      awaited = true;
      setTimeout(() => { awaited = false; }, 1500);
    }
    return false;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isTyping(event.target)) {
      // Escape would empty a search field, and the list would jump back.
      if (event.key === "Escape") { event.preventDefault(); event.target.blur(); }
      return;
    }
    if (event.key.length === 1 && document.documentElement.dataset.keys !== "off" && press(event.key)) {
      event.preventDefault();
    }
  });

  document.addEventListener("htmx:error", () => {
    const notices = $("#notices");
    if (notices) notices.textContent = notices.dataset.away;
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) print();
    const copy = event.target.closest("[data-copy]");
    if (copy) navigator.clipboard?.writeText(copy.dataset.copy).then(() => { copy.dataset.copied = ""; });
  });
})();
