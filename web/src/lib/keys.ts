// Keys: / searches devices, g and a letter goes to a page, ? shows them all, Escape closes.

import { PAGES } from "./pages";
import { go, router } from "./router.svelte";

const GO_S = 1.5;
const LOADS_S = 5;

/** Into the field for devices, as soon as its page is there. */
function focusSearch(untilMs: number): void {
  const field = document.querySelector<HTMLInputElement>("#search");
  if (field) field.focus();
  else if (performance.now() < untilMs) setTimeout(() => focusSearch(untilMs), 30);
}

export function bindKeys(does: { help: () => void; close: () => void }): () => void {
  let goes = 0;
  const pressed = (event: KeyboardEvent): void => {
    const at = event.target as HTMLElement;
    if (event.key === "Escape") does.close();
    if (event.ctrlKey || event.metaKey || event.altKey || at.closest("input, select, textarea")) return;
    const page = PAGES.find((one) => one.key === event.key);
    if (performance.now() - goes < 1000 * GO_S && page) {
      go(page.name);
      goes = 0;
    } else if (event.key === "g") goes = performance.now();
    else if (event.key === "?") does.help();
    else if (event.key === "/") {
      event.preventDefault();
      if (router.page !== "devices") go("devices");
      focusSearch(performance.now() + 1000 * LOADS_S);
    }
  };
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}
