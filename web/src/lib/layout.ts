// Where the items of the diagram stand. A column a leaf; a branch stands over the middle of what it
// feeds, with its words to the right of its line, inside its own columns: nothing can be cut.

import { leaves, walk, type Item } from "./fold";
import type { Tree } from "./tree";

export const COLUMN = { least: 106, most: 150 };
export const LEVEL = { least: 64, most: 120 };
export const BOX_HEIGHT = 82;
const MARGIN = 8;
const TOP = 26;
const BUS_ABOVE = 36;
const GAP = 10;
const POD = { pad: 4, head: 8, foot: 22 };
/** the line of a leaf stands so far right of its column's left edge */
const LINE = 18;

export interface Spot {
  item: Item;
  x: number;
  y: number;
  /** room for its words, right of its line */
  width: number;
  box: boolean;
  /** left edge of a box */
  left: number;
}

export interface Line {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
  bus: boolean;
  dashed: boolean;
}

export interface PodFrame {
  pod: string;
  accelerators: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Drawing {
  width: number;
  height: number;
  column: number;
  spots: Spot[];
  lines: Line[];
  pods: PodFrame[];
}

/** How many columns and levels a panel has room for. */
export function roomFor(width: number, height: number): { columns: number; levels: number; brief: boolean } {
  const columns = Math.max(Math.floor((width - 2 * MARGIN) / COLUMN.least), 1);
  const levels = Math.floor((height - TOP - BOX_HEIGHT - POD.foot - POD.pad) / LEVEL.least) + 1;
  return { columns, levels: Math.max(levels, 2), brief: true };
}

export function layout(tree: Tree, items: Item[], width: number, height: number): Drawing {
  const count = Math.max(leaves(items), 1);
  const column = clamp((width - 2 * MARGIN) / count, COLUMN);
  const depth = Math.max(...walk(items).map((item) => item.level), 1);
  const level = clamp((height - TOP - BOX_HEIGHT - POD.foot - POD.pad) / depth, LEVEL);
  const spots: Spot[] = [];
  const lines: Line[] = [];
  const pods: PodFrame[] = [];
  let next = 0;

  const put = (item: Item): Spot => {
    const first = next;
    const children = item.children.map(put);
    if (children.length === 0) next += 1;
    const left = MARGIN + column * first;
    const place = tree.places[item.members[0]!]!;
    const box = children.length === 0 && (place.box || item.folded);
    const x = children.length > 0 ? (children[0]!.x + children.at(-1)!.x) / 2 : left + LINE;
    const y = TOP + level * item.level - (box ? 8 : 0);
    const spot = { item, x, y, width: MARGIN + column * next - x - GAP, box, left: left + GAP / 2 };
    spots.push(spot);
    connect(spot, children, lines);
    frames(tree, children, column, pods);
    return spot;
  };
  items.forEach(put);
  const bottom = Math.max(...spots.map((spot) => spot.y + (spot.box ? BOX_HEIGHT : 34)), ...pods.map((pod) => pod.y + pod.height));
  return { width: 2 * MARGIN + column * count, height: bottom + MARGIN, column, spots: spots.reverse(), lines, pods };
}

function clamp(value: number, range: { least: number; most: number }): number {
  return Math.min(Math.max(value, range.least), range.most);
}

function connect(spot: Spot, children: Spot[], lines: Line[]): void {
  if (children.length === 0) return;
  const busY = Math.min(...children.map((child) => child.y)) - BUS_ABOVE + 8;
  const plain = { bus: false, dashed: false };
  lines.push({ x1: spot.x, y1: spot.y, x2: spot.x, y2: busY, ...plain });
  if (children.length > 1) {
    lines.push({ x1: children[0]!.x - 8, y1: busY, x2: children.at(-1)!.x + 8, y2: busY, bus: true, dashed: false });
  }
  for (const child of children) lines.push({ x1: child.x, y1: busY, x2: child.x, y2: child.y, ...plain });
}

/** One outline around each run of boxes of one pod below one branch. */
function frames(tree: Tree, children: Spot[], column: number, pods: PodFrame[]): void {
  let run: Spot[] = [];
  const podOf = (spot: Spot): string => (tree.places[spot.item.members[0]!]!.box ? podOfItem(tree, spot.item) : "");
  const close = (): void => {
    const pod = run[0] ? podOf(run[0]) : "";
    if (run[0] && pod) {
      const members = run.flatMap((spot) => spot.item.members);
      pods.push({
        pod,
        accelerators: members.reduce((sum, i) => sum + tree.accelerators[i]!, 0),
        x: run[0].left - POD.pad,
        y: run[0].y - POD.head,
        width: column * run.length - GAP + 2 * POD.pad,
        height: POD.head + BOX_HEIGHT + POD.foot,
      });
    }
    run = [];
  };
  for (const child of children) {
    if (run[0] && podOf(run[0]) !== podOf(child)) close();
    run.push(child);
  }
  close();
}

/** The one pod of all its members, else nothing. */
export function podOfItem(tree: Tree, item: Item): string {
  const pods = new Set(item.members.map((i) => tree.pods[i]!));
  const only = [...pods][0] ?? "";
  return pods.size === 1 && !only.includes(",") ? only : "";
}
