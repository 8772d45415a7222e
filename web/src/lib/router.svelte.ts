// An address for everything: #/page/part/part?key=value. The browser's own history does the rest.

class Router {
  #hash = $state(location.hash);

  constructor() {
    addEventListener("hashchange", () => (this.#hash = location.hash));
  }

  get #halves(): [string, string] {
    const [path = "", query = ""] = this.#hash.replace(/^#\/?/, "").split("?");
    return [path, query];
  }

  get page(): string {
    return this.#halves[0].split("/")[0] || "overview";
  }

  /** what follows the page */
  get path(): string[] {
    return this.#halves[0].split("/").slice(1).filter(Boolean).map(decodeURIComponent);
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.#halves[1]);
  }
}

export const router = new Router();

export function address(page: string, path: string[] = [], query: Record<string, string> = {}): string {
  const text = [page, ...path.map(encodeURIComponent)].join("/");
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "")).toString();
  return `#/${text}${asked ? `?${asked}` : ""}`;
}

export function go(page: string, path: string[] = [], query: Record<string, string> = {}): void {
  location.hash = address(page, path, query);
}
