// Answers of the API, asked for once or again and again while a page is open.

export interface Asked<T> {
  readonly answer: T | null;
  /** what went wrong last, empty where nothing did */
  readonly trouble: string;
}

/** Keep asking; `url` may change, an empty one asks for nothing. Call it while a component starts. */
export function ask<T>(url: () => string, everyS = 0): Asked<T> {
  let answer = $state.raw<T | null>(null);
  let trouble = $state("");

  $effect(() => {
    const address = url();
    if (!address) return;
    let over = false;
    const once = async (): Promise<void> => {
      try {
        const reply = await fetch(address);
        if (over) return;
        if (reply.ok) {
          answer = (await reply.json()) as T;
          trouble = "";
        } else trouble = await reply.text();
      } catch {
        if (!over) trouble = "the console does not answer";
      }
    };
    void once();
    const timer = everyS > 0 ? setInterval(() => void once(), everyS * 1000) : 0;
    return () => {
      over = true;
      clearInterval(timer);
    };
  });

  return {
    get answer() {
      return answer;
    },
    get trouble() {
      return trouble;
    },
  };
}

/** Ask for something to be done; what went wrong, empty where nothing did. */
export async function send(url: string, what: object, csrf = ""): Promise<string> {
  try {
    const reply = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
      body: JSON.stringify(what),
    });
    return reply.ok ? "" : await reply.text();
  } catch {
    return "the console does not answer";
  }
}
