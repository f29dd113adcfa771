// <quick-exit> wraps a link: a tap replaces this page, so that Back does not lead here.
class QuickExit extends HTMLElement {
  connectedCallback() {
    this.querySelector("a").addEventListener("click", (event) => {
      event.preventDefault();
      location.replace(event.currentTarget.href);
    });
  }
}
customElements.define("quick-exit", QuickExit);
