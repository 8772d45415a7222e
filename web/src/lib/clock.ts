// Times are stored in UTC and shown in the site's zone, with the zone's name.

export class SiteClock {
  readonly #time: Intl.DateTimeFormat;
  readonly #date: Intl.DateTimeFormat;
  readonly #zones: Intl.DateTimeFormat[];

  constructor(timezone: string) {
    const base: Intl.DateTimeFormatOptions = { timeZone: timezone, hour12: false };
    const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;
    this.#time = new Intl.DateTimeFormat("en-GB", { ...base, ...clock });
    this.#date = new Intl.DateTimeFormat("en-CA", { ...base, dateStyle: "short" });
    // each knows the short names of its own part of the world and counts from Greenwich elsewhere
    this.#zones = ["en-US", "en-GB", "en-AU"].map(
      (language) => new Intl.DateTimeFormat(language, { timeZone: timezone, timeZoneName: "short" }),
    );
  }

  time(utcS: number): string {
    return this.#time.format(utcS * 1000);
  }

  /** Without seconds, for axes. */
  minute(utcS: number): string {
    return this.time(utcS).slice(0, 5);
  }

  date(utcS: number): string {
    return this.#date.format(utcS * 1000);
  }

  zone(utcS: number): string {
    const names = this.#zones.map((zone) => zone.formatToParts(utcS * 1000).find((part) => part.type === "timeZoneName")?.value ?? "");
    return names.find((name) => !/^(GMT|UTC)./.test(name)) ?? names[0]!;
  }
}
