// What a branch or box of the one-line diagram says about itself.

import { fixed, percent, powerScale, rated, written, type Scale } from "./format";
import type { Live, Reading } from "./live.svelte";
import type { Node } from "./site";

const NEAR_FRAC = 0.9;

export interface BranchView {
  reading: Reading;
  scale: Scale;
  /** ▼ consumes, ▲ feeds back, blank for nothing */
  arrow: string;
  number: string;
  /** what stands beside the number: rating, limit */
  beside: string;
  /** share of the rating in use */
  loading: number;
  /** class of an abnormal loading */
  alarm: string;
}

/** Power of a branch or box against its rating. */
export function branchView(live: Live, node: Node): BranchView {
  const atGrid = node.kind === "grid";
  const reading = live.read(`power:${node.id}`);
  const limitW = atGrid ? limitInForceW(live) : node.rating_w;
  const scale = powerScale(node.rating_w);
  const loading = Math.abs(reading.value) / limitW;
  const judged = !reading.old && (atGrid || node.kind === "transformer" || node.kind === "breaker");
  const alarm = judged && loading > 1 ? "p1" : judged && loading > NEAR_FRAC && !atGrid ? "p3" : "";
  const small = Math.abs(reading.value) < 0.05 * scale.divisor * 10 ** (1 - scale.decimals);
  return {
    reading,
    scale,
    arrow: !Number.isFinite(reading.value) || small ? "\u2007" : reading.value > 0 ? "▼" : "▲",
    number: written(Math.abs(reading.value), scale),
    beside: besideOf(node, limitW, loading, scale),
    loading,
    alarm,
  };
}

export function limitInForceW(live: Live): number {
  const limit = live.read("import_in_force_w").value;
  return Number.isFinite(limit) ? limit : live.site.limits.import_contract_w;
}

function besideOf(node: Node, limitW: number, loading: number, scale: Scale): string {
  const of = `${percent(loading).padStart(4, "\u2007")} of`;
  if (node.kind === "grid") return `limit ${rated(limitW, scale)} ${scale.unit}`;
  if (node.kind === "transformer") return `${of} ${rated(limitW, scale)} ${scale.unit.replace("W", "VA")}`;
  if (node.kind === "breaker" && node.count === 1) return `${of} ${fixed(node.rating_a, 0)} A`;
  return `${of} ${rated(limitW, scale)} ${scale.unit}`;
}

/** The second line and the bar of a box. */
export interface BoxView {
  line: string;
  bar: { value: number; most: number; limit?: number; floor?: number; target?: number } | null;
}

export function boxView(live: Live, node: Node): BoxView {
  const value = (name: string): number => live.read(`${name}:${node.id}`).value;
  const { limits } = live.site;
  const scale = powerScale(node.rating_w);
  const power = { value: live.read(`power:${node.id}`).value, most: node.rating_w };
  if (node.kind === "battery") {
    const window = { limit: limits.soc_max, floor: limits.soc_min, target: limits.soc_target };
    return { line: `SoC ${percent(value("soc"), 1)}`, bar: { value: value("soc"), most: 1, ...window } };
  }
  if (node.kind === "charger") {
    const occupied = value("occupied_count");
    const cars = `${fixed(occupied, 0)} ${occupied === 1 ? "car" : "cars"}`;
    return { line: `${cars}, ≤ ${rated(value("limit_w"), scale)} ${scale.unit}`, bar: { ...power, limit: value("limit_w") } };
  }
  if (node.kind === "racks") {
    const caps = `caps ${rated(value("cap_w"), scale)} ${scale.unit}`;
    return { line: caps, bar: power };
  }
  if (node.kind === "pod") {
    return { line: `${node.count} racks, ${fixed(value("supply_degc"), 1)} °C`, bar: power };
  }
  if (node.kind === "cdu") {
    return { line: `${fixed(value("supply_degc"), 1)} → ${fixed(value("return_degc"), 1)} °C`, bar: power };
  }
  return { line: "", bar: power };
}

export function isBox(node: Node): boolean {
  return node.kind !== "grid" && node.kind !== "transformer" && node.kind !== "breaker";
}

export function nameOf(node: Node): string {
  if (node.kind === "grid") return "Grid";
  return node.count > 1 ? `${node.label.replace("-", "–")}` : node.label;
}
