// The review: how many are selected, all of a page at once, filters that apply themselves, and what stays through a
// decision: the keyboard's place, ticks, unfolded answers, and reasons that were typed and not sent.
// Without this script each box is ticked by hand, and a decision loads the page anew.
(() => {
  let place = -1;
  let kept = null;

  const all = (selector) => [...document.querySelectorAll(`#requests ${selector}`)];
  const rows = () => all(".rows > li:has(.request)");
  const boxes = () => all('input[name="request"]');

  function count() {
    const note = document.querySelector("[data-selected]");
    if (!note) return;
    const number = boxes().filter((box) => box.checked).length;
    note.textContent = number ? `(${number})` : "";
  }

  function ready() {
    const button = document.querySelector("[data-select-all]");
    if (!button) return;
    button.hidden = false;
    count();
  }

  document.addEventListener("change", (event) => {
    if (event.target.name === "request") count();
    if (event.target.matches("#requests .review-filters select")) event.target.form.requestSubmit();
  });

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-select-all]")) return;
    const every = boxes();
    const tick = every.some((box) => !box.checked);
    for (const box of every) box.checked = tick;
    count();
  });

  // Whoever wants to give a reason types it at once.  The event does not bubble.
  document.addEventListener("toggle", (event) => {
    if (event.target.open && event.target.matches("#requests .why") && !kept) event.target.querySelector("input").focus();
  }, true);

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.id !== "bulk" || form.elements.scope.value !== "selected" || boxes().some((box) => box.checked)) return;
    event.preventDefault();
    toast("Nobody is selected. Tick those whom you want to decide about, or choose all.");
  }, true);

  // Addresses say what is chosen, not what is left empty.
  document.body.addEventListener("htmx:configRequest", (event) => {
    if (!event.target.matches("#requests .review-filters")) return;
    const chosen = [...event.detail.formData].filter(([, value]) => value);
    for (const name of new Set(event.detail.formData.keys())) event.detail.formData.delete(name);
    for (const [name, value] of chosen) event.detail.formData.append(name, value);
  });

  document.body.addEventListener("htmx:beforeRequest", (event) => {
    place = rows().findIndex((row) => row.contains(event.target));
    kept = null;
    if (event.detail.requestConfig.verb !== "post") return;
    kept = {
      open: all("details[open][id]").map((part) => part.id),
      ticked: boxes().filter((box) => box.checked).map((box) => box.id),
      typed: all('input[name="reason"]').filter((field) => field.value).map((field) => [field.id, field.value]),
    };
  });

  function restore() {
    for (const id of kept.open) document.getElementById(id)?.setAttribute("open", "");
    for (const id of kept.ticked) {
      const box = document.getElementById(id);
      if (box) box.checked = true;
    }
    for (const [id, value] of kept.typed) {
      const field = document.getElementById(id);
      if (field) field.value = value;
    }
    count();
    setTimeout(() => { kept = null; });
  }

  // The row that was decided about is gone: go on with the one that took its place.
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "requests") return;
    ready();
    if (kept) restore();
    if (document.activeElement !== document.body) return;
    const left = rows();
    const next = place >= 0 && left[Math.min(place, left.length - 1)];
    const target = (next && next.querySelector("form button")) || document.getElementById("requests-heading");
    if (target) target.focus({ preventScroll: true });
  });

  ready();
})();
