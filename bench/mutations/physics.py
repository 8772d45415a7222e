"""Faults of the twin: sign, constant, missing term, wrong side of a limit."""

from mutations import Mutant

NUMBERS = ("tests/twin/test_numbers.py",)


FLOWS = ("tests/twin/test_flow_numbers.py",)


def _m(file: str, before: str, after: str, what: str) -> Mutant:
    return Mutant(f"twin/parts/{file}", before, after, NUMBERS, what)


def _flow(file: str, before: str, after: str, what: str) -> Mutant:
    return Mutant(f"twin/{file}", before, after, FLOWS, what)


MUTANTS = (
    # Battery
    _m(
        "battery/batteries.py",
        "LINEAR_LOSS_FRAC: Final = 0.005",
        "LINEAR_LOSS_FRAC: Final = 0.0",
        "an inverter without the loss that grows with power",
    ),
    _m(
        "battery/batteries.py",
        "IDLE_LOSS_FRAC: Final = 0.002",
        "IDLE_LOSS_FRAC: Final = 0.02",
        "an inverter that wastes 2 % of its rating at rest",
    ),
    _m(
        "battery/batteries.py",
        "AUXILIARY_FRAC: Final = 0.003",
        "AUXILIARY_FRAC: Final = 0.0",
        "cooling that costs nothing",
    ),
    _m(
        "battery/cells.py",
        "square_frac * size_w * size_w / rating_w",
        "square_frac * size_w",
        "the square loss made linear",
    ),
    _m(
        "battery/cells.py",
        "cell_wh = (power_w - loss_w - self_w - own_w)",
        "cell_wh = (power_w + loss_w - self_w - own_w)",
        "losses that charge the cells",
    ),
    _m(
        "battery/cells.py",
        'state["discharge_wh"] -= power_w * hours',
        'state["discharge_wh"] += power_w * hours',
        "a discharge counter that runs backwards",
    ),
    _m(
        "battery/cells.py",
        "OUTSIDE_FRAC = 0.2",
        "OUTSIDE_FRAC = 0.0",
        "cells that do not feel the weather",
    ),
    _m(
        "battery/cells.py",
        "LOOP_FRAC_PER_K = 0.003",
        "LOOP_FRAC_PER_K = 0.006",
        "a coolant loop twice as strong",
    ),
    _m(
        "battery/cells.py",
        "HOT_DEGC, HOT_END_DEGC = 45.0, 55.0",
        "HOT_DEGC, HOT_END_DEGC = 45.0, 65.0",
        "a derate that comes too late",
    ),
    _m(
        "battery/cells.py",
        "COLD_DEGC, COLD_END_DEGC = 5.0, -10.0",
        "COLD_DEGC, COLD_END_DEGC = 5.0, -30.0",
        "no derate in the cold",
    ),
    _m("battery/cells.py", "min(hot, cold)", "max(hot, cold)", "the weaker derate counts"),
    _m(
        "battery/cells.py",
        "- 0.5 * math.exp(-soc / 0.02)",
        "- 0.05 * math.exp(-soc / 0.02)",
        "no knee of an empty cell",
    ),
    _m(
        "battery/cells.py",
        '* (1.0 + unit["estimate_gain_frac"]) + drift',
        '* (1.0 + unit["estimate_gain_frac"]) - drift',
        "the estimate drifts the other way",
    ),
    _m(
        "battery/inverter.py",
        '(unit["soc_max"] - state["soc"]) / unit["taper_soc"]',
        '(unit["soc_max"] - state["soc"]) / (2.0 * unit["taper_soc"])',
        "a taper twice as wide",
    ),
    _m(
        "battery/inverter.py",
        '(state["soc"] - unit["soc_min"]) / unit["taper_soc"]',
        'state["soc"] / unit["taper_soc"]',
        "discharge below the reserve",
    ),
    _m(
        "battery/inverter.py",
        'if state["available"] == 0:\n        return 0.0',
        'if state["available"] == 9:\n        return 0.0',
        "a dead unit offers power",
    ),
    _m(
        "battery/ramp_filter.py",
        'rise_w = min(rule["ramp_up_w_per_s"] * step_s, want_w - target_w)',
        "rise_w = want_w - target_w",
        "no limit on the way up",
    ),
    _m(
        "battery/ramp_filter.py",
        'max(-rule["ramp_down_w_per_s"] * step_s, rise_w)',
        "rise_w",
        "no limit on the way down",
    ),
    _m(
        "battery/ramp_filter.py",
        'want_w = state["smooth_w"] + rule["charge_bias_w"]',
        'want_w = state["smooth_w"] - rule["charge_bias_w"]',
        "a bias that discharges",
    ),
    _m(
        "battery/ramp_filter.py",
        '* step_s / (rule["time_s"] + step_s)',
        "* step_s / 10.0",
        "a smoothing time that nobody can set",
    ),
    _m(
        "battery/ramp_filter.py",
        'want_w = min(rule["import_max_w"], max(rule["import_min_w"], want_w))',
        'want_w = min(rule["import_max_w"], want_w)',
        "no floor of import",
    ),
    _m(
        "battery/leases.py",
        'time_ms >= state["set_until_ms"]',
        'time_ms > state["set_until_ms"] + 5000',
        "a lease that runs five seconds over",
    ),
    _m(
        "battery/leases.py",
        '> unit["heartbeat_after_ms"]',
        '>= unit["heartbeat_after_ms"]',
        "a heartbeat lost one step early",
    ),
    _m(
        "battery/leases.py",
        'rule["import_max_w"] = stored["import_max_w"]',
        "pass",
        "a fall-back that keeps the last limit",
    ),
    # Chargers
    _m(
        "charging/evses.py",
        "1.0 - 0.45 * (soc - 0.2) / 0.3",
        "1.0 - 0.2 * (soc - 0.2) / 0.3",
        "cars that hardly taper",
    ),
    _m(
        "charging/evses.py",
        'car["car_max_w"] / car["rise_s"] * step_s',
        'car["car_max_w"] * step_s',
        "cars at full power in a second",
    ),
    _m(
        "charging/evses.py",
        "max(0.0, limit_w - standby_w)",
        "max(0.0, limit_w)",
        "standby beside the limit",
    ),
    _m(
        "charging/evses.py",
        'time_ms >= state["limit_until_ms"]',
        'time_ms > state["limit_until_ms"] + 1000',
        "a profile that outlives its lease",
    ),
    _m(
        "charging/evses.py",
        "max(0.02, 0.3 - 0.28 * (soc - 0.8) / 0.2)",
        "0.3",
        "cars that never end",
    ),
    # Power
    _m(
        "power/transformer.py",
        "(55.0, 23.0) if small else (45.0, 35.0)",
        "(35.0, 13.0) if small else (45.0, 35.0)",
        "a small transformer that stays too cool",
    ),
    _m(
        "power/transformer.py",
        "(180 * 60.0, 4 * 60.0) if small",
        "(18 * 60.0, 4 * 60.0) if small",
        "oil ten times too quick",
    ),
    _m(
        "power/transformer.py",
        'unit["oil_exponent"] = 0.8',
        'unit["oil_exponent"] = 1.0',
        "oil rise linear in losses",
    ),
    _m(
        "power/transformer.py",
        "1.6 if small else 1.3",
        "1.3 if small else 1.3",
        "the wrong winding exponent",
    ),
    _m(
        "power/transformer.py",
        "small = rating_va <= LARGE_VA",
        "small = rating_va < LARGE_VA",
        "2.5 MVA in the wrong class",
    ),
    _m(
        "power/breakers.py",
        "SIX**2 * COOL_TAU_S",
        "SIX * COOL_TAU_S",
        "a breaker six times too quick",
    ),
    _m(
        "power/breakers.py",
        'current_pu > unit["long_pickup_pu"]:\n        if',
        'current_pu >= unit["long_pickup_pu"]:\n        if',
        "pick-up one step early",
    ),
    _m(
        "power/breakers.py",
        "COOL_TAU_S: Final = 600.0",
        "COOL_TAU_S: Final = 6000.0",
        "a memory of hours",
    ),
    _m(
        "power/breakers.py",
        "(SIX**2 - 1.0) * t6_s",
        "SIX**2 * t6_s",
        "a bimetal with the electronic curve",
    ),
    _m("power/breakers.py", "= 8.0, 0.2, 12.0", "= 8.0, 2.0, 12.0", "a short-time delay of 2 s"),
    _m(
        "power/ups.py",
        'of("loss_c_pu", 0.018)',
        'of("loss_c_pu", 0.0)',
        "no square loss in a UPS",
    ),
    _m(
        "power/ups.py",
        "share * math.log(knees_s[k + 1] / knees_s[k])",
        "-share * math.log(knees_s[k + 1] / knees_s[k])",
        "more overload carried for longer",
    ),
    _m(
        "power/ups.py", "SAGS_TO_LOCK: Final = 3", "SAGS_TO_LOCK: Final = 4", "one sag more to lock"
    ),
    _m(
        "power/ups.py",
        "<= SAG_WINDOW_MS:",
        "< SAG_WINDOW_MS:",
        "a third sag after exactly a minute is forgotten",
    ),
    _m(
        "power/ups.py",
        'state["input_w"] - load_w - state["loss_w"]',
        'state["input_w"] - load_w',
        "losses that come from nowhere",
    ),
    _m(
        "power/ups.py",
        "RETURN_MS: Final = 2_000",
        "RETURN_MS: Final = 200",
        "back on mains ten times too soon",
    ),
    _m("power/ups.py", "WALK_IN_S: Final = 15.0", "WALK_IN_S: Final = 1.5", "no soft walk-in"),
    _m(
        "power/ups.py",
        "voltage_pu < SAG_PU or voltage_pu > SWELL_PU",
        "voltage_pu < SAG_PU",
        "a UPS blind to swells",
    ),
    _m(
        "grid/ride_through.py",
        '> curve["time_s"][row] + 1e-9',
        '> 2.0 * curve["time_s"][row]',
        "ride-through twice as long",
    ),
    _m(
        "grid/ride_through.py",
        'guard["healthy_s"] >= curve["return_s"]',
        'guard["healthy_s"] >= 0.0',
        "back at once after a trip",
    ),
    _flow(
        "electrical.py",
        "REACTIVE_FRAC * (pods_w + state",
        "-REACTIVE_FRAC * (pods_w + state",
        "loads that lead at the meter",
    ),
    _flow(
        "electrical.py",
        'plant.site[0]["grid_w"] - plant.site[0]["battery_w"]',
        'plant.site[0]["grid_w"] + plant.site[0]["battery_w"]',
        "a load that holds its battery twice",
    ),
    _flow(
        "parts/power/branches.py",
        "CABLE_LOSS_FRAC: Final = 0.005",
        "CABLE_LOSS_FRAC: Final = 0.05",
        "cables that lose a twentieth",
    ),
    _flow(
        "parts/power/tree.py",
        'branch["load_loss_w"] * part * part',
        'branch["load_loss_w"] * part',
        "losses that turn with the flow",
    ),
    _flow(
        "parts/power/tree.py",
        'branch["no_load_w"] + branch',
        "branch",
        "iron that loses nothing",
    ),
    _flow(
        "parts/power/tree.py",
        'branch["reactance_frac"] * REACTIVE_FRAC) * flow_pu',
        'branch["reactance_frac"]) * flow_pu',
        "a voltage drop by the whole reactance",
    ),
    _flow(
        "parts/power/tree.py",
        'max(0.0, -state["flow_w"]) * hours',
        'max(0.0, state["flow_w"]) * hours',
        "export counted from import",
    ),
    _flow(
        "parts/power/meters.py",
        "(flow_w**2 + reactive**2) ** 0.5",
        "flow_w + reactive",
        "apparent power as a plain sum",
    ),
    _flow(
        "parts/power/meters.py",
        "va / (volts * SQRT3)",
        "va / volts",
        "a current of one phase",
    ),
    # Cooling
    _m(
        "cooling/heat_exchanger.py",
        "decay = math.exp(-units * (1.0 - ratio))",
        "decay = math.exp(-units * (1.0 + ratio))",
        "a parallel-flow exchanger",
    ),
    _m(
        "cooling/heat_exchanger.py",
        "return units / (1.0 + units)",
        "return 1.0",
        "a perfect balanced exchanger",
    ),
    _m(
        "cooling/heat_exchanger.py",
        "hot_flow_frac**-0.7 + cold_flow_frac**-0.7",
        "2.0 * cold_flow_frac**-0.7",
        "a film coefficient on one side only",
    ),
    _m("cooling/pump.py", "return x * x * x", "return x * x", "fans by the square"),
    _m(
        "cooling/pump.py",
        "_IDLE_SHARE: Final = 0.25",
        "_IDLE_SHARE: Final = 0.0",
        "a pump that idles for nothing",
    ),
    _m("cooling/dry_cooler.py", "speed**0.6", "speed", "UA in proportion to fan speed"),
    _m("cooling/dry_cooler.py", "_AIR_RISE_K = 12.0", "_AIR_RISE_K = 6.0", "twice the air"),
    _m(
        "cooling/dry_cooler.py",
        "(entering_degc - ambient_degc)",
        "abs(entering_degc - ambient_degc)",
        "hot air that cools",
    ),
    _m(
        "cooling/chiller.py",
        "0.45 * evaporating_k / lift_k",
        "0.9 * evaporating_k / lift_k",
        "twice the Carnot share",
    ),
    _m(
        "cooling/chiller.py",
        "lift_k = max(condensing_k - evaporating_k, 8.0)",
        "lift_k = condensing_k - evaporating_k",
        "a COP without end on cold days",
    ),
    _m(
        "cooling/chiller.py",
        "ambient_degc + 12.0",
        "ambient_degc - 12.0",
        "a condenser colder than the air",
    ),
    _m(
        "cooling/chiller.py",
        "cycling = min(ratio / held, 1.0)",
        "cycling = 1.0",
        "full power at a tenth of the load",
    ),
    # Work
    _m(
        "compute/throughput.py",
        "(0.7, 0.90),\n        (0.8, 0.95)",
        "(0.7, 0.99),\n        (0.8, 0.99)",
        "caps that cost no work",
    ),
    _m(
        "compute/throughput.py",
        "np.where(cap_frac < x[0], y[0] * np.maximum(cap_frac, 0.0) / x[0]",
        "np.where(cap_frac < x[0], y[0] * np.maximum(cap_frac, 1.0) / x[0]",
        "work that goes on without power",
    ),
)
