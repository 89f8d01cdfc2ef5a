// What every page has: toasts that can be dismissed, and a word where a part of a page could not be fetched.
// All of it is comfort: without scripts a toast stays until the next page.
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

readyToasts(document);
document.body.addEventListener("htmx:load", (event) => readyToasts(event.detail.elt));
document.body.addEventListener("htmx:sendError", () => toast("The server cannot be reached. Nothing was changed; try again."));
document.body.addEventListener("htmx:responseError", () => toast("That did not work. Reload the page and try again."));
