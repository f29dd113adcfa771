// <live-room me="ID" socket="/live/…/"> keeps the room's shared picture new. Every form in it works without this file;
// with it, a tap is sent in the background and the new picture comes by the socket. What is for some stands in the
// picture for each, by id: here a member's own is shown. What somebody is typing is never touched.
const SPEAK_EVERY = 3000;
const REACHED = ["button", "a", "summary"].join();
const AGAIN = [300, 700, 1500, 3000, 5000];

class LiveRoom extends HTMLElement {
  connectedCallback() {
    this.me = this.getAttribute("me");
    this.seq = Number(this.querySelector("#scene").dataset.seq);
    this.heard = this.querySelector("#scene").dataset.say;
    this.log = this.querySelector("#said");
    this.trouble = this.querySelector("#trouble");
    this.token = this.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
    this.spokenAt = 0;
    this.tries = 0;
    this.addEventListener("submit", (event) => this.send(event));
    this.addEventListener("say", (event) => this.say(event.detail));
    addEventListener("pagehide", () => this.leave());
    addEventListener("pageshow", (event) => event.persisted && this.watch());
    this.watch();
  }

  disconnectedCallback() {
    this.leave();
  }

  leave() {
    this.left = true;
    this.socket?.close();
  }

  watch() {
    this.left = false;
    const address = new URL(this.getAttribute("socket"), location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(address);
    this.socket.onmessage = (event) => this.hear(JSON.parse(event.data));
    this.socket.onopen = () => this.say_trouble("");
    this.socket.onclose = (event) => this.lost(event);
  }

  lost(event) {
    if (this.left) return;
    if (event.code === 4404) return location.reload();
    this.say_trouble(this.getAttribute("lost"));
    const wait = AGAIN[Math.min(this.tries++, AGAIN.length - 1)];
    setTimeout(() => this.left || this.watch(), wait * (0.7 + 0.6 * Math.random()));
  }

  hear(said) {
    this.tries = 0;
    if (said.over) return location.reload();
    if (said.html === undefined) {
      if (said.seq > this.seq) this.look();
    } else if (said.seq >= this.seq) {
      this.show(said.seq, new DOMParser().parseFromString(said.html, "text/html"), true);
    }
  }

  // The whole page anew: after a lost connection, and for what only it can say of me.
  async look() {
    const answer = await fetch(location.href, { credentials: "same-origin" }).catch(() => null);
    if (!answer) return;
    if (answer.redirected || !answer.ok) return location.reload();
    this.take(await answer.text());
  }

  take(html) {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    const scene = parsed.querySelector("#scene");
    if (!scene) return location.reload();
    if (Number(scene.dataset.seq) >= this.seq) this.show(Number(scene.dataset.seq), parsed, false);
    for (const name of ["mine", "arrive"]) {
      const fresh = parsed.getElementById(name);
      const old = this.querySelector(`#${name}`);
      if (old && !fresh) old.remove();
      else if (old && fresh && !this.typing(old)) old.replaceWith(document.importNode(fresh, true));
      else if (!old && fresh) this.querySelector("#scene").after(document.importNode(fresh, true));
    }
  }

  typing(part) {
    return [...part.querySelectorAll("input[type=text], textarea")].some((field) => field.value !== field.defaultValue);
  }

  // Replace the two shared parts. Drawers stay as they are while the phase does; focus goes back to where it was.
  show(seq, parsed, shared) {
    const before = this.querySelector("#scene").dataset;
    const after = parsed.querySelector("#scene").dataset;
    const changed = before.phase !== after.phase || before.kind !== after.kind;
    for (const name of ["scene", "around"]) {
      const old = this.querySelector(`#${name}`);
      const found = parsed.getElementById(name);
      if (!old || !found) continue;
      const fresh = document.importNode(found, true);
      if (shared) this.pick(fresh);
      for (const drawer of fresh.querySelectorAll("details[id]")) {
        const same = old.querySelector(`#${drawer.id}`);
        if (same && !changed) drawer.open = same.open;
      }
      const place = this.place_of(document.activeElement, old);
      old.replaceWith(fresh);
      this.return_to(place, fresh);
    }
    this.seq = seq;
    if (after.say !== this.heard) this.say((this.heard = after.say));
    if (shared && before.mine !== after.mine && this.me) this.look();
  }

  // What is mine of a picture that many see; my forms get my token.
  pick(fresh) {
    for (const part of fresh.querySelectorAll("[data-for]")) {
      if (part.dataset.for.split(" ").includes(this.me)) part.hidden = false;
      else part.remove();
    }
    for (const form of fresh.querySelectorAll("form")) form.prepend(this.hidden_token());
  }

  hidden_token() {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "csrfmiddlewaretoken", value: this.token });
    return field;
  }

  // A button that a keyboard stands on is found again by what it does.
  place_of(node, within) {
    if (!node || !within.contains(node)) return null;
    const form = node.closest("form");
    return { action: form?.getAttribute("action"), href: node.getAttribute("href"), text: node.textContent, part: node.closest("[id]")?.id };
  }

  return_to(place, fresh) {
    if (!place) return;
    const all = [...fresh.querySelectorAll(REACHED)];
    const same = all.find((node) => node.textContent === place.text && node.closest("form")?.getAttribute("action") === place.action
      && node.getAttribute("href") === place.href);
    const part = fresh.querySelector(`#${place.part}`) ?? fresh;
    (same ?? part.querySelector(REACHED) ?? document.getElementById("main")).focus();
  }

  async send(event) {
    const form = event.target;
    event.preventDefault();
    const buttons = form.querySelectorAll("button");
    buttons.forEach((button) => button.setAttribute("aria-disabled", "true"));
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new FormData(form), credentials: "same-origin", headers: { "X-Leeward-Live": "1" },
      });
      if (answer.status === 204) {
        form.reset();
        this.say_trouble("");
        if (form.closest("#mine, #arrive")) this.look();
      } else if (answer.headers.get("Content-Type")?.startsWith("application/json")) {
        this.say_trouble((await answer.json()).sentence);
      } else {
        location.href = answer.url;
      }
    } catch {
      this.say_trouble(this.getAttribute("failed"));
    } finally {
      buttons.forEach((button) => button.removeAttribute("aria-disabled"));
    }
  }

  say_trouble(text) {
    this.trouble.textContent = text;
    this.trouble.hidden = !text;
  }

  // At most one utterance in three seconds; of several that wait only the newest is said.
  say(text) {
    if (!this.log) return;
    this.waiting = text;
    if (this.speaking) return;
    const wait = Math.max(0, this.spokenAt + SPEAK_EVERY - Date.now());
    this.speaking = setTimeout(() => {
      this.speaking = null;
      this.spokenAt = Date.now();
      this.log.textContent = this.waiting;
    }, wait);
  }
}
customElements.define("live-room", LiveRoom);
