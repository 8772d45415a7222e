"""Charging stations: from a single post to a cabinet with many EVSEs."""

from mallee.core.device_model import Sensor
from mallee.kinds.kind import DeviceKind, Drawing, PointKind

CHARGER = DeviceKind(
    name="charger",
    stands=("site",),
    order=2,
    table="charger",
    role="load",
    least="standby_w",
    least_w=0.0,
    power="power_w",
    points=(
        # OCPP metering of the class 1 that charging tariffs ask for.
        PointKind(
            name="limit_w", needed=True, write=(0.0, "power_max_w"), lease_s=30.0, shown="sum"
        ),
        PointKind(
            name="power_w",
            needed=True,
            sensor=Sensor(window_s=1.0, gain_frac=0.01, quantum=10.0),
            shown="sum",
            total="chargers",
        ),
        PointKind(name="*_w", sensor=Sensor(window_s=1.0, gain_frac=0.01, quantum=10.0)),
        PointKind(name="energy_wh", sensor=Sensor(gain_frac=0.01, quantum=1.0)),
        PointKind(name="occupied_count", shown="sum"),
        PointKind(name="evse*_soc", plausible=(-0.05, 1.1), sensor=Sensor(quantum=0.01)),
    ),
    parameters=("evse_count", "evse_max_w", "station_max_w", "efficiency", "standby_w", "obey_s"),
    drawing=Drawing(symbol="charger", order=2, label="Chargers"),
)
