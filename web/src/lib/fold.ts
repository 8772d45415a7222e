// Levels of detail: as much of the power tree as fits, the rest folded into boxes that open.
//
// Everything starts folded. Then, level by level and in four rounds from coarse to fine, each item
// is opened a bit further where the drawing still fits its columns and levels.

import type { Tree } from "./tree";

/** One thing on the drawing: a place, or several alike. */
export interface Item {
  /** id of its first member; with how alike the others are where there are several */
  key: string;
  members: number[];
  children: Item[];
  level: number;
  /** more hangs below than is drawn */
  folded: boolean;
}

export interface Room {
  columns: number;
  levels: number;
  /** leave out what a branch says in words */
  brief?: boolean;
}

const COARSEST = 3;
const CLOSED = COARSEST + 1;

function itemOf(tree: Tree, members: number[], grain: number, level: number): Item {
  const id = tree.places[members[0]!]!.id;
  const folded = members.some((i) => tree.children[i]!.length > 0);
  return { key: members.length > 1 ? `${id}~${grain}` : id, members, children: [], level, folded };
}

/** What hangs below an item, those alike together. */
export function below(tree: Tree, members: number[], grain: number, brief = false): number[][] {
  const groups = new Map<string, number[]>();
  for (const parent of members) {
    for (const child of tree.children[parent]!) {
      // a loss by ratings stands in its branch's own words
      if (brief && tree.places[child]!.computed && !tree.places[parent]!.metered) continue;
      // what belongs to several of a kind is not told apart by its own name
      const likeness = tree.likeness(child, members.length > 1 ? Math.max(grain, 1) : grain);
      const group = groups.get(likeness);
      if (group) group.push(child);
      else groups.set(likeness, [child]);
    }
  }
  return [...groups.values()];
}

/** The places that a path of keys leads to, each below the one before; empty for the whole site. */
export function resolve(tree: Tree, path: string[]): number[] {
  let members = tree.roots;
  for (const key of path) {
    const [id = "", grain] = key.split("~");
    const start = tree.index.get(id);
    if (start === undefined) return [];
    if (grain === undefined) members = [start];
    else if (grain.startsWith("r")) members = range(members, start, Number(grain.slice(1)));
    else members = below(tree, members, Number(grain)).find((group) => group.includes(start)) ?? [start];
  }
  return path.length === 0 ? [] : members;
}

/** The keys from what is drawn at the top down to an item, behind the path that led here. */
export function trail(items: Item[], item: Item, path: string[]): string[] {
  const down = (level: Item[]): string[] | null => {
    for (const one of level) {
      if (one === item) return [one.key];
      const found = down(one.children);
      if (found) return [one.key, ...found];
    }
    return null;
  };
  const keys = down(items) ?? [item.key];
  return [...path, ...keys.filter((key, i) => i > 0 || path.at(-1) !== key)];
}

function range(members: number[], start: number, count: number): number[] {
  const at = members.indexOf(start);
  return at < 0 ? [start] : members.slice(at, at + count);
}

/** The items to draw for some places, or for the whole site where there are none. */
export function fold(tree: Tree, focus: number[], room: Room): Item[] {
  const roots = focus.length === 0 ? tree.roots : focus;
  const chunk = Math.ceil(roots.length / Math.max(room.columns, 1));
  const top: Item[] = [];
  for (let at = 0; at < roots.length; at += chunk) {
    const item = itemOf(tree, roots.slice(at, at + chunk), 0, 0);
    if (item.members.length > 1) item.key = `${tree.places[item.members[0]!]!.id}~r${item.members.length}`;
    top.push(item);
  }
  const grains = new Map<Item, number>();
  for (let grain = COARSEST; grain >= 0; grain--) refine(tree, top, room, grains, grain);
  return top;
}

function refine(tree: Tree, top: Item[], room: Room, grains: Map<Item, number>, grain: number): void {
  let level = top;
  while (level.length > 0) {
    for (const item of level) {
      const current = grains.get(item) ?? CLOSED;
      if (current <= grain || item.level + 1 >= room.levels) continue;
      open(tree, top, room, grains, item, grain);
    }
    level = level.flatMap((item) => item.children);
  }
}

function open(tree: Tree, top: Item[], room: Room, grains: Map<Item, number>, item: Item, grain: number): void {
  const groups = below(tree, item.members, grain, room.brief);
  if (groups.length === 0 || groups.length === item.children.length) return;
  const before = item.children;
  item.children = groups.map((members) => itemOf(tree, members, grain, item.level + 1));
  if (leaves(top) > room.columns) {
    item.children = before;
    return;
  }
  item.folded = false;
  grains.set(item, grain);
}

export function leaves(items: Item[]): number {
  return items.reduce((sum, item) => sum + (item.children.length === 0 ? 1 : leaves(item.children)), 0);
}

export function walk(items: Item[]): Item[] {
  return items.flatMap((item) => [item, ...walk(item.children)]);
}
