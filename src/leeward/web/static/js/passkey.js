// <passkey-sign-in challenge="URL"> and <passkey-add options="JSON"> wrap a form with a hidden `credential`:
// a tap asks the device, then the form is sent. Without JavaScript, or a device that can, they stay hidden.
const can = typeof PublicKeyCredential !== "undefined" && "parseCreationOptionsFromJSON" in PublicKeyCredential;

class Passkey extends HTMLElement {
  connectedCallback() {
    if (!can) return;
    this.hidden = false;
    const form = this.querySelector("form");
    const wrong = this.querySelector(".error");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      wrong.hidden = true;
      try {
        form.elements.credential.value = JSON.stringify(await this.ask());
        form.submit();
      } catch {
        wrong.hidden = false;
      }
    });
  }
}

class PasskeySignIn extends Passkey {
  async ask() {
    const answer = await fetch(this.getAttribute("challenge"), { credentials: "same-origin" });
    const { publicKey } = await answer.json();
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
  }
}

class PasskeyAdd extends Passkey {
  async ask() {
    const { publicKey } = JSON.parse(this.getAttribute("options"));
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
  }
}

customElements.define("passkey-sign-in", PasskeySignIn);
customElements.define("passkey-add", PasskeyAdd);
