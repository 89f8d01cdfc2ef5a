// What every page has: toasts that can be dismissed, a word where a part of a page could not be fetched, menus that close
// behind one, and wide code and tables that the keyboard can scroll.  All of it is comfort: without scripts a toast stays
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

function ready(root) {
  readyToasts(root);
  readyWideThings(root);
}

ready(document);
window.addEventListener("resize", () => readyWideThings(document));
document.addEventListener("toggle", () => readyWideThings(document), true);
document.addEventListener("focusin", closeOtherMenus); // A menu would lie over what has the focus now.
document.addEventListener("click", closeOtherMenus);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.activeElement.closest("details.menu[open]")?.querySelector("summary").focus();
  closeMenus();
});
document.body.addEventListener("htmx:load", (event) => ready(event.detail.elt));
document.body.addEventListener("htmx:sendError", () => toast("The server cannot be reached. Nothing was changed; try again."));
document.body.addEventListener("htmx:responseError", () => toast(FAILED));
