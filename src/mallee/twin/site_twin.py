"""The twin of one site: every device's physics on one clock, true and reported.

Electrical steps of 20 ms run in blocks of 100 ms; coolant, cells and transformers follow each
second. What one part tells another changes only at the ends of blocks, so a run does not depend
on how `advance` is cut into calls.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mallee.core.errors import Rejected
from mallee.core.site import FloatArray, SiteModel
from mallee.core.site_file import Twin
from mallee.twin.balance import check_closed
from mallee.twin.battery.batteries import Batteries
from mallee.twin.charging.chargers import Chargers
from mallee.twin.clock import BLOCK_MS, STEP_MS, THERMAL_MS, block_ends
from mallee.twin.comms import CommsHealth
from mallee.twin.electrical import SITE, fill_site_points, step_site
from mallee.twin.power.feeders import Feeders
from mallee.twin.stand_in import SquareCompute
from mallee.twin.truth import Truth, empty_truth

METER_POINTS = (
    "import_w", "reactive_var", "apparent_va", "voltage_v", "current_a", "frequency_hz",
    "import_energy_wh", "export_energy_wh",
)  # fmt: skip


class SiteTwin:
    """A whole site, simulated.

    Args:
        site: the model; its `[twin]` table gives load, weather and starting charge.
        seed: everything random follows from it; same seed, same bytes.

    Attributes:
        time_ms: twin time since the start.
        reported: what the sensors say now, NaN where nothing is reported.  # (points,)
        true_points: the same quantities as they are.  # (points,)
        comms: how well each device can be talked to.
        truth: true quantities of the site.
    """

    def __init__(self, site: SiteModel, seed: int = 1, faults: object | None = None) -> None:
        settings = site.file.twin or Twin()
        self.site, self.time_ms = site, 0
        self.true_points: FloatArray = np.full(site.point_count, np.nan)
        self.reported: FloatArray = np.full(site.point_count, np.nan)
        self.comms = CommsHealth(site.device_count)
        self.feeders = Feeders(site)
        self.batteries = Batteries(site, seed, settings.soc_start)
        self.chargers = Chargers(site, seed)
        self.compute = SquareCompute(site, seed, STEP_MS)
        self._sums: NDArray[np.void] = np.zeros(1, SITE)
        self._steady_w = np.zeros(len(site.feeders))
        self._set_points_w = np.zeros(len(self.batteries.names))
        self._meter_rows = np.stack([site.rows("meter", name) for name in METER_POINTS], axis=1)
        racks = len(site.racks.names)
        self._supply_degc, self._flow_frac = np.full(racks, 30.0), np.ones(racks)
        self._voltage_pu = np.ones(racks)
        self._node_group = {group.first_row: group for group in site.groups_of("node")}
        self.truth: Truth = empty_truth(len(site.feeders), len(self.batteries.names))
        for group in site.groups:
            for point in group.model.point:
                if point.constant is not None:
                    self.true_points[group.rows(point.name)] = point.constant
        self._settle(settings)
        self._fill()

    def advance(self, duration_ms: int) -> None:
        """Run the physics on.

        Args:
            duration_ms: a multiple of 20 ms, usually 100.

        Raises:
            PhysicsError: a balance does not close or a state is not a number.
        """
        blocks = []
        for end_ms in block_ends(self.time_ms, self.time_ms + duration_ms):
            blocks.append(self._block((end_ms - self.time_ms) // STEP_MS))
            self.time_ms = end_ms
            if end_ms % THERMAL_MS == 0:
                self._second()
            if end_ms % BLOCK_MS == 0:
                self.batteries.watch(end_ms)
        self._fill()
        self._tell(blocks)

    def write(self, row: int, value: float, lease_s: float) -> None:
        """A set point reaches its device.

        Args:
            row: row of a settable point.
            value: in the point's unit.
            lease_s: how long the device holds it where it has a timer of its own.

        Raises:
            Rejected: the point is not settable, or the device declines the value.
        """
        group = self.site.group_of_row(row)
        device, position = divmod(row - group.first_row, group.stride)
        point = group.model.point[position]
        if point.access != "readwrite":
            raise Rejected(f"{self.site.point_path(row)} cannot be written")
        if group.kind == "battery":
            self.batteries.write(
                self._number(group.names[device], self.batteries.names),
                point.name,
                value,
                lease_s,
                self.time_ms,
            )
        elif group.kind == "charger":
            self.chargers.write(
                self._number(group.names[device], self.chargers.names),
                point.name,
                value,
                lease_s,
                self.time_ms,
            )
        elif group.kind == "node":
            low, high = group.model.parameter("cap_min_w"), group.model.parameter("cap_max_w")
            if not low <= value <= high:
                raise Rejected(
                    f"{group.names[device]}: cap_w {value:.0f} is outside {low:.0f}..{high:.0f} W"
                )
            before = sum(
                g.count for g in self.site.groups_of("node") if g.first_row < group.first_row
            )
            self.compute.write_cap(before + device, value)
        elif group.kind == "cdu":
            low, high = (
                group.model.parameter("supply_min_degc"),
                group.model.parameter("supply_max_degc"),
            )
            if not low <= value <= high:
                raise Rejected(
                    f"{group.names[device]}: {point.name} {value:g} is outside {low:g}..{high:g}"
                )
            self.true_points[row] = value
        else:
            raise Rejected(f"{self.site.point_path(row)} cannot be written")

    def save(self) -> dict[str, NDArray[Any]]:
        """Everything that changes, as arrays."""
        parts = {name: array.copy() for name, array in self._arrays().items()}
        parts |= {f"compute/{name}": array for name, array in self.compute.save().items()}
        parts["time_ms"] = np.array(self.time_ms)
        return parts

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Continue from what `save` returned, of the same site and seed."""
        for name, array in self._arrays().items():
            array[...] = state[name]
        own = {n.removeprefix("compute/"): a for n, a in state.items() if n.startswith("compute/")}
        self.compute.restore(own)
        self.time_ms = int(state["time_ms"])
        self._tell([])

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {
            "true_points": self.true_points, "reported": self.reported,
            "feeders": self.feeders.state, "batteries": self.batteries.state,
            "cabinets": self.chargers.state, "posts": self.chargers.posts,
            "sessions": self.chargers.sessions, "sums": self._sums,
            "comms": self.comms.state, "comms_delay_s": self.comms.delay_s,
        }  # fmt: skip

    def _settle(self, settings: Twin) -> None:
        """Start in steady state: the meter at the load's mean of the first iteration."""
        before = self.compute.save()
        steps = max(1, round(settings.load.iteration_s * 1000 / STEP_MS))
        racks_w = self.compute.advance(
            0,
            steps,
            supply_degc=self._supply_degc,
            flow_frac=self._flow_frac,
            voltage_pu=self._voltage_pu,
        )
        self.compute.restore(before)
        idle = np.zeros((1, 0))
        grid_w = np.zeros(1)
        load_w = float(racks_w.sum(axis=1).mean() + self._steady_w.sum())
        del idle, grid_w
        self.batteries.start_at(load_w)

    def _block(self, steps: int) -> FloatArray:
        rack_w = self.compute.advance(
            self.time_ms,
            steps,
            supply_degc=self._supply_degc,
            flow_frac=self._flow_frac,
            voltage_pu=self._voltage_pu,
        )
        grid_w = np.empty(steps)
        step_site(
            self.time_ms, STEP_MS, rack_w, self.feeders.rack_feeder, self._steady_w,
            self.feeders.units, self.feeders.state, self.batteries.units, self.batteries.state,
            self.chargers.cabinets, self.chargers.state, self.chargers.posts,
            self.chargers.sessions, self._sums, self._set_points_w, grid_w,
        )  # fmt: skip
        return grid_w

    def _second(self) -> None:
        self.chargers.next_day(self.time_ms)
        total = self._sums[0]
        check_closed(
            "site",
            self.time_ms,
            float(total["grid_wh"]),
            {
                "pods": float(total["pods_wh"]),
                "stored": float(self.batteries.state["stored_wh"].sum()),
                "battery losses": float(self.batteries.state["loss_wh"].sum()),
                "auxiliaries": float(self.batteries.state["auxiliary_wh"].sum()),
                "vehicles": float(self.chargers.state["vehicle_wh"].sum()),
                "charger losses": float(self.chargers.state["loss_wh"].sum()),
                "feeder losses": float(self.feeders.state["loss_wh"].sum()),
            },
        )

    def _fill(self) -> None:
        self.compute.fill_points(self.true_points)
        fill_site_points(
            self.true_points, self.batteries.rows, self.batteries.units, self.batteries.state,
            self.chargers.rows, self.chargers.cabinets, self.chargers.state, self.chargers.posts,
            self._meter_rows, self._sums, self.site.file.grid.voltage_v, self.site.file.grid.frequency_hz,
        )  # fmt: skip
        self.reported[:] = self.true_points

    def _tell(self, blocks: list[FloatArray]) -> None:
        truth, total = self.truth, self._sums[0]
        truth.block_grid_w = np.concatenate(blocks) if blocks else np.empty(0)
        truth.feeder_w = self.feeders.state["flow_w"].copy()
        truth.battery_charge_w = self.batteries.state["mean_w"].copy()
        truth.soc = self.batteries.state["soc"].copy()
        truth.grid_w, truth.pods_w = float(total["grid_w"]), float(total["pods_w"])
        truth.chargers_w, truth.losses_w = float(total["chargers_w"]), float(total["losses_w"])
        truth.import_wh, truth.export_wh = float(total["import_wh"]), float(total["export_wh"])
        truth.it_w = float(self.compute.it_w.sum())
        truth.throughput = self.compute.throughput

    @staticmethod
    def _number(name: str, names: tuple[str, ...]) -> int:
        return names.index(name)
