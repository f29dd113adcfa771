// <clock-down deadline="ISO" now="ISO" minutes="20">12:00</clock-down> counts down by the server's clock, never below
// zero. At half time, two minutes, 30 seconds and the end it says so to whoever listens ("say"), in its attributes' words.
class ClockDown extends HTMLElement {
  connectedCallback() {
    this.ahead = Date.parse(this.getAttribute("now")) - Date.now();
    this.deadline = Date.parse(this.getAttribute("deadline"));
    this.marks = [["half", Number(this.getAttribute("minutes")) * 30], ["two", 120], ["thirty", 30], ["end", 0]];
    this.last = this.left();
    this.timer = setInterval(() => this.show(), 500);
    this.show();
  }
  disconnectedCallback() {
    clearInterval(this.timer);
  }
  left() {
    return Math.max(0, Math.floor((this.deadline - Date.now() - this.ahead) / 1000));
  }
  show() {
    const left = this.left();
    const face = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (this.textContent !== face) this.textContent = face;
    const mark = this.marks.find(([name, seconds]) => left <= seconds && this.last > seconds && this.hasAttribute(name));
    if (mark) this.dispatchEvent(new CustomEvent("say", { bubbles: true, detail: this.getAttribute(mark[0]) }));
    this.last = left;
    if (left === 0) clearInterval(this.timer);
  }
}
customElements.define("clock-down", ClockDown);
