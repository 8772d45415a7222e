// The power tree, and what several of its places have in common.

import type { Place } from "./api";

export class Tree {
  readonly places: Place[];
  readonly children: number[][];
  readonly roots: number[] = [];
  readonly index = new Map<string, number>();
  /** pods below or around a place, and what its subtree is made of: equal for places alike */
  readonly pods: string[] = [];
  readonly shape: string[] = [];
  readonly accelerators: number[] = [];

  constructor(places: Place[]) {
    this.places = places;
    this.children = places.map(() => []);
    places.forEach((place, i) => {
      this.index.set(place.id, i);
      (place.parent < 0 ? this.roots : this.children[place.parent]!).push(i);
    });
    const rank = (i: number): [string, number] => [places[i]!.pod, places[i]!.order];
    for (const list of [this.roots, ...this.children]) {
      list.sort((a, b) => rank(a)[0].localeCompare(rank(b)[0]) || rank(a)[1] - rank(b)[1] || a - b);
    }
    for (let i = places.length - 1; i >= 0; i--) this.#describe(i);
  }

  #describe(i: number): void {
    const place = this.places[i]!;
    const below = this.children[i]!;
    const unique = (texts: string[]): string => [...new Set(texts)].sort().join();
    this.pods[i] = unique([place.pod, ...below.flatMap((child) => this.pods[child]!.split(","))].filter(Boolean));
    const inside = unique(below.filter((child) => !this.places[child]!.computed).map((child) => this.shape[child]!));
    this.shape[i] = `${place.symbol} ${place.rating_w.toPrecision(3)} (${inside})`;
    this.accelerators[i] = place.accelerators + below.reduce((sum, child) => sum + this.accelerators[child]!, 0);
  }

  /** What a place stands for in a list of neighbours: the same text, the same box. */
  likeness(i: number, grain: number): string {
    const place = this.places[i]!;
    if (grain <= 0) return place.id;
    if (grain === 1) return `${this.shape[i]} ${this.pods[i]}`;
    if (grain === 2) return this.shape[i]!;
    return `${place.symbol} ${place.box}`;
  }

  /** How many boxes of each label hang below. */
  inventory(members: number[]): Map<string, number> {
    const found = new Map<string, number>();
    const walk = (i: number): void => {
      const place = this.places[i]!;
      if (place.box && !place.computed) found.set(place.label, (found.get(place.label) ?? 0) + 1);
      this.children[i]!.forEach(walk);
    };
    members.forEach((i) => this.children[i]!.forEach(walk));
    return found;
  }
}
