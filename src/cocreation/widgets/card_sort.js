// Sort statements to bins. Everything can be done by keyboard, touch or mouse;
// every action is a button, so that screen readers need no special keys.
// Runs in JupyterLab (anywidget) and in a page of the book (widget-host.js).

let instances = 0;

/** Make an element: h("p", {class: "x", onclick: f}, "text", child). Text is never read as HTML. */
function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

class CardSort {
  constructor(model, el) {
    this.model = model;
    this.uid = `card-sort-${++instances}`;
    this.bins = model.get("bins");
    this.cards = model.get("statements");
    this.locked = new Set(); // right at an earlier check
    this.picked = null; // id of a card taken back from its bin
    this.saidLast = "";
    this.phase = model.get("solved") ? "review" : "sort";
    this.root = h("section", {
      class: "card-sort",
      "aria-labelledby": `${this.uid}-title`,
      "data-lm-suppress-shortcuts": "true", // JupyterLab: digits must not turn cells into headings
      onkeydown: (event) => this.onKey(event),
    });
    this.live = h("p", { class: "cs-unseen", role: "status", "aria-live": "polite" });
    this.stage = h("div", { class: "cs-stage" });
    this.root.append(this.header(), this.stage, this.live);
    el.append(this.root);
    this.onModel = () => this.fromModel();
    model.on("change:answer", this.onModel);
    model.on("change:solved", this.onModel);
    this.draw();
  }

  remove() {
    this.model.off("change:answer", this.onModel);
    this.model.off("change:solved", this.onModel);
    this.root.remove();
  }

  // What is where ---------------------------------------------------------

  get answer() {
    return this.model.get("answer");
  }

  get open() {
    return this.cards.filter((card) => !(card.id in this.answer));
  }

  get current() {
    const open = this.open;
    return open.find((card) => card.id === this.picked) ?? open[0] ?? null;
  }

  get wrong() {
    return this.cards.filter((card) => card.id in this.answer && this.answer[card.id] !== card.bin);
  }

  bin(id) {
    return this.bins.find((bin) => bin.id === id);
  }

  save(changes) {
    this.saving = true;
    for (const [key, value] of Object.entries(changes)) this.model.set(key, value);
    this.model.save_changes();
    this.saving = false;
  }

  fromModel() {
    if (this.saving) return; // our own change; we draw ourselves
    this.locked.clear();
    this.phase = this.model.get("solved") ? "review" : this.open.length || this.phase === "sort" ? "sort" : "review";
    this.redraw();
  }

  // What a person does ----------------------------------------------------

  place(card, bin, { moved = false } = {}) {
    if (!card) return this.say("Every statement is placed. Check your sorting, or move a statement.");
    this.picked = null;
    this.save({ answer: { ...this.answer, [card.id]: bin.id } });
    this.redraw(moved ? `card-${card.id}` : undefined);
    const next = this.current;
    const rest = next
      ? moved
        ? ""
        : `Next, ${this.number(next)}: ${next.text}`
      : "Every statement is placed. You can check your sorting now.";
    this.say(`${moved ? "Moved to" : "Placed in"} ${bin.name}. ${rest}`);
  }

  takeBack(card) {
    const answer = { ...this.answer };
    delete answer[card.id];
    this.picked = card.id;
    this.save({ answer });
    this.redraw(`bin-${this.bins[0].id}`);
    this.say(`Taken back. ${this.number(card)}: ${card.text}`);
  }

  check() {
    if (this.open.length)
      return this.say(`${count(this.open.length, "statement")} still to place before you can check.`);
    const wrong = this.wrong.length;
    this.save({
      attempts: this.model.get("attempts") + 1,
      history: [...this.model.get("history"), this.cards.length - wrong],
      solved: wrong === 0,
    });
    this.phase = "review";
    this.redraw("result");
  }

