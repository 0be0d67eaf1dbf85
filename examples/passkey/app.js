import { confirm, register, signIn } from "/passkey.js";

const ceremonies = { confirm, register, "sign-in": signIn };

for (const button of document.querySelectorAll("button[data-passkey]")) {
  button.addEventListener("click", async () => {
    const what = button.dataset.passkey;
    try {
      await ceremonies[what]("/passkey/" + what);
      location.assign(button.dataset.then);
    } catch (error) {
      document.querySelector("[role=alert]").textContent = error.message;
    }
  });
}
