/* Forms, with JavaScript on: checks as one types, lists without a reload, nothing typed is lost. Without it all of this
   is done by the form's own buttons. */
(() => {
  "use strict";

  const form = document.getElementById("form");
  if (!form) return;
  document.documentElement.classList.add("js");

  const KEEP_AFTER = 2500; // milliseconds after the last key
  const MOST_AT_LEAVING = 60000; // characters a browser carries from a page that is being left
  const keptLine = document.getElementById("kept");
  let dirty = form.hasAttribute("data-dirty");
  let unkept = false;
  let timer = 0;
  let signedOut = ""; // what there is to say about it

  const say = (text) => { if (keptLine) keptLine.textContent = text; };
  const body = () => new URLSearchParams(new FormData(form));

  async function keep() {
    clearTimeout(timer);
    if (!unkept) return;
    unkept = false;
    try {
      const answer = await fetch(form.dataset.keep, { method: "POST", body: body() });
      if (answer.status === 401) {
        unkept = true;
        signedOut = await answer.text();
        say(signedOut);
        return;
      }
      signedOut = "";
      if (!answer.ok) throw new Error(String(answer.status));
      const told = await answer.json();
      if (!unkept) say(`Not saved yet; kept for you at ${told.kept}`);
    } catch {
      unkept = true;
      say("Not saved yet, and the service does not answer: keep this page open");
    }
  }

  function touched() {
    dirty = true;
    unkept = true;
    say(signedOut || "Not saved yet"); // words that change as a button is pressed would move it away from under the hand
    clearTimeout(timer);
    timer = setTimeout(keep, KEEP_AFTER);
  }

  form.addEventListener("input", touched);
  form.addEventListener("change", touched);

  // Enter in a line of a long form is no wish to save all of it; in a search it asks.
  form.addEventListener("keydown", (event) => {
    const input = event.target;
    if (event.key !== "Enter" || event.isComposing || !input.matches("input:not([type=submit], [type=button])")) return;
    event.preventDefault();
    if (input.matches("[data-pick]")) input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  form.addEventListener("submit", () => { dirty = false; unkept = false; });
  document.querySelectorAll("form.kept-choice").forEach((each) => {
    each.addEventListener("submit", () => { dirty = false; unkept = false; });
  });

  window.addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });

  window.addEventListener("pagehide", () => {
    if (!unkept) return;
    const text = body();
    if (text.toString().length < MOST_AT_LEAVING) fetch(form.dataset.keep, { method: "POST", body: text, keepalive: true });
  });

  // A place that a link leads to is opened first: entries of lists may be closed.
  function open(id) {
    const place = id && document.getElementById(id);
    if (!place) return;
    for (let each = place; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    const control = place.matches("input, select, textarea, button") ? place : place.querySelector("summary, input:not([type=hidden]), select, textarea, button");
    if (control) control.focus({ preventScroll: true });
    place.scrollIntoView({ block: "center" });
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#f-'], .notice a[href^='#f-']");
    if (!link) return;
    event.preventDefault();
    open(link.getAttribute("href").slice(1));
  });
  if (location.hash.startsWith("#f-")) open(location.hash.slice(1));

  if (!window.htmx) return;

  // Whoever was signed out meanwhile is told so by whatever they do next.
  document.body.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status === 401) say(event.detail.xhr.responseText);
  });

  // What one field says is checked as soon as it is left; what the answer brings with it comes along.
  form.addEventListener("change", (event) => {
    const input = event.target.closest("[data-live]");
    if (!input) return;
    htmx.ajax("POST", form.dataset.check, { source: input, target: `#${input.id}-error`, swap: "outerHTML", values: { check: input.name } });
  });
  function mark(input) {
    const error = document.getElementById(`${input.id}-error`);
    const wrong = Boolean(error && error.querySelector("p"));
    input.closest(".field").classList.toggle("wrong", wrong);
    if (wrong) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
  }
  document.body.addEventListener("htmx:afterSwap", (event) => {
    const input = event.detail.requestConfig && event.detail.requestConfig.elt;
    if (input && input.matches("[data-live]")) mark(input);
  });
  // A start decides on its end: what is wrong with that comes along.
  document.body.addEventListener("htmx:oobAfterSwap", (event) => {
    const id = event.detail.target.id;
    const input = id.endsWith("-error") && document.getElementById(id.slice(0, -"-error".length));
    if (input && input.matches("[data-live]")) mark(input);
  });

  // What is already known is found while one types its name.
  let asking = 0;
  form.addEventListener("input", (event) => {
    const input = event.target.closest("[data-pick]");
    if (!input) return;
    clearTimeout(asking);
    asking = setTimeout(() => {
      const found = document.getElementById(input.id.replace(/-pick$/, "-found"));
      if (!input.value.trim()) { found.replaceChildren(); return; }
      const values = { q: input.value, for: input.dataset.for, dataset: form.dataset.dataset };
      htmx.ajax("GET", `${form.dataset.suggest}${input.dataset.pick}/?${new URLSearchParams(values)}`, { source: found, target: found });
    }, 250);
  });

  // Entries of a list are added, moved and removed in place; the rest of the page stays as it is.
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-rows]");
    if (!button) return;
    event.preventDefault();
    const list = document.getElementById(button.dataset.rows);
    const adds = button.value.startsWith("add:");
    const open = adds ? [...list.querySelectorAll("details[open][id]")].map((each) => each.id) : [];
    htmx.ajax("POST", form.action, { source: button, target: list, swap: "outerHTML" }).then(() => {
      for (const id of open) { const each = document.getElementById(id); if (each) each.open = true; }
      touched();
    });
  });
})();