  retry() {
    const wrong = new Set(this.wrong.map((card) => card.id));
    const kept = Object.entries(this.answer).filter(([id]) => !wrong.has(id));
    this.locked = new Set(kept.map(([id]) => id));
    this.phase = "sort";
    this.save({ answer: Object.fromEntries(kept) });
    this.redraw(`bin-${this.bins[0].id}`);
    this.say(
      `${count(this.open.length, "statement")} to sort again. ${this.number(this.current)}: ${this.current.text}`,
    );
  }

  restart() {
    this.locked.clear();
    this.picked = null;
    this.phase = "sort";
    this.save({ answer: {}, attempts: 0, history: [], solved: false });
    this.redraw(`bin-${this.bins[0].id}`);
    this.say(`Started again. ${this.number(this.current)}: ${this.current.text}`);
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation();
    if (this.phase !== "sort") return;
    const from = event.target.closest("[data-focus]");
    const card = this.cards.find((each) => from?.dataset.focus === `card-${each.id}`);
    const byDigit = this.bins[Number(event.key) - 1];
    let done = true;
    if (byDigit && card) this.place(card, byDigit, { moved: true });
    else if (byDigit) this.place(this.current, byDigit);
    else if (card) done = this.onCardKey(event.key, card, from);
    else if (from?.dataset.focus.startsWith("bin-")) done = this.step(event.key, this.table.choices, from, "x");
    else done = false;
    if (done) event.preventDefault();
  }

  onCardKey(key, card, from) {
    const side = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (side) {
      const at = this.bins.findIndex((bin) => bin.id === this.answer[card.id]);
      const to = this.bins[at + side];
      if (to) this.place(card, to, { moved: true });
      return true;
    }
    if (key === "Delete" || key === "Backspace") {
      this.takeBack(card);
      return true;
    }
    return this.step(key, [...this.table.lists.querySelectorAll("button")], from, "y");
  }

  /** Move the focus along `items` with the arrow keys of one axis, Home and End. */
  step(key, items, from, axis) {
    const by = { x: { ArrowLeft: -1, ArrowRight: 1 }, y: { ArrowUp: -1, ArrowDown: 1 } }[axis][key];
    const at = items.indexOf(from);
    const to = key === "Home" ? 0 : key === "End" ? items.length - 1 : by ? at + by : null;
    if (to === null) return false;
    items[Math.min(Math.max(to, 0), items.length - 1)].focus();
    return true;
  }

  say(text) {
    // A no-break space makes a repeated sentence a change, so that it is read out again.
    this.live.textContent = text === this.saidLast ? `${text}\u00a0` : text;
    this.saidLast = this.live.textContent;
  }

  number(card) {
    return `statement ${this.cards.indexOf(card) + 1} of ${this.cards.length}`;
  }

  // What it looks like ----------------------------------------------------

  header() {
    return h(
      "header",
      { class: "cs-head" },
      h("p", { class: "cs-title", id: `${this.uid}-title` }, this.model.get("title")),
      h("p", { class: "cs-lead" }, this.model.get("instructions")),
    );
  }

  /** Draw again and put the focus on `focus`, or back where it was. */
  redraw(focus) {
    const inside = this.root.contains(document.activeElement);
    const target = focus ?? (inside ? document.activeElement.dataset.focus : undefined);
    this.draw();
    if (target && (focus || inside)) this.root.querySelector(`[data-focus="${CSS.escape(target)}"]`)?.focus();
  }

  draw() {
    if (this.phase === "review") {
      this.table = null;
      this.stage.replaceChildren(...this.reviewing());
    } else {
      if (!this.table) this.lay();
      this.refresh();
    }
    this.root.dataset.phase = this.phase;
  }

