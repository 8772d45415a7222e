// What the console says about a site once (GET /api/v1/site) and with every frame.

export type PlaceKind =
  | "grid"
  | "transformer"
  | "breaker"
  | "battery"
  | "charger"
  | "pod"
  | "racks"
  | "cdu"
  | "network";

export interface Node {
  id: string;
  kind: PlaceKind;
  label: string;
  pod: string;
  level: number;
  x: number;
  y: number;
  count: number;
  rating_w: number;
  rating_a: number;
  accelerators: number;
}

export interface Line {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
  bus: boolean;
  node: string;
}

export interface PodFrame {
  label: string;
  accelerators: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Diagram {
  width: number;
  height: number;
  box_width: number;
  box_height: number;
  meter_x: number;
  meter_y: number;
  nodes: Node[];
  lines: Line[];
  pods: PodFrame[];
}

export interface Limits {
  contracted_w: number;
  import_contract_w: number;
  export_max_w: number;
  ramp_up_max_w_per_s: number;
  ramp_down_max_w_per_s: number;
  transformers_w: number;
  pods_max_w: number;
  chargers_max_w: number;
  evses: number;
  battery_max_w: number;
  soc_min: number;
  soc_max: number;
  soc_target: number;
  supply_min_degc: number | null;
  supply_max_degc: number | null;
}

export interface Site {
  name: string;
  timezone: string;
  twin: boolean;
  schema: number;
  accelerators: number;
  limits: Limits;
  signals: { name: string; unit: string }[];
  diagram: Diagram;
}

export interface Status {
  mode: "starting" | "auto" | "safe";
  binding: string;
  acting: string;
  text: string;
  bands: Record<string, string>;
}

export interface SiteEvent {
  time_utc_s: number;
  kind: string;
  source: string;
  text: string;
  severity: number;
}

export interface FrameText {
  status: Status | null;
  status_age_s: number;
  processes: Record<string, number>;
  history: string;
  events: SiteEvent[];
}

export interface Trend {
  time_utc_s: number[];
  series: Record<string, (number | null)[]>;
}
