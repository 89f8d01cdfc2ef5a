// The list of access requests in the admin: one box ticks all rows of the page.
document.addEventListener("DOMContentLoaded", () => {
  const all = document.querySelector("[data-select-all]");
  if (!all) {
    return;
  }
  const boxes = [...document.querySelectorAll('input[name="_selected_action"]')];
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) {
      box.checked = all.checked;
    }
  });
  for (const box of boxes) {
    box.addEventListener("change", () => {
      all.checked = boxes.every((each) => each.checked);
    });
  }
});
