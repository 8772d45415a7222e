// Power of an item of the diagram beside its rating, as it is written.

import type { Item } from "./fold";
import { fixed, percent, powerScale, rated, written, type Scale } from "./format";
import type { Live, Reading } from "./live.svelte";

const NEAR_FRAC = 0.9;

export interface Power {
  reading: Reading;
  scale: Scale;
  /** ▼ consumes, ▲ feeds back, blank for nothing */
  arrow: string;
  number: string;
  /** rating, limit, share of it in use */
  beside: string;
  ratingW: number;
  /** class of an abnormal loading */
  alarm: string;
}

export function powerOf(live: Live, item: Item): Power {
  const first = live.tree.places[item.members[0]!]!;
  const reading = live.power(item.members);
  const ratingW = item.members.reduce((sum, i) => sum + live.tree.places[i]!.rating_w, 0);
  const scale = powerScale(ratingW || Math.abs(reading.value) || 1);
  const isFeed = first.parent < 0 && live.tree.roots.length === 1;
  const limitW = isFeed ? limitInForceW(live) : ratingW;
  const loading = Math.abs(reading.value) / limitW;
  const judged = !reading.old && !first.box && limitW > 0;
  const small = Math.abs(reading.value) < 0.05 * scale.divisor * 10 ** (1 - scale.decimals);
  return {
    reading,
    scale,
    arrow: !Number.isFinite(reading.value) || small ? "\u2007" : reading.value > 0 ? "▼" : "▲",
    number: written(Math.abs(reading.value), scale),
    beside: limitW > 0 ? besideOf(item, first, isFeed, limitW, loading, scale) + lossOf(live, item, scale) : "",
    ratingW,
    alarm: judged && loading > 1.001 ? "p1" : judged && !isFeed && loading > NEAR_FRAC ? "p3" : "",
  };
}

export function limitInForceW(live: Live): number {
  const limit = live.read("import_in_force_w").value;
  return Number.isFinite(limit) ? limit : live.site.limits.import_contract_w;
}

function besideOf(
  item: Item,
  first: { rating_a: number; parent: number; metered: boolean },
  isFeed: boolean,
  limitW: number,
  loading: number,
  scale: Scale,
): string {
  if (isFeed) return `limit ${rated(limitW, scale)} ${scale.unit}`;
  const share = percent(loading);
  const single = item.members.length === 1 && first.rating_a > 0 && first.parent >= 0 && !first.metered;
  return single ? `${share} ${fixed(first.rating_a, 0)} A` : `${share} ${rated(limitW, scale)} ${scale.unit}`;
}

/** What a branch without a meter loses by its ratings, after the rest of its words. */
function lossOf(live: Live, item: Item, scale: Scale): string {
  const losses = item.members.flatMap((i) =>
    live.tree.places[i]!.metered ? [] : live.tree.children[i]!.filter((child) => live.tree.places[child]!.computed),
  );
  return losses.length ? `, loses ${written(live.power(losses).value, { ...scale, digits: 1 }).trim()}` : "";
}

/** Its name: without the pod that stands around it, a range where it is several. */
export function nameOf(live: Live, item: Item): string {
  const names = item.members.map((i) => {
    const place = live.tree.places[i]!;
    return place.pod ? place.id.replace(`${place.pod}/`, "") : place.id;
  });
  const first = live.tree.places[item.members[0]!]!;
  if (first.computed) return first.label;
  if (names.length === 1) return names[0]!;
  return `${names[0]}–${names.at(-1)!}`;
}

/** A name in the room that it has; the whole stands in the tooltip. */
export function fitted(text: string, letters: number): string {
  if (text.length <= letters) return text;
  const [from, to] = text.split("–");
  if (to !== undefined && letters >= 7) {
    const half = Math.floor((letters - 1) / 2);
    return `${fitted(from!, half)}–${fitted(to, half)}`;
  }
  const keep = Math.max(letters - 1, 2);
  const tail = Math.ceil(keep / 2);
  return `${text.slice(0, keep - tail)}…${text.slice(-tail)}`;
}

/** What an item holds that is not drawn: 12 racks, 2 CDUs. */
export function holds(live: Live, item: Item, letters = 60): string {
  const found = [...live.tree.inventory(item.members)].sort((a, b) => b[1] - a[1]);
  const pods = new Set(item.members.flatMap((i) => live.tree.pods[i]!.split(",").filter(Boolean)));
  const parts = found.map(([label, count]) => `${count} ${plural(label, count)}`);
  if (pods.size === 1) parts.splice(1, 0, [...pods][0]!);
  let text = parts[0] ?? "nothing";
  for (const part of parts.slice(1)) {
    if (text.length + part.length + 2 > letters) return `${text} +`.length <= letters ? `${text} +` : text;
    text += `, ${part}`;
  }
  return text;
}

export function plural(label: string, count: number): string {
  const word = /^[A-Z]{2,}/.test(label) ? label : label.toLowerCase();
  if (count === 1 || word.endsWith("s") || UNCOUNTED.has(word)) return word;
  if (/(ch|sh|x)$/.test(word)) return `${word}es`;
  return word.endsWith("y") ? `${word.slice(0, -1)}ies` : `${word}s`;
}

const UNCOUNTED = new Set(["solar", "plant", "network"]);
