// The review: how many are selected, all of a page at once, filters that apply themselves, and what stays through a
// decision: the keyboard's place, ticks, unfolded answers, and what was typed and not sent.
// Without this script each box is ticked by hand, and a decision loads the page anew.
(() => {
  const underWay = new Set();
  let overlapped = false;
  let again = false; // Whether the list is fetched once more.
  let place = -1;
  let restoring = 0;
  const kept = new WeakMap(); // What was begun, by the request whose answer takes its place.

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
    if (event.target.open && event.target.matches("#requests .why") && !restoring) event.target.querySelector("input").focus();
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

  // Whoever decides quickly sends the next decision before the answer to the last one is there, which takes the place
  // of the list from which both were sent.  Each answer goes where the list is then.  And each knows those decisions alone
  // that the server had when it was written, so once all are there, the list is fetched once more.
  document.body.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (detail.target.id !== "requests") return;
    const { xhr } = detail;
    underWay.add(xhr);
    overlapped ||= underWay.size > 1;
    xhr.addEventListener("readystatechange", () => {
      if (xhr.readyState === XMLHttpRequest.DONE) detail.target = document.getElementById("requests");
    });
    xhr.addEventListener("loadend", () => {
      underWay.delete(xhr);
      if (underWay.size || !overlapped) return;
      overlapped = false;
      again = true;
      const whole = () => { again = false; };
      const address = location.pathname + location.search;
      htmx.ajax("GET", address, { target: "#requests", swap: "outerHTML show:none" }).then(whole, whole);
    });
  });

  // The words about the decisions stay when the list is fetched once more, unless there are others.
  document.body.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (again && !event.detail.fragment.querySelector(".toast")) event.detail.shouldSwap = false;
  });

  document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.target.id !== "requests") return;
    const { verb, parameters } = detail.requestConfig;
    const decided = verb === "post" && document.getElementById(`select-${parameters.request_id}`);
    place = rows().findIndex((row) => row.contains(decided || document.activeElement));
    if (verb === "post" || again) kept.set(detail.xhr, begun());
  });

  // A refused decision about several comes back with its ticks and its reason, once: they are no less begun for that.
  function begun() {
    const fields = all("input[id], select[id]");
    const isTicked = (field) => field.checked || field.defaultChecked;
    const isTyped = (field) => isChanged(field) || (field.id === "bulk-reason" && field.value);
    return {
      open: all("details[open][id]").map((part) => part.id),
      ticked: fields.filter(isTicked).map((field) => [field.id, field.checked]),
      typed: fields.filter(isTyped).map((field) => [field.id, field.value]),
      whole: all("dd[data-whole]").map((answer) => [answer.id, [...answer.childNodes]]),
      people: [...(document.getElementById("people")?.childNodes || [])],
    };
  }

  function isChanged(field) {
    if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected);
    return field.value !== field.defaultValue;
  }

  function restore(was) {
    if (!was) return;
    restoring += 1;
    for (const id of was.open) document.getElementById(id)?.setAttribute("open", "");
    for (const [id, checked] of was.ticked) {
      const box = document.getElementById(id);
      if (box) box.checked = checked;
    }
    for (const [id, value] of was.typed) {
      const field = document.getElementById(id);
      if (field) field.value = value;
    }
    for (const [id, nodes] of was.whole) {
      const answer = document.getElementById(id);
      if (answer) show(answer, nodes);
    }
    document.getElementById("people")?.replaceChildren(...was.people);
    count();
    setTimeout(() => { restoring -= 1; });
  }

  function show(answer, nodes) {
    answer.replaceChildren(...nodes);
    answer.dataset.whole = "";
  }

  // The whole answer is read on from the link that it took the place of.
  document.body.addEventListener("htmx:afterSettle", ({ target }) => {
    if (!target.matches("#requests .answers dd")) return;
    target.dataset.whole = "";
    target.tabIndex = -1;
    target.focus({ preventScroll: true });
  });

  // At once, since the next answer may come before this one has settled; which sets attributes, so once more then.
  document.body.addEventListener("htmx:afterSwap", ({ target, detail }) => {
    if (target.id === "requests") restore(kept.get(detail.xhr));
  });

  // The row that was decided about is gone: go on with the one that took its place.
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "requests") return;
    ready();
    restore(kept.get(event.detail.xhr));
    if (document.activeElement !== document.body) return;
    const left = rows();
    const next = place >= 0 && left[Math.min(place, left.length - 1)];
    const target = (next && next.querySelector("form button")) || document.getElementById("requests-heading");
    if (target) target.focus({ preventScroll: true });
  });

  ready();
})();
