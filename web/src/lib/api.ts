// Made by web/make_api.py from the server's structs; do not edit.

export interface ActionInfo {
  name: string;
  what: string;
  role: string;
  form: Record<string, unknown>;
}

export interface ActionList {
  actions: ActionInfo[];
}

export interface ControlStatus {
  time_s: number;
  mode: "auto" | "degraded" | "safe" | "starting";
  binding: string;
  acting: string;
  text: string;
  import_in_force_w: number;
  import_target_w: number;
  charge_bias_w: number;
  chargers_max_w: number;
  nodes_max_w: number;
  bands: Record<string, string>;
  cycle: number;
  asked: string;
  requests: Record<string, string>;
}

export interface Course {
  import_max_w: number;
  import_last_w: number;
  nodes_last_w: number;
  chargers_last_w: number;
  soc_min: number | null;
  die_max_degc: number | null;
}

export interface DeviceDetail {
  name: string;
  label: string;
  model: string;
  vendor: string;
  product: string;
  branch: string;
  standby: string;
  rack: string;
  cooled_by: string;
  tenant: string;
  priority: number;
  protocols: Record<string, number>;
  lost: string;
  points: PointRow[];
}

export interface DeviceList {
  total: number;
  devices: DeviceRow[];
}

export interface DeviceRow {
  name: string;
  label: string;
  model: string;
  branch: string;
  points: number;
  good: number;
}

export interface Done {
  request: RequestRow | null;
  preview: Preview | null;
}

export interface EventList {
  events: EventRow[];
}

export interface EventRow {
  time_utc_s: number;
  kind: string;
  source: string;
  text: string;
  severity: number;
}

export interface FrameText {
  status: ControlStatus | null;
  why: WhyLine | null;
  status_age_s: number;
  processes: Record<string, number>;
  history: string;
  events: EventRow[];
}

export interface GpuLayout {
  racks: GpuRack[];
  quantities: string[];
  count: number;
}

export interface GpuRack {
  name: string;
  pod: string;
  nodes: string[];
  gpus: number;
  first: number;
}

export interface HistoryColumns {
  time_utc_s: number[];
  series: Record<string, (number | null)[]>;
}

export interface LastCommand {
  value: number;
  age_s: number;
  lease_s: number | null;
  actor: string;
  reason: string;
  proof: string;
  proved: boolean;
}

export interface Me {
  name: string;
  role: string;
  scope: string[];
  csrf: string;
  first: boolean;
}

export interface Place {
  id: string;
  parent: number;
  symbol: string;
  label: string;
  order: number;
  pod: string;
  box: boolean;
  metered: boolean;
  computed: boolean;
  rating_w: number;
  rating_a: number;
  accelerators: number;
  standby: string;
  shown: string[];
}

export interface PointList {
  first: number;
  total: number;
  paths: string[];
}

export interface PointRow {
  name: string;
  unit: string;
  value: number | null;
  age_s: number | null;
  quality: string;
  writable: boolean;
  constant: boolean;
  low: number | null;
  high: number | null;
  command: LastCommand | null;
}

export interface Preview {
  trial_s: number;
  start: string;
  limit_w: number;
  soc_floor: number;
  throttle_degc: number | null;
  with_it: Course;
  without: Course;
  breaks: string[];
}

export interface RequestList {
  requests: RequestRow[];
}

export interface RequestRow {
  id: string;
  action: string;
  form: Record<string, unknown>;
  what: string;
  where: string;
  actor: string;
  via: string;
  reason: string;
  from_utc_s: number;
  until_utc_s: number | null;
  state: "expired" | "in force" | "noted" | "refused" | "requested" | "withdrawn";
  text: string;
}

export interface SignalInfo {
  name: string;
  unit: string;
}

export interface SiteInfo {
  name: string;
  timezone: string;
  twin: boolean;
  schema: number;
  accelerators: number;
  limits: SiteLimits;
  signals: SignalInfo[];
  places: Place[];
  tiles: Tile[];
}

export interface SiteLimits {
  contracted_w: number;
  import_contract_w: number;
  export_max_w: number;
  ramp_up_max_w_per_s: number | null;
  ramp_down_max_w_per_s: number | null;
  transformers_w: number;
  pods_max_w: number;
  evses: number;
  battery_max_w: number;
  soc_min: number;
  soc_max: number;
  soc_target: number;
  supply_min_degc: number | null;
  supply_max_degc: number | null;
}

export interface Tile {
  signal: string;
  label: string;
  gives: boolean;
  most_w: number;
  limit: string;
  count: number;
}

export interface TrendColumns {
  time_utc_s: number[];
  series: Record<string, (number | null)[]>;
}

export interface WhyLine {
  mode: "auto" | "degraded" | "safe" | "starting";
  binding: string;
  acting: string;
  text: string;
  since_utc_s: number;
  told_utc_s: number;
}
