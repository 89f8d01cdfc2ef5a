// What every page has: toasts that can be dismissed, a word where a part of a page could not be fetched, forms that a
// second click does not send twice, menus that close behind one, and wide code and tables that the keyboard can scroll.  All of it is comfort: without scripts a toast stays
// until the next page, a menu until it is folded, and most browsers see to wide things themselves.
const FAILED = "That did not work. Try again; if it fails again, copy what you have typed, and reload the page.";

function readyToasts(root) {
  for (const button of root.querySelectorAll("[data-dismiss][hidden]")) {
    button.hidden = false;
    button.addEventListener("click", () => button.closest(".toast").remove());
  }
}

function toast(words) {
  const place = document.getElementById("toasts");
  if (!place) return;
  const [box, text, button] = ["div", "span", "button"].map((name) => document.createElement(name));
  box.className = "notice toast error";
  box.setAttribute("role", "alert");
  text.textContent = words;
  Object.assign(button, { type: "button", className: "dismiss", textContent: "×", hidden: true });
  button.setAttribute("aria-label", "Dismiss");
  button.dataset.dismiss = "";
  box.append(text, button);
  place.replaceChildren(box);
  readyToasts(place);
}

function readyWideThings(root) {
  for (const box of root.querySelectorAll(".prose :is(pre, table)")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

function closeMenus(stays = () => false) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!stays(menu)) menu.open = false;
}

function closeOtherMenus(event) {
  closeMenus((menu) => menu.contains(event.target));
}

// A second click while the server is at work would do the thing twice: of a token made so, nobody would see the secret.
// The buttons stay enabled, since the name of a disabled one is not sent.  Where the page stays, because the answer was a
// download or loading was stopped, the form is free again after a while.
const SENDING_MS = 30000;
const sending = new Map(); // Timers by form.  A form's own properties may be controls of these names: labels are authors'.
const within = (form, selector) => Element.prototype.querySelectorAll.call(form, selector);

function free(form) {
  clearTimeout(sending.get(form));
  sending.delete(form);
  for (const button of within(form, "button[aria-disabled]")) button.removeAttribute("aria-disabled");
  for (const word of within(form, "[data-sending-word]")) word.remove();
}

function sendOnce(event) {
  const form = event.target;
  const method = event.submitter?.getAttribute("formmethod") || Element.prototype.getAttribute.call(form, "method") || "get";
  // What htmx or another script sends is prevented already, and theirs to guard.
  if (event.defaultPrevented || method.toLowerCase() !== "post") return;
  if (sending.has(form)) {
    event.preventDefault();
    return;
  }
  sending.set(form, setTimeout(() => free(form), SENDING_MS));
  const buttons = [...within(form, "button:not([type=button])")];
  for (const button of buttons) button.setAttribute("aria-disabled", "true");
  const word = document.createElement("span");
  Object.assign(word, { className: "muted small", textContent: "Sending…" });
  word.setAttribute("role", "status");
  word.dataset.sendingWord = "";
  (event.submitter || buttons.at(-1))?.after(word);
}

// Ids of authors have a prefix; links from elsewhere name them without.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Such as `#100%`.
  }
}

function goToHeading() {
  const id = decoded(location.hash.slice(1));
  if (id && !document.getElementById(id)) document.getElementById(`card-${id}`)?.scrollIntoView();
}

function ready(root) {
  readyToasts(root);
  readyWideThings(root);
}

ready(document);
goToHeading();
window.addEventListener("hashchange", goToHeading);
window.addEventListener("resize", () => readyWideThings(document));
document.addEventListener("toggle", () => readyWideThings(document), true);
document.addEventListener("focusin", closeOtherMenus); // A menu would lie over what has the focus now.
document.addEventListener("click", closeOtherMenus);
window.addEventListener("submit", sendOnce); // After all others.
window.addEventListener("pageshow", () => [...sending.keys()].forEach(free)); // One came back.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.activeElement.closest("details.menu[open]")?.querySelector("summary").focus();
  closeMenus();
});
document.body.addEventListener("htmx:load", (event) => ready(event.detail.elt));
document.body.addEventListener("htmx:sendError", () => toast("The server cannot be reached. Nothing was changed; try again."));
document.body.addEventListener("htmx:responseError", () => toast(FAILED));