  /** Lay the table: what stays in place while statements are sorted, so that the focus stays too. */
  lay() {
    const table = {
      deck: h("div", { class: "cs-deck" }),
      choices: this.bins.map((bin, index) => this.choice(bin, index)),
      count: h("span", { class: "cs-count" }),
      progress: h("progress", { "aria-label": "Statements placed", max: this.cards.length }),
      check: h(
        "button",
        { type: "button", class: "cs-main", "data-focus": "check", onclick: () => this.check() },
        "Check my sorting",
      ),
      lists: h("div", { class: "cs-lists" }),
    };
    this.stage.replaceChildren(
      table.deck,
      h("div", { class: "cs-choices", role: "group", "aria-label": "Bins for this statement" }, ...table.choices),
      h("div", { class: "cs-bar" }, table.count, table.progress, table.check),
      table.lists,
      this.keys(),
    );
    this.table = table;
  }

  refresh() {
    const { deck, choices, count: counter, progress, check, lists } = this.table;
    const open = this.open.length;
    const placed = this.cards.length - open;
    deck.replaceChildren(this.top());
    deck.classList.toggle("cs-empty", !open);
    for (const choice of choices) choice.setAttribute("aria-disabled", String(!open));
    counter.textContent = `${placed} of ${this.cards.length} placed`;
    progress.value = placed;
    check.setAttribute("aria-disabled", String(open > 0));
    lists.hidden = placed === 0;
    lists.replaceChildren(...this.bins.map((bin, index) => this.list(bin, index)));
  }

  keys() {
    const key = (name) => h("kbd", {}, name);
    const digits = this.bins.flatMap((_, index) => [key(String(index + 1)), " "]);
    return h(
      "p",
      { class: "cs-keys" },
      "By keyboard: ",
      ...digits,
      "place the statement. On a placed one ",
      key("←"),
      " ",
      key("→"),
      " move it, ",
      key("↑"),
      " ",
      key("↓"),
      " walk the list, ",
      key("Enter"),
      " takes it back.",
    );
  }

  /** The statement at hand, or the word that there is none left. */
  top() {
    const card = this.current;
    if (!card) return h("p", {}, "Every statement has its place. Move any you doubt, then check.");
    return h(
      "div",
      { class: "cs-card", ...this.draggable(card) },
      h("p", { class: "cs-no" }, `Statement ${this.cards.indexOf(card) + 1} of ${this.cards.length}`),
      h("p", { class: "cs-text" }, card.text),
    );
  }

  choice(bin, index) {
    return h(
      "button",
      {
        type: "button",
        class: "cs-choice",
        "data-focus": `bin-${bin.id}`,
        "data-accent": index + 1,
        "aria-keyshortcuts": String(index + 1),
        onclick: () => this.place(this.current, bin),
        ...this.dropOn(bin),
      },
      h("kbd", { "aria-hidden": "true" }, String(index + 1)),
      h("span", {}, bin.name),
    );
  }

  list(bin, index) {
    const cards = this.cards.filter((card) => this.answer[card.id] === bin.id);
    return h(
      "div",
      { class: "cs-list", "data-accent": index + 1, ...this.dropOn(bin) },
      h(
        "p",
        { class: "cs-listname", id: `${this.uid}-${bin.id}` },
        bin.short,
        h("span", { class: "cs-number" }, String(cards.length)),
      ),
      h("ul", { "aria-labelledby": `${this.uid}-${bin.id}` }, ...cards.map((card) => this.placedCard(card))),
    );
  }

