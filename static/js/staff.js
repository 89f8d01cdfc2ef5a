// What unfold's and Django's scripts and templates leave out in the admin: names and levels for who hears its pages, and
// the whole of what a list cuts.
(() => {
  const scrolling = (box) => {
    if (box.closest("#nav-sidebar-apps")) return "Menu";
    if (box.closest("#changelist-filter, [x-show=filterOpen]")) return "Filters";
    return box.querySelector("#result_list") ? "Rows" : "More rows";
  };

  // Both make what is named here only once the page is there, and after this script.
  addEventListener("load", () => setTimeout(() => {
    const named = new Map();
    for (const box of document.querySelectorAll(".simplebar-content-wrapper")) {
      const name = scrolling(box);
      named.set(name, (named.get(name) ?? 0) + 1);
      box.setAttribute("aria-label", named.get(name) > 1 ? `${name} ${named.get(name)}` : name);
    }
    for (const link of document.querySelectorAll("#result_list tbody th a")) {
      if (link.scrollHeight > link.clientHeight + 1) link.title = link.textContent.trim(); // Cut by staff.css.
    }
    for (const sign of document.querySelectorAll(".help-tooltip[aria-label]")) sign.setAttribute("role", "img");
    for (const heading of document.querySelectorAll("#changelist h3")) heading.setAttribute("aria-level", "2");
  }));
})();
