// What the reader's browser keeps: which pages are done, and where one was. Nothing leaves it; one click forgets it all.
// Beside it what the theme's scripts did: the drawer of the contents on wide pages.
(() => {
  "use strict";
  const KEY = "cocreation:reader";
  const page = DOCUMENTATION_OPTIONS.pagename;

  const read = () => {
    try {
      const kept = JSON.parse(localStorage.getItem(KEY));
      return kept && Array.isArray(kept.done) ? kept : { done: [] };
    } catch {
      return { done: [] }; // storage is closed to pages, or holds something else
    }
  };
  const keep = (kept) => {
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
      return true;
    } catch {
      return false;
    }
  };

  const show = () => {
    const { done } = read();
    for (const link of document.querySelectorAll("a[data-page]")) {
      link.classList.toggle("cc-was-done", done.includes(link.dataset.page));
    }
    for (const link of document.querySelectorAll(".cc-strip a[data-pages]")) {
      link.classList.toggle("cc-was-done", link.dataset.pages.split(" ").every((name) => done.includes(name)));
    }
    for (const button of document.querySelectorAll(".cc-done")) {
      const is = done.includes(button.dataset.page);
      button.hidden = false;
      button.setAttribute("aria-pressed", String(is));
      button.textContent = is ? "✓ Done" : "Mark as done";
    }
    const nav = document.querySelector(".cc-nav");
    let note = document.querySelector(".cc-forget");
    if (done.length && nav && !note) {
      note = document.createElement("p");
      note.className = "cc-forget";
      nav.append(note);
    }
    if (note) {
      note.hidden = !done.length;
      const forget = document.createElement("button");
      forget.type = "button";
      forget.textContent = "Forget my progress";
      forget.addEventListener("click", () => {
        try {
          localStorage.removeItem(KEY);
        } finally {
          show();
          document.querySelector(".cc-nav a")?.focus();
        }
      });
      note.replaceChildren(`${done.length} ${done.length === 1 ? "page" : "pages"} done, known to this browser alone. `, forget);
    }
  };

  const ready = () => {
    const before = read();
    const goOn = document.querySelector(".cc-goon");
    if (goOn && before.last && before.last.page !== page) {
      const link = document.createElement("a");
      link.href = `${document.documentElement.dataset.content_root}${before.last.page}.html`;
      link.textContent = before.last.title;
      goOn.replaceChildren("You were last at ", link, ".");
      goOn.hidden = false;
    }
    if (document.querySelector(".cc-onward")) {
      keep({ ...before, last: { page, title: document.querySelector("h1")?.firstChild?.textContent.trim() ?? page } });
    }
    for (const button of document.querySelectorAll(".cc-done")) {
      button.addEventListener("click", () => {
        const kept = read();
        const name = button.dataset.page;
        const done = kept.done.includes(name) ? kept.done.filter((other) => other !== name) : [...kept.done, name];
        if (!keep({ ...kept, done })) button.title = "This browser keeps nothing for pages like this one.";
        show();
      });
    }
    show();

    const toggle = document.querySelector(".primary-toggle");
    const side = document.querySelector("#pst-primary-sidebar");
    toggle?.addEventListener("click", (event) => {
      if (side && matchMedia("(min-width: 992px)").matches) {
        event.preventDefault();
        event.stopImmediatePropagation();
        side.classList.toggle("pst-sidebar-hidden");
      }
    }, true);
    side?.querySelector("a.active")?.scrollIntoView({ block: "nearest" });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