  placedCard(card) {
    if (this.locked.has(card.id)) {
      return h(
        "li",
        { class: "cs-locked" },
        h("span", { "aria-hidden": "true" }, "✓ "),
        h("span", { class: "cs-unseen" }, "Right: "),
        card.text,
      );
    }
    return h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          class: "cs-placed",
          "data-focus": `card-${card.id}`,
          title: "Take it back",
          onclick: () => this.takeBack(card),
          ...this.draggable(card),
        },
        card.text,
      ),
    );
  }

  draggable(card) {
    return {
      draggable: "true",
      ondragstart: (event) => {
        event.dataTransfer.setData("text/plain", card.text);
        event.dataTransfer.effectAllowed = "move";
        this.dragged = card;
      },
      ondragend: () => {
        this.dragged = null;
        for (const over of this.root.querySelectorAll(".cs-over")) over.classList.remove("cs-over");
      },
    };
  }

  dropOn(bin) {
    const over = (event) => {
      if (!this.dragged) return;
      event.preventDefault();
      event.currentTarget.classList.add("cs-over");
    };
    return {
      ondragenter: over,
      ondragover: over,
      ondragleave: (event) => event.currentTarget.classList.remove("cs-over"),
      ondrop: (event) => {
        event.preventDefault();
        event.currentTarget.classList.remove("cs-over");
        if (this.dragged) this.place(this.dragged, bin);
      },
    };
  }

  reviewing() {
    const wrong = this.wrong;
    const right = this.cards.filter((card) => !wrong.includes(card));
    const history = this.model.get("history");
    const first = history.length > 1 ? ` At the first check it was ${history[0]}.` : "";
    const parts = [
      h(
        "div",
        { class: "cs-result" },
        h(
          "p",
          { class: "cs-score", tabindex: "-1", "data-focus": "result" },
          wrong.length
            ? `${right.length} of ${this.cards.length} in the right bin`
            : `All ${this.cards.length} in the right bin`,
        ),
        h(
          "p",
          {},
          wrong.length
            ? `${count(wrong.length, "statement")} to think about again. Read what each answer reveals.${first}`
            : `Checked ${history.length === 1 ? "once" : `${history.length} times`}.${first}`,
        ),
      ),
    ];
    if (wrong.length) {
      parts.push(h("ul", { class: "cs-review" }, ...wrong.map((card) => this.reveal(card))));
    } else {
      parts.push(
        h(
          "ul",
          { class: "cs-essences" },
          ...this.bins.map((bin, index) =>
            h("li", { "data-accent": index + 1 }, h("strong", {}, bin.name), h("span", {}, bin.essence)),
          ),
        ),
      );
      if (this.model.get("closing")) parts.push(h("p", { class: "cs-closing" }, this.model.get("closing")));
    }
    const act = wrong.length
      ? [`Sort ${wrong.length === 1 ? "this one" : `these ${wrong.length}`} again`, () => this.retry()]
      : ["Start again", () => this.restart()];
    parts.push(
      h(
        "div",
        { class: "cs-bar" },
        h("button", { type: "button", class: "cs-main", "data-focus": "again", onclick: act[1] }, act[0]),
      ),
    );
    if (right.length) {
      parts.push(
        h(
          "details",
          { class: "cs-why" },
          h("summary", {}, wrong.length ? `The ${right.length} in the right bin, and why` : "Every statement, and why"),
          h("ul", { class: "cs-review" }, ...right.map((card) => this.reveal(card))),
        ),
      );
    }
    return parts;
  }

  /** A card with the bin it was put in and what that reveals. */
  reveal(card) {
    const placed = this.answer[card.id];
    const right = placed === card.bin;
    const index = this.bins.findIndex((bin) => bin.id === placed);
    return h(
      "li",
      { "data-accent": index + 1, class: right ? "cs-right" : "cs-rethink", "data-card": card.id },
      h("p", { class: "cs-text" }, card.text),
      h(
        "p",
        { class: "cs-verdict" },
        h("span", { "aria-hidden": "true" }, right ? "✓ " : "↺ "),
        right ? `${this.bin(placed).name}: right` : `You put it in ${this.bin(placed).name}`,
      ),
      h(
        "p",
        {},
        card.feedback[placed],
        right && card.source ? h("span", { class: "cs-source" }, ` ${card.source}`) : null,
      ),
    );
  }
}

export default {
  render({ model, el }) {
    const view = new CardSort(model, el);
    return () => view.remove();
  },
};
