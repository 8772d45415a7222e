// What is painted on a line, by the symbol that a kind or branch names (IEC 60617 where it has one).
// A symbol that is not here becomes a plain square: a new kind needs no line of code.

export interface Symbol {
  /** outlines, filled with the panel's colour */
  shape: string;
  /** fine lines inside */
  detail?: string;
  /** letters inside */
  letters?: string;
  /** half its width */
  half: number;
}

const CIRCLE = (y: number, r: number): string => `M${-r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
const BOX = (half: number): string => `M${-half} ${-half}h${2 * half}v${2 * half}h${-2 * half}z`;

export const SYMBOLS: Record<string, Symbol> = {
  grid: { shape: "M-14 -10h28v18h-28z", detail: "M-14 2l12 -12M-10 8l18 -18M-2 8l16 -16M6 8l8 -8", half: 14 },
  transformer: { shape: CIRCLE(-5, 9), detail: CIRCLE(5, 9), half: 9 },
  breaker: { shape: BOX(7), half: 7 },
  bus: { shape: "M-12 -3h24v6h-24z", half: 12 },
  transfer_switch: { shape: BOX(9), detail: "M0 9v-6l-7 -8M-7 -9v4M7 -9v4", half: 9 },
  ups: { shape: BOX(10), detail: "M-10 10l20 -20M-7 -5h7M3 6q2 -3 4 0t4 0", half: 10 },
  pdu: { shape: BOX(9), detail: "M-9 -3h18M-4 -3v8M0 -3v8M4 -3v8", half: 9 },
  genset: { shape: CIRCLE(0, 11), letters: "G", half: 11 },
  solar: { shape: BOX(10), detail: "M-10 -10l10 9l10 -9", half: 10 },
};

export const PLAIN: Symbol = { shape: BOX(8), half: 8 };
