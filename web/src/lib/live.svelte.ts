// The live site: numbers by name, words, and the trend of the last ten minutes.

import type { AlarmSummary, FrameText, SiteInfo, TrendColumns } from "./api";
import { age, suitSite } from "./format";
import { decodeFrame, Flag, State, type Frame } from "./frame";
import { Tree } from "./tree";

/** One number with how far it can be trusted. */
export interface Reading {
  value: number;
  /** shown grey: too old to act on, or never read */
  old: boolean;
  /** what is wrong with it, empty where nothing is */
  note: string;
}

const TREND_S = 600;
const GAP_S = 2.5;
const SILENT_S = 3;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 3000;
const NO_ALARMS: AlarmSummary = {
  sounding: [0, 0, 0], standing: [0, 0, 0], shelved: 0, out: 0, explained: 0, first: "", first_text: "", flood: false,
};
const NO_TEXT: FrameText = { status: null, why: null, status_age_s: -1, processes: {}, history: "", events: [], alarms: NO_ALARMS };
const UNKNOWN: Reading = { value: NaN, old: true, note: "never read" };

export class Live {
  readonly site: SiteInfo;
  readonly tree: Tree;
  frame = $state.raw<Frame | null>(null);
  text = $state.raw<FrameText>(NO_TEXT);
  trend = $state.raw<TrendColumns>({ time_utc_s: [], series: {} });
  /** seconds since the last frame came, by this computer's clock */
  silentS = $state(0);

  readonly #index: Map<string, number>;
  #arrivedMs = performance.now();
  #retryMs = RETRY_MIN_MS;

  constructor(site: SiteInfo) {
    this.site = site;
    suitSite(site.limits.import_contract_w);
    this.tree = new Tree(site.places);
    this.#index = new Map(site.signals.map((signal, i) => [signal.name, i]));
    this.#connect();
    setInterval(() => this.#listen(), 500);
  }

  /** No frame came for three seconds: nothing on the page is live. */
  get lost(): boolean {
    return this.silentS > SILENT_S;
  }

  get meterStale(): boolean {
    return ((this.frame?.flags ?? Flag.meterStale) & Flag.meterStale) !== 0;
  }

  get controlStale(): boolean {
    return ((this.frame?.flags ?? Flag.controlStale) & Flag.controlStale) !== 0;
  }

  read(name: string): Reading {
    const i = this.#index.get(name);
    const frame = this.frame;
    if (i === undefined || frame === null) return UNKNOWN;
    const state = frame.states[i] ?? State.unknown;
    const old = this.lost || state === State.stale || state === State.unknown;
    const ageNow = age((frame.agesS[i] ?? NaN) + this.silentS);
    const note = old ? ageNow : state === State.partly ? `partly ${ageNow}` : "";
    return { value: frame.values[i] ?? NaN, old, note };
  }

  /** Power of some places together. */
  power(places: number[]): Reading {
    if (places.length === 1) return this.read(`power:${this.tree.places[places[0]!]!.id}`);
    const all = places.map((i) => this.read(`power:${this.tree.places[i]!.id}`));
    const known = all.filter((one) => Number.isFinite(one.value));
    const old = all.filter((one) => one.old);
    return {
      value: known.length ? known.reduce((sum, one) => sum + one.value, 0) : NaN,
      old: old.length > all.length / 2,
      note: old.length === 0 ? "" : old.length === all.length ? old[0]!.note : `${old.length} of ${all.length} old`,
    };
  }

  has(name: string): boolean {
    return this.#index.has(name);
  }

  #listen(): void {
    const silentS = (performance.now() - this.#arrivedMs) / 1000;
    this.silentS = silentS > 1.5 ? Math.floor(silentS) : 0;
  }

  #connect(): void {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#retryMs = RETRY_MIN_MS;
      void this.#loadTrend();
    };
    socket.onmessage = (message: MessageEvent<ArrayBuffer>) => this.#take(decodeFrame(message.data));
    socket.onclose = () => {
      setTimeout(() => this.#connect(), this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
    };
  }

  #take(frame: Frame): void {
    // another list of signals: the site was changed and restarted, so the page starts again too
    if (frame.schema !== this.site.schema) {
      location.reload();
      return;
    }
    this.#arrivedMs = performance.now();
    this.silentS = 0;
    this.frame = frame;
    this.text = JSON.parse(frame.text) as FrameText;
    this.trend = appended(this.trend, frame.timeS, (name) => this.#number(frame, name));
  }

  #number(frame: Frame, name: string): number | null {
    const i = this.#index.get(name);
    const state = i === undefined ? State.unknown : frame.states[i];
    if (i === undefined || (state !== State.good && state !== State.partly)) return null;
    return frame.values[i] ?? null;
  }

  async #loadTrend(): Promise<void> {
    const answer = await fetch("/api/v1/trend");
    if (answer.ok) this.trend = joined(this.trend, (await answer.json()) as TrendColumns);
  }
}

/** The trend with one more second; a break in time becomes a gap in the lines. */
function appended(trend: TrendColumns, timeS: number, number: (name: string) => number | null): TrendColumns {
  const last = trend.time_utc_s.at(-1) ?? timeS - 1;
  if (Object.keys(trend.series).length === 0 || timeS <= last) return trend; // not loaded yet
  const drop = trend.time_utc_s.findIndex((time) => time >= timeS - TREND_S);
  const from = drop === -1 ? trend.time_utc_s.length : drop;
  const gap = timeS - last > GAP_S;
  const times = trend.time_utc_s.slice(from);
  times.push(...(gap ? [last + 1, timeS] : [timeS]));
  const series: TrendColumns["series"] = {};
  for (const [name, values] of Object.entries(trend.series)) {
    series[name] = [...values.slice(from), ...(gap ? [null] : []), number(name)];
  }
  return { time_utc_s: times, series };
}

/** What a restarted console tells, behind what this page has seen before. */
function joined(before: TrendColumns, told: TrendColumns): TrendColumns {
  const first = told.time_utc_s[0] ?? Infinity;
  const last = told.time_utc_s.at(-1) ?? -Infinity;
  const older = before.time_utc_s.map((time) => time < first && time >= last - TREND_S);
  const keep = <T>(values: T[] | undefined): T[] => (values ?? []).filter((_, i) => older[i]);
  const series = Object.entries(told.series).map(([name, values]) => [name, [...keep(before.series[name]), ...values]]);
  return { time_utc_s: [...keep(before.time_utc_s), ...told.time_utc_s], series: Object.fromEntries(series) as TrendColumns["series"] };
}

/** Ask for the site until the console answers. */
export async function loadSite(): Promise<SiteInfo> {
  for (;;) {
    try {
      const answer = await fetch("/api/v1/site");
      if (answer.ok) return (await answer.json()) as SiteInfo;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // a TypeError says there was no answer
    }
    await new Promise((done) => setTimeout(done, 1000));
  }
}
