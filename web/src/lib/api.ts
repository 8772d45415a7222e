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

export interface Ahead {
  from_utc_s: number[];
  until_utc_s: number;
  price_per_mwh: (number | null)[];
  marginal_per_mwh: (number | null)[];
  load_w: (number | null)[];
  load_low_w: (number | null)[];
  load_high_w: (number | null)[];
  import_w: (number | null)[];
  import_max_w: (number | null)[];
  charge_w: (number | null)[];
  soc: (number | null)[];
  load_by_class_w: Record<string, (number | null)[]>;
}

export interface AlarmAsked {
  what: "acknowledge" | "note" | "put back" | "reset" | "shelve" | "take out" | "unshelve";
  actor: string;
  alarms: string[];
  place: string;
  reason: string;
  for_s: number | null;
}

export interface AlarmDone {
  changed: string[];
}

export interface AlarmFigures {
  hours: number;
  annunciated: number;
  per_10min: number;
  flood_frac: number;
  top_frac: number;
  chattering: string[];
  stale: string[];
  priorities: Record<string, number>;
  ack_p50_s: number | null;
  ack_p95_s: number | null;
}

export interface AlarmJournal {
  lines: Line[];
}

export interface AlarmList {
  alarms: AlarmRow[];
  more: number;
  summary: AlarmSummary;
}

export interface AlarmReach {
  branch: string;
  devices: string[];
  racks: string[];
}

export interface AlarmRow {
  id: string;
  kind: string;
  place: string;
  priority: number;
  state: "acknowledged" | "latched" | "normal" | "returned unacknowledged" | "unacknowledged";
  text: string;
  consequence: string;
  response: string;
  within_s: number;
  raised_utc_s: number | null;
  hidden: "" | "out of service" | "shelved" | "suppressed";
  hidden_until_utc_s: number | null;
  hidden_why: Remark | null;
  cause: string;
  explains: number;
  first: boolean;
  notes: Remark[];
}

export interface AlarmSummary {
  sounding: number[];
  standing: number[];
  shelved: number;
  out: number;
  explained: number;
  first: string;
  first_text: string;
  flood: boolean;
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

export interface ForecastScore {
  name: string;
  unit: string;
  lead_s: number;
  error: number | null;
  persistence_error: number | null;
  skill: number | null;
  count: number;
}

export interface FrameText {
  status: ControlStatus | null;
  why: WhyLine | null;
  status_age_s: number;
  processes: Record<string, number>;
  history: string;
  events: EventRow[];
  alarms: AlarmSummary;
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

export interface Line {
  time_s: number;
  id: string;
  what: "acknowledged" | "in service" | "out of service" | "raised" | "released" | "reset" | "returned" | "shelved" | "suppressed" | "unshelved";
  actor: string;
  reason: string;
  reading: number | null;
}

export interface Me {
  name: string;
  role: string;
  scope: string[];
  csrf: string;
  first: boolean;
}

export interface Month {
  name: string;
  from_utc_s: number;
  lines: MonthLine[];
  peaks: Peak[];
  notes: string[];
}

export interface MonthLine {
  name: string;
  quantity: number;
  unit: string;
  amount: number;
  amount_without: number;
}

export interface Outlook {
  site: string;
  tariff: string;
  currency: string;
  made_utc_s: number;
  generation: number;
  good: boolean;
  ahead: Ahead;
  past: Past;
  month: Month;
  said: Said[];
  scores: ForecastScore[];
  cost: number;
  cost_without: number;
  worth_after: number;
  made: number;
  lost: number;
}

export interface Past {
  from_utc_s: number[];
  import_w: (number | null)[];
  planned_import_w: (number | null)[];
  charge_w: (number | null)[];
  planned_charge_w: (number | null)[];
  load_w: (number | null)[];
}

export interface Peak {
  name: string;
  so_far_w: number;
  aimed_w: number;
  at_risk_w: number | null;
  price_per_kw: number;
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

export interface Remark {
  time_s: number;
  actor: string;
  text: string;
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

export interface Said {
  what: string;
  from_utc_s: number;
  worth: number;
  sentence: string;
  kept: boolean;
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
