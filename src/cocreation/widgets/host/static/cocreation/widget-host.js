// Bring the widgets embedded in a page to life, without a kernel and without a network.
// The page holds their state as JSON and a note where each is to be shown; a widget is an
// ECMAScript module with a function render({model, el}), as anywidget defines it.
// A classic script, since browsers refuse module scripts on file://.
(() => {
  "use strict";
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';

  /** What a widget sees of its state: get, set, on, off, and a save that has nowhere to go. */
  class Model {
    constructor(state) {
      this.state = state;
      this.listeners = new Map();
    }
    get(key) {
      return this.state[key];
    }
    set(key, value) {
      const changes = typeof key === "object" ? key : { [key]: value };
      for (const [name, to] of Object.entries(changes)) {
        if (this.state[name] === to) continue;
        this.state[name] = to;
        this.emit(`change:${name}`, to);
      }
      this.emit("change");
    }
    on(names, callback) {
      for (const name of names.split(/\s+/)) {
        if (!this.listeners.has(name)) this.listeners.set(name, new Set());
        this.listeners.get(name).add(callback);
      }
    }
    off(names, callback) {
      const of = names ? names.split(/\s+/) : [...this.listeners.keys()];
      for (const name of of) {
        if (callback) this.listeners.get(name)?.delete(callback);
        else this.listeners.delete(name);
      }
    }
    emit(name, value) {
      for (const callback of [...(this.listeners.get(name) ?? [])]) callback({ changed: { [name]: value } });
    }
    save_changes() {}
    send() {}
  }

  const modules = new Map(); // one import for each source, however often it is shown

  function importText(source) {
    if (!modules.has(source)) {
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      modules.set(
        source,
        import(url).finally(() => URL.revokeObjectURL(url)),
      );
    }
    return modules.get(source);
  }

  const styles = new Set();

  function addStyle(source) {
    if (!source || styles.has(source)) return;
    styles.add(source);
    const style = document.createElement("style");
    style.textContent = source;
    document.head.append(style);
  }

  function parse(script) {
    const content = JSON.parse(script.textContent);
    return typeof content === "string" ? JSON.parse(content) : content; // myst-nb may encode twice
  }

  async function show(script, records, models) {
    const id = parse(script).model_id;
    const record = records[id];
    if (record?.model_module !== "anywidget") return; // leave the plain form; the build has warned of it
    const { default: widget } = await importText(record.state._esm);
    const { initialize, render } = typeof widget === "function" ? await widget() : widget;
    if (!models.has(id)) {
      models.set(id, new Model(record.state));
      await initialize?.({ model: models.get(id) });
    }
    addStyle(record.state._css);
    const el = document.createElement("div");
    script.before(el);
    await render({ model: models.get(id), el });
    el.parentElement.classList.add("cocreation-live");
  }

  function start() {
    const records = Object.assign({}, ...[...document.querySelectorAll(STATE)].map((script) => parse(script).state));
    const models = new Map();
    for (const script of document.querySelectorAll(VIEW)) {
      show(script, records, models).catch((error) => console.error("This exercise did not start:", error));
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
