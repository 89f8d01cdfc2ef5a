// Copy buttons: <div data-copy> with a <code> and a hidden <button>.  Without this script the button stays hidden.
// Browsers lend the clipboard to https and this machine alone; elsewhere, and where it is refused, the text is selected and
// copied as by hand.
async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent.trim());
    return true;
  } catch {
    getSelection().selectAllChildren(code);
    return document.execCommand("copy");
  }
}

for (const block of document.querySelectorAll("[data-copy]")) {
  const button = block.querySelector("button");
  if (!button) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.textContent = (await copy(block.querySelector("code"))) ? "Copied" : "Press Ctrl+C";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}
