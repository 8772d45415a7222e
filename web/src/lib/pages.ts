// The pages, in the order of the navigation; each is loaded when it is first asked for.

import type { Component } from "svelte";
import type { Live } from "./live.svelte";

export type Page = Component<{ live: Live }>;

export interface PageEntry {
  name: string;
  label: string;
  /** pressed after g */
  key: string;
  load: () => Promise<{ default: Page }>;
}

export const PAGES: PageEntry[] = [
  { name: "overview", label: "Overview", key: "o", load: () => import("../pages/Overview.svelte") },
  { name: "power", label: "Power", key: "p", load: () => import("../pages/Power.svelte") },
  { name: "cooling", label: "Cooling", key: "c", load: () => import("../pages/Cooling.svelte") },
  { name: "compute", label: "Compute", key: "m", load: () => import("../pages/Compute.svelte") },
  { name: "plan", label: "Plan", key: "l", load: () => import("../pages/Plan.svelte") },
  { name: "devices", label: "Devices", key: "d", load: () => import("../pages/Devices.svelte") },
  { name: "alarms", label: "Alarms", key: "a", load: () => import("../pages/Alarms.svelte") },
  { name: "history", label: "History", key: "h", load: () => import("../pages/History.svelte") },
  { name: "events", label: "Events", key: "e", load: () => import("../pages/Events.svelte") },
];

const DEVICE: PageEntry = { name: "device", label: "Device", key: "", load: () => import("../pages/Device.svelte") };

/** The page of an address; the overview for one that there is not. */
export function pageOf(name: string): PageEntry {
  return [...PAGES, DEVICE].find((page) => page.name === name) ?? PAGES[0]!;
}
