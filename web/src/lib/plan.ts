// The plan's columns as the page draws them: past and time ahead on one axis, in one unit.

import type { Outlook } from "./api";

export type Column = (number | null)[];

/** Past and ahead joined; `null` stands where one of them says nothing. */
export interface Joined {
  timeS: number[];
  column: (past: Column | null, ahead: Column | null, divisor?: number) => Column;
}

export function joined(plan: Outlook): Joined {
  const before = plan.past.from_utc_s.filter((time) => time < plan.ahead.from_utc_s[0]!).length;
  const steps = plan.ahead.from_utc_s.length;
  const scale = (values: Column | null, count: number, divisor: number): Column =>
    values ? values.slice(0, count).map((value) => (value === null ? null : value / divisor)) : Array<null>(count).fill(null);
  return {
    timeS: [...plan.past.from_utc_s.slice(0, before), ...plan.ahead.from_utc_s, plan.ahead.until_utc_s],
    column: (past, ahead, divisor = 1) => {
      const after = scale(ahead, steps, divisor);
      return [...scale(past, before, divisor), ...after, after.at(-1) ?? null];
    },
  };
}

/** Money with the sign and thousands that people read. */
export function money(value: number): string {
  const text = Math.abs(value).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 }).replaceAll(",", "\u202f");
  return value < -0.004 ? `\u2212${text}` : text;
}

/** What the plan saves against doing nothing, what is left in the store counted in. */
export function saved(plan: Outlook): number {
  return plan.cost_without - plan.cost + plan.worth_after;
}
