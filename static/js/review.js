// The review: how many are selected, all of a page at once, and the keyboard's place after a decision.
// Without this script each box is ticked by hand, and a decision loads the page anew.
(() => {
  let place = 0;

  function boxes() {
    return [...document.querySelectorAll('#requests input[name="request"]')];
  }

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
  });

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-select-all]")) return;
    const every = boxes();
    const tick = every.some((box) => !box.checked);
    for (const box of every) box.checked = tick;
    count();
  });

  // The row that was decided about is gone: go on with the one that took its place.
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    const rows = [...document.querySelectorAll("#requests .rows > li")];
    place = rows.findIndex((row) => row.contains(event.target));
  });
  document.body.addEventListener("htmx:afterSettle", () => {
    ready();
    if (document.activeElement !== document.body) return;
    const rows = document.querySelectorAll("#requests .rows > li");
    const next = place >= 0 && rows[Math.min(place, rows.length - 1)];
    const target = (next && next.querySelector("form button")) || document.getElementById("requests-heading");
    if (target) target.focus({ preventScroll: true });
  });

  ready();
})();
