// Copy buttons: <div data-copy> with a <code> and a hidden <button>.  Without this script the button stays hidden.
for (const block of document.querySelectorAll("[data-copy]")) {
  const button = block.querySelector("button");
  if (!button || !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent.trim());
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}
