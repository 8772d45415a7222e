"""Uninterruptible supplies: a branch that carries its load on through an outage."""

from mallee.core.device_model import Sensor
from mallee.kinds.kind import DeviceKind, Drawing, PointKind

UPS = DeviceKind(
    name="ups",
    stands=("site", "pod"),
    order=3,
    table="ups",
    role="in_line",
    power="input_w",
    points=(
        PointKind(name="*_w", sensor=Sensor(gain_frac=0.02, quantum=100.0), shown="sum"),
        PointKind(name="load_frac", sensor=Sensor(quantum=0.01), shown="max"),
        PointKind(name="soc", plausible=(-0.05, 1.1), sensor=Sensor(quantum=0.01), shown="mean"),
        PointKind(name="*_degc", sensor=Sensor(bias=1.0, quantum=1.0)),
        PointKind(name="autonomy_s", sensor=Sensor(quantum=1.0), shown="min"),
        PointKind(name="*_count"),
    ),
    two_feeds=True,
    protects=True,
    drawing=Drawing(symbol="ups", order=4, label="UPS"),
)
