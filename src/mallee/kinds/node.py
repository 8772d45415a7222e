"""Computers that boot and carry accelerators: compute trays, HGX servers."""

from mallee.core.device_model import Sensor
from mallee.kinds.kind import DeviceKind, PointKind

NODE = DeviceKind(
    name="node",
    stands=("rack",),
    order=15,
    rack_table="nodes",
    letter="n",
    role="load",
    least="cap_min_w",
    power="power_w",
    points=(
        PointKind(name="cap_w", write=("cap_min_w", "cap_max_w"), shown="sum"),
        # NVML: 1 s average, +-5 % gain error a device (arXiv 2312.02741); whole degrees.
        PointKind(
            name="gpu*_power_w",
            sensor=Sensor(window_s=1.0, refresh_s=0.1, gain_frac=0.05, quantum=0.001),
        ),
        PointKind(name="gpu*_energy_wh", sensor=Sensor(gain_frac=0.05)),
        PointKind(name="gpu*_temp_degc", sensor=Sensor(bias=1.0, quantum=1.0), shown="max"),
        PointKind(name="gpu*_utilization_frac", sensor=Sensor(quantum=0.01)),
        PointKind(
            name="power_w",
            needed=True,
            sensor=Sensor(window_s=1.0, gain_frac=0.02, quantum=1.0),  # [assumed]
            shown="sum",
            total="nodes",
        ),
        PointKind(name="leak_count", shown="sum"),
        PointKind(name="*_degc", sensor=Sensor(bias=0.5, quantum=0.1)),
    ),
    parameters=(
        "gpu_idle_w",
        "gpu_max_w",
        "gpu_cap_min_w",
        "host_idle_w",
        "host_max_w",
        "gpu_tau_up_s",
        "gpu_tau_down_s",
        "die_to_coolant_k_per_w",
        "die_j_per_k",
        "plate_j_per_k",
        "throttle_degc",
        "cap_min_w",
        "cap_max_w",
        "cap_delay_s",
    ),
)
