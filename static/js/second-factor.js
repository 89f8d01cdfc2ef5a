// Security keys: <form data-security-key="get" or "create" data-options="…">, with a field named credential, an element
// [data-problem], one for browsers without scripts, and a submit button that waits for this one.  webauthn-json.js speaks
// to the browser.
const REFUSED = {
  NotAllowedError: "Nothing came from the key: it was cancelled, took too long, or is not one of yours. Try again.",
  InvalidStateError: "This key is among yours already.",
  SecurityError: `Browsers allow keys only on a site with a name and https, or on localhost, and this is ${location.host}.`,
};
const NOT_THERE = "This browser cannot use security keys here: that takes https, or localhost.";

for (const form of document.querySelectorAll("[data-security-key]")) {
  const button = form.querySelector("button[type=submit]");
  const problem = form.querySelector("[data-problem]");
  form.querySelector("[data-without-scripts]").remove();
  const say = (words) => { problem.textContent = words; problem.hidden = !words; };
  if (!window.isSecureContext || !webauthnJSON.supported()) {
    say(NOT_THERE);
    continue;
  }
  button.disabled = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    say("");
    button.disabled = true;
    try {
      const answer = await webauthnJSON[form.dataset.securityKey](JSON.parse(form.dataset.options));
      form.elements.credential.value = JSON.stringify(answer);
      form.submit();
    } catch (error) {
      say(REFUSED[error.name] || `The key could not be used: ${error.message}`);
      button.disabled = false;
    }
  });
}
