// Words and numbers beside a box's power, by the names of its points: no kind of device is named.

import type { Live } from "./live.svelte";
import { fixed, percent, powerScale, rated, type Scale } from "./format";
import type { Item } from "./fold";
import type { Tree } from "./tree";

/** What people call a quantity; one that is not here goes by its name. */
const WORDS: Record<string, string> = {
  soc: "SoC",
  cap_w: "caps",
  limit_w: "limit",
  occupied_count: "in use",
  supply_degc: "supply",
  return_degc: "return",
  supply_set_degc: "set",
  gpu_temp_degc: "GPU",
  fuel_frac: "fuel",
  leak_count: "leaks",
  output_w: "out",
  autonomy_s: "holds",
  heat_w: "heat",
};
/** Those worth the one line of a box, first come first. */
const FIRST = ["soc", "occupied_count", "supply_degc", "cap_w", "fuel_frac"];

export function wordOf(name: string): string {
  return WORDS[name] ?? name.replace(/_[a-z]+$/, "").replaceAll("_", " ");
}

export function numberOf(name: string, value: number, scale?: Scale): string {
  const unit = name.slice(name.lastIndexOf("_") + 1);
  if (unit === "soc" || unit === "frac") return percent(value, unit === "soc" ? 1 : 0);
  if (unit === "degc") return `${fixed(value, 1)} °C`;
  if (unit === "count") return fixed(value, 0);
  if (unit === "w") {
    const own = scale ?? powerScale(Math.abs(value));
    return `${rated(value, own)} ${own.unit}`;
  }
  if (unit === "s") return `${fixed(value / 60, 0)} min`;
  return `${fixed(value, 1)} ${unit}`;
}

/** One number over the members of an item: sums of powers and counts, the hottest, else the mean. */
export function joined(live: Live, tree: Tree, item: Item, name: string): number {
  const found = item.members
    .filter((i) => tree.places[i]!.shown.includes(name))
    .map((i) => live.read(`${name}:${tree.places[i]!.id}`).value)
    .filter(Number.isFinite);
  if (found.length === 0) return NaN;
  const unit = name.slice(name.lastIndexOf("_") + 1);
  if (unit === "degc") return Math.max(...found);
  const sum = found.reduce((total, value) => total + value, 0);
  return unit === "w" || unit === "count" ? sum : sum / found.length;
}

/** The line under a box's bar. */
export function lineOf(live: Live, tree: Tree, item: Item, scale: Scale): string {
  const shown = tree.places[item.members[0]!]!.shown;
  const names = [...FIRST.filter((name) => shown.includes(name)), ...shown.filter((name) => !FIRST.includes(name))];
  const name = names[0];
  if (name === undefined) return "";
  const value = joined(live, tree, item, name);
  if (name === "supply_degc" && shown.includes("return_degc")) {
    return `${fixed(value, 1)} → ${fixed(joined(live, tree, item, "return_degc"), 1)} °C`;
  }
  if (name === "occupied_count") return `${fixed(value, 0)} in use`;
  return `${wordOf(name)} ${numberOf(name, value, scale)}`;
}
