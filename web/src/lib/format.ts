// Numbers as people read them: one unit and one number of decimals per quantity, so that a value
// never changes its width while it changes. U+2212 is the minus sign, U+2007 a space as wide as a digit.

/** Below this contract a site is told in kW throughout, unless something is larger than ten MW. */
const LARGE_SITE_W = 3e6;
let megaFromW = 10e6;

/** Choose kW or MW for all of a site's pages. */
export function suitSite(contractW: number): void {
  megaFromW = contractW >= LARGE_SITE_W ? 2e6 : 10e6;
}

const MEGA_FROM_WH = 10e6;
export const NONE = "–";

/** How one quantity is written, chosen once from the largest value it can have. */
export interface Scale {
  unit: string;
  divisor: number;
  decimals: number;
  /** digits before the decimal point that are always kept free, so that units stand still */
  digits: number;
}

export function powerScale(mostW: number, megaFrom = megaFromW): Scale {
  const mega = mostW >= megaFrom;
  const divisor = mega ? 1e6 : 1e3;
  const digits = Math.max(1, Math.floor(Math.log10(Math.max(mostW / divisor, 1))) + 1);
  return { unit: mega ? "MW" : "kW", divisor, decimals: mega ? 2 : 1, digits: Math.min(digits, 3) };
}

export function energyScale(mostWh: number): Scale {
  const power = powerScale(mostWh, MEGA_FROM_WH);
  return { ...power, unit: `${power.unit}h`, decimals: power.unit === "MW" ? 1 : 0 };
}

/** The number alone, padded with figure spaces to the width of the largest. */
export function written(value: number, scale: Scale): string {
  const width = scale.digits + (scale.decimals === 0 ? 0 : scale.decimals + 1);
  if (!Number.isFinite(value)) return NONE.padStart(width, "\u2007");
  const text = Math.abs(value / scale.divisor).toFixed(scale.decimals);
  const negative = value < 0 && Number(text) !== 0;
  return group(((negative ? "\u2212" : "") + text)).padStart(width, "\u2007");
}

/** A limit or rating: no decimals beyond what it needs. */
export function rated(value: number, scale: Scale): string {
  if (!Number.isFinite(value)) return NONE;
  return group((value / scale.divisor).toFixed(scale.unit.startsWith("M") ? (scale.digits > 1 ? 1 : 2) : 0));
}

function group(text: string): string {
  const [whole = "", part] = text.split(".");
  const thousands = whole.replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
  return part === undefined ? thousands : `${thousands}.${part}`;
}

export function percent(fraction: number, decimals = 0): string {
  return Number.isFinite(fraction) ? `${(fraction * 100).toFixed(decimals)} %` : NONE;
}

export function fixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return NONE;
  return value.toFixed(decimals).replace("-", "\u2212");
}

export function duration(timeS: number): string {
  if (!Number.isFinite(timeS)) return NONE;
  if (timeS >= 72 * 3600) return "> 72 h";
  const minutes = Math.floor(timeS / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${minutes} min`;
}

export function age(timeS: number): string {
  if (!Number.isFinite(timeS) || timeS < 0) return "never read";
  if (timeS < 100) return `${Math.round(timeS)} s old`;
  return timeS < 6000 ? `${Math.round(timeS / 60)} min old` : `${Math.round(timeS / 3600)} h old`;
}
