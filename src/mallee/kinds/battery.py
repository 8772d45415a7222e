"""Utility-scale batteries with their inverters and site controller."""

from mallee.core.device_model import Sensor
from mallee.kinds.kind import DeviceKind, Drawing, PointKind

_FAST = Sensor(refresh_s=0.1)
_FILTER_LEASE_S = 60.0

BATTERY = DeviceKind(
    name="battery",
    stands=("site",),
    order=1,
    table="battery",
    role="storage",
    least="auxiliary_w",
    least_w=0.0,
    power="charge_w",
    points=(
        # A battery's own metering is class 0.5; its state of charge is already an estimate.
        PointKind(
            name="charge_w",
            needed=True,
            sensor=Sensor(window_s=0.1, refresh_s=0.1, gain_frac=0.005, quantum=10.0),
            shown="sum",
            total="battery charge",
        ),
        PointKind(name="reactive_var", sensor=Sensor(refresh_s=0.1, gain_frac=0.01, quantum=10.0)),
        PointKind(name="*_energy_wh", sensor=Sensor(gain_frac=0.005, quantum=1.0)),
        PointKind(
            name="soc",
            needed=True,
            plausible=(-0.05, 1.1),
            sensor=Sensor(quantum=0.001),
            shown="mean",
        ),
        PointKind(name="soh", plausible=(-0.05, 1.5), sensor=_FAST),
        PointKind(name="*_degc", sensor=Sensor(bias=1.0, quantum=0.1)),
        PointKind(name="voltage_v", sensor=Sensor(gain_frac=0.005, quantum=0.1)),
        PointKind(name="frequency_hz", sensor=Sensor(refresh_s=0.1, bias=0.01, quantum=0.01)),
        PointKind(name="charge_available_w", sensor=_FAST),
        PointKind(name="discharge_available_w", sensor=_FAST),
        PointKind(
            name="charge_set_w",
            write=("-discharge_max_w", "charge_max_w"),
            lease_s=5.0,
            sensor=_FAST,
        ),
        PointKind(
            name="filter_charge_bias_w",
            write=("-discharge_max_w", "charge_max_w"),
            lease_s=_FILTER_LEASE_S,
            sensor=_FAST,
        ),
        PointKind(name="heartbeat_count", write=(0.0, 65535.0), sensor=_FAST),
        PointKind(name="mode", write=(0.0, 3.0), lease_s=_FILTER_LEASE_S, sensor=_FAST),
        PointKind(name="filter_time_s", write=(0.0, 600.0), lease_s=_FILTER_LEASE_S, sensor=_FAST),
        PointKind(name="*", sensor=_FAST),
    ),
    parameters=(
        "energy_wh",
        "charge_max_w",
        "discharge_max_w",
        "apparent_max_va",
        "charge_efficiency",
        "discharge_efficiency",
        "auxiliary_w",
        "local_delay_s",
        "local_tau_s",
        "remote_delay_s",
        "remote_tau_s",
    ),
    two_feeds=False,
    drawing=Drawing(symbol="battery", order=1, label="Battery"),
)
