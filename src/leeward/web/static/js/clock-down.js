// <clock-down deadline="ISO" now="ISO">12:00</clock-down> counts down by the server's clock, never below zero.
class ClockDown extends HTMLElement {
  connectedCallback() {
    this.ahead = Date.parse(this.getAttribute("now")) - Date.now();
    this.deadline = Date.parse(this.getAttribute("deadline"));
    this.timer = setInterval(() => this.show(), 500);
    this.show();
  }
  disconnectedCallback() {
    clearInterval(this.timer);
  }
  show() {
    const left = Math.max(0, Math.floor((this.deadline - Date.now() - this.ahead) / 1000));
    this.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left === 0) clearInterval(this.timer);
  }
}
customElements.define("clock-down", ClockDown);
