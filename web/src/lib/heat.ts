// The heat map: racks side by side, each a strip of accelerators, painted into one canvas.

import type { GpuRack } from "./api";

export interface Tile {
  rack: GpuRack;
  x: number;
  y: number;
  cols: number;
  rows: number;
}

export interface HeatMap {
  cell: number;
  tiles: Tile[];
  width: number;
  height: number;
}

const GAP = 6;
const HEAD = 16;
/** a strip of this many pixels has room for the name of its rack */
export const LABELLED = 44;

/** The largest cell with which all racks fit. */
export function arrange(racks: GpuRack[], width: number, height: number): HeatMap {
  for (let cell = 40; cell >= 1; cell--) {
    const map = tiled(racks, cell, width);
    if (map.height <= height || cell === 1) return map;
  }
  return tiled(racks, 1, width);
}

function tiled(racks: GpuRack[], cell: number, width: number): HeatMap {
  const tiles: Tile[] = [];
  let x = 0;
  let y = 0;
  let tall = 0;
  const head = cell * Math.max(...racks.map((rack) => rack.gpus), 1) >= LABELLED ? HEAD : 0;
  for (const rack of racks) {
    const cols = rack.gpus;
    const rows = rack.nodes.length;
    if (x + cols * cell > width && x > 0) {
      x = 0;
      y += tall + GAP;
      tall = 0;
    }
    tiles.push({ rack, x, y: y + head, cols, rows });
    tall = Math.max(tall, head + rows * cell);
    x += cols * cell + (head ? GAP : 2);
  }
  return { cell, tiles, width, height: y + tall };
}

export interface Found {
  rack: GpuRack;
  node: string;
  gpu: number;
  index: number;
}

export function at(map: HeatMap, x: number, y: number): Found | null {
  for (const tile of map.tiles) {
    const col = Math.floor((x - tile.x) / map.cell);
    const row = Math.floor((y - tile.y) / map.cell);
    if (col < 0 || row < 0 || col >= tile.cols || row >= tile.rows) continue;
    return { rack: tile.rack, node: tile.rack.nodes[row]!, gpu: col, index: tile.rack.first + row * tile.cols + col };
  }
  return null;
}
