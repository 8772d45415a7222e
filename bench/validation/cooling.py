"""Coolant and chiller: V11 to V13."""

import numpy as np

from mallee.site.simulated import Load
from mallee.twin.parts.compute import Compute
from mallee.twin.parts.cooling.chiller import CARRIER_19XR_742KW, eir_available_frac, eir_power_w
from mallee.twin.parts.cooling.heat_exchanger import counterflow_effectiveness
from validation.case import VALIDATION, Curve, Picture, Result
from validation.compute import run, site_of

THROTTLED, SHUT = 1, 2
BUILDINGS = "LBNL Modelica Buildings, ElectricEIR Carrier 19XR 742 kW"


def heat_exchanger(result: Result) -> None:
    """V11: a CDU of 1.3 MW at its design flows."""
    heat_w = 1.3e6
    secondary_w_per_k = 1.5 * 1300 / 60 * 1.015 * 3950
    primary_w_per_k = 2.0 * 1300 / 60 * 0.994 * 4180
    rise_k = heat_w / secondary_w_per_k
    share = counterflow_effectiveness(300e3, secondary_w_per_k, primary_w_per_k)
    approach_k = heat_w / (share * min(secondary_w_per_k, primary_w_per_k)) - rise_k
    ocp = "OCP flow of 1.5 L/min per kW; eps-NTU, exact"
    result.near("V11", "CDU 1.3 MW: coolant rise", rise_k, 9.98, 0.005, "K", ocp)
    result.near("V11", "CDU 1.3 MW: approach at 300 kW/K", approach_k, 3.10, 0.005, "K", ocp)


def loss_of_flow(result: Result) -> None:
    """V12: how long dies last when the coolant stands still."""
    compute = Compute(site_of(Load(kind="hpl", noise_frac=0.0)))
    run(compute, 60.0, block=50)
    degc, throttle_s, shut_s = [float(compute.dies.die_degc[0, :72].max())], np.nan, np.nan
    for second in range(1, 61):
        run(compute, 1.0, block=50, flow=0.0)
        degc.append(float(compute.dies.die_degc[0, :72].max()))
        states = compute.dies.state[:, :72]
        if np.isnan(throttle_s) and (states >= THROTTLED).any():
            throttle_s = float(second)
        if np.isnan(shut_s) and (states >= SHUT).any():
            shut_s = float(second)
    source = "published 5..10 s to throttle, 10..20 s to trip (eeumee.net)"
    result.within(
        "V12", "loss of flow: to throttling", throttle_s, 5.0, 10.0, "s", source, VALIDATION
    )
    result.within("V12", "loss of flow: to shut-down", shut_s, 10.0, 20.0, "s", source, VALIDATION)
    result.pictures.append(
        Picture(
            name="v12-loss-of-flow",
            title="Hottest die after the coolant stops",
            x_label="seconds",
            y_label="°C",
            curves=(Curve(name="die", x=np.arange(len(degc), dtype=np.float64), y=np.array(degc)),),
        )
    )


def chiller(result: Result) -> None:
    """V13: coefficient of performance at the reference point."""
    unit = CARRIER_19XR_742KW
    available_w = 742e3 * eir_available_frac(unit, 5.56, 21.11)
    power_w = eir_power_w(unit, 742e3, available_w, 5.56, 21.11)
    result.near(
        "V13",
        "chiller COP at 5.56 / 21.11 °C",
        available_w / power_w,
        5.42,
        0.054,
        "",
        BUILDINGS,
        VALIDATION,
    )
    te, tc = 8.0, 15.0
    terms = np.array([1.0, te, te**2, tc, tc**2, te * tc])
    capacity, ratio = terms @ np.array(unit.capacity), terms @ np.array(unit.input_ratio)
    part = np.array([1.0, 0.5, 0.25]) @ np.array(unit.part_load)
    by_hand = 0.5 / (ratio * part) * 5.42
    available_w = 742e3 * eir_available_frac(unit, te, tc)
    got = 0.5 * available_w / eir_power_w(unit, 742e3, 0.5 * available_w, te, tc)
    result.near(
        "V13", "chiller COP at 8 / 15 °C, half load", got, by_hand, 0.01 * by_hand, "", BUILDINGS
    )
    result.near(
        "V13",
        "capacity at 8 / 15 °C",
        available_w / 742e3,
        capacity,
        0.01 * capacity,
        "",
        BUILDINGS,
    )
