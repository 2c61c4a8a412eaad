// Search as one types, in the page itself, also from a file: index and engine are scripts that come with the first
// keystroke. Whole words count more than beginnings; nothing is found in the middle of a word, but Chinese is.
(() => {
  "use strict";
  const CJK = /[\u3400-\u9fff\uf900-\ufaff]/;
  const WORDS = /[\p{L}\p{N}]+(?:['’][\p{L}]+)*/gu;
  const MOST = 30;

  // Chinese has no blanks: each pair of characters is a word, and each character alone.
  const tokenize = (text) => {
    const found = [];
    for (const [word] of text.normalize("NFKC").matchAll(WORDS)) {
      if (!CJK.test(word)) {
        found.push(word);
        continue;
      }
      const signs = [...word];
      if (signs.length === 1) found.push(word);
      for (let i = 0; i + 1 < signs.length; i += 1) found.push(signs[i] + signs[i + 1]);
    }
    return found;
  };
  const tokenizeAll = (text) => [...tokenize(text), ...[...text].filter((sign) => CJK.test(sign))];

  let engine;
  const load = (src) => new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = src;
    script.onload = resolve;
    script.onerror = () => reject(new Error(src));
    document.head.append(script);
  });
  const ready = (input) => {
    engine ??= Promise.all([load(input.dataset.engine), load(input.dataset.index)]).then(() => {
      const entries = window.cocreationSearchIndex.map(([page, anchor, title, above, text], id) => (
        { id, page, anchor, title, above, text }
      ));
      const index = new window.MiniSearch({
        fields: ["title", "above", "text"],
        tokenize: tokenizeAll,
        searchOptions: { tokenize, boost: { title: 5, above: 2 }, prefix: (term) => term.length > 2, combineWith: "AND" },
      });
      index.addAll(entries);
      return { index, entries };
    });
    engine.catch(() => { engine = undefined; });
    return engine;
  };

  const find = ({ index, entries }, query) => {
    let hits = index.search(query);
    if (!hits.length) hits = index.search(query, { fuzzy: (term) => (term.length > 4 ? 0.2 : false) });
    return hits.slice(0, MOST).map((hit) => ({ ...entries[hit.id], terms: hit.terms }));
  };

  // The words around the first place where a term stands, with the terms marked.
  const excerpt = (text, terms) => {
    const lower = text.toLowerCase();
    const spots = [];
    for (const term of terms) {
      const escaped = term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      const pattern = CJK.test(term) ? escaped : `(?<![\\p{L}\\p{N}])${escaped}`;
      for (const match of lower.matchAll(new RegExp(pattern, "gu"))) spots.push([match.index, match.index + term.length]);
    }
    spots.sort((a, b) => a[0] - b[0]);
    const first = spots.length ? spots[0][0] : 0;
    const from = first < 70 ? 0 : text.indexOf(" ", first - 70) + 1;
    const to = Math.min(text.length, from + 190);
    const parts = [from > 0 ? "… " : ""];
    let at = from;
    for (const [start, end] of spots) {
      if (start < at || end > to) continue;
      const mark = document.createElement("mark");
      mark.textContent = text.slice(start, end);
      parts.push(text.slice(at, start), mark);
      at = end;
    }
    parts.push(text.slice(at, to), to < text.length ? " …" : "");
    return parts;
  };

  const show = (field, hits, query) => {
    const { input, list, said } = field;
    list.replaceChildren(...hits.map((hit) => {
      const link = document.createElement("a");
      link.href = `${input.dataset.root}${hit.page}.html${hit.anchor ? `#${hit.anchor}` : ""}`;
      const title = document.createElement("b");
      title.textContent = hit.title;
      const above = document.createElement("small");
      above.textContent = hit.above ? ` · ${hit.above}` : "";
      const around = document.createElement("span");
      around.append(...excerpt(hit.text, hit.terms));
      link.append(title, above, around);
      const item = document.createElement("li");
      item.append(link);
      return item;
    }));
    const count = hits.length === MOST ? `The ${MOST} best places` : `${hits.length} ${hits.length === 1 ? "place" : "places"}`;
    said.textContent = hits.length ? `${count} for “${query}”` : `Nothing holds “${query}”.`;
  };

  const attach = (box) => {
    const form = box.querySelector("form");
    const field = {
      input: form.querySelector("input"), list: box.querySelector(".cc-search-found"), said: box.querySelector(".cc-search-said"),
    };
    let turn = 0;
    const look = async () => {
      const query = field.input.value.trim();
      const mine = (turn += 1);
      if (!query) {
        field.list.replaceChildren();
        field.said.textContent = "";
        return;
      }
      try {
        const found = find(await ready(field.input), query);
        if (mine === turn) show(field, found, query);
      } catch {
        field.said.textContent = "The search index could not be loaded. Build the book anew, or look into the index of terms.";
      }
    };
    field.input.addEventListener("input", look);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      field.list.querySelector("a")?.focus();
    });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      const stops = [field.input, ...field.list.querySelectorAll("a")];
      const now = stops.indexOf(document.activeElement);
      const next = stops[now + (event.key === "ArrowDown" ? 1 : -1)];
      if (now >= 0 && next) {
        event.preventDefault();
        next.focus();
      }
    });
    field.list.addEventListener("click", (event) => {
      if (event.target.closest("a")) box.close?.(); // a place on this very page
    });
    return { field, look };
  };

  const start = () => {
    for (const box of document.querySelectorAll(".cc-search")) {
      const { field, look } = attach(box);
      const asked = new URLSearchParams(location.search).get("q");
      if (box.matches(".cc-search-page")) {
        field.input.focus();
        if (asked) {
          field.input.value = asked;
          look();
        }
      }
    }
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
