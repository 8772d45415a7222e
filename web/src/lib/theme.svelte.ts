// Light or dark: as the system says, unless the button was used.

export type Choice = "system" | "light" | "dark";
const KEY = "mallee-theme";
const NEXT: Record<Choice, Choice> = { system: "light", light: "dark", dark: "system" };

class Theme {
  choice = $state<Choice>("system");
  /** what is shown; canvases repaint when it changes */
  dark = $state(false);
  readonly #system = matchMedia("(prefers-color-scheme: dark)");

  constructor() {
    const kept = localStorage.getItem(KEY);
    this.#set(kept === "light" || kept === "dark" ? kept : "system");
    this.#system.addEventListener("change", () => this.#set(this.choice));
  }

  next(): void {
    this.#set(NEXT[this.choice]);
    localStorage.setItem(KEY, this.choice);
  }

  #set(choice: Choice): void {
    this.choice = choice;
    this.dark = choice === "system" ? this.#system.matches : choice === "dark";
    document.documentElement.dataset.theme = this.dark ? "dark" : "light";
  }
}

export const theme = new Theme();
