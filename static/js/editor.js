// The editor of a card: a warning before a text is lost, the line of the cursor, and the way to the line of a problem.
// Without this script all of it can be saved all the same; the line of a problem is counted by hand.
(() => {
  const form = document.querySelector("[data-editor]");
  const text = form.querySelector("textarea[name=text]");
  const place = form.querySelector("[data-place]");
  let sent = false;

  function unsaved() {
    return "unsaved" in form.dataset || text.value !== text.defaultValue;
  }

  // How far down a line begins, long lines above it being wrapped: as high as a copy of the text that ends there.
  function topOf(start) {
    const copy = document.createElement("textarea");
    copy.className = text.className;
    copy.rows = 1;
    copy.value = text.value.slice(0, start);
    Object.assign(copy.style, { position: "absolute", visibility: "hidden", minHeight: "0", height: "0" });
    copy.style.width = `${text.offsetWidth}px`;
    text.after(copy);
    const top = copy.scrollHeight;
    copy.remove();
    return top;
  }

  function goTo(number) {
    const lines = text.value.split("\n");
    const start = lines.slice(0, number - 1).reduce((sum, line) => sum + line.length + 1, 0);
    text.focus();
    text.setSelectionRange(start, start + (lines[number - 1] || "").length);
    text.scrollTop = topOf(start) - text.clientHeight / 2;
    tell();
  }

  function tell() {
    place.textContent = `Line ${text.value.slice(0, text.selectionStart).split("\n").length}`;
  }

  addEventListener("beforeunload", (event) => {
    if (!sent && unsaved()) event.preventDefault();
  });
  form.addEventListener("submit", () => { sent = true; });
  addEventListener("pageshow", () => { sent = false; });
  for (const name of ["keyup", "click", "focus"]) text.addEventListener(name, tell);

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-line]");
    if (!link) return;
    event.preventDefault();
    goTo(Number(link.dataset.line));
  });

  // While the page is being left, a preview would be asked for in vain.
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (sent) event.preventDefault();
  });

  // The preview tells what is wrong below the text, so the text is marked, too.
  document.body.addEventListener("htmx:afterSettle", () => {
    if (document.querySelector("#edit-findings .error")) text.setAttribute("aria-invalid", "true");
    else text.removeAttribute("aria-invalid");
  });
})();
