"""Roles: one row a process, and devices dealt to collectors so that none is read twice."""

import importlib
import inspect
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.runtime.board import Board
from mallee.runtime.roles import PROCESSES, ROLES, SEATS, process_names, seats_of
from mallee.runtime.shards import shards_of
from mallee.site.model import SiteModel


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_row_starts_a_process(role: object) -> None:
    row = next(one for one in ROLES if one is role)
    main = importlib.import_module(row.module).main
    assert len(inspect.signature(main).parameters) == (2 if row.shards_max > 1 else 1)
    assert row.hung_s > 0.0
    assert row.start_max_s > 0.0
    assert len({one.stop_order for one in ROLES}) == len(ROLES)


def test_a_real_site_has_no_twin_and_a_big_one_more_collectors(
    site: SiteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert process_names(site) == (
        "supervisor", "twin", "collect", "control", "plan", "console",
    )  # fmt: skip
    real = SiteModel(
        msgspec.structs.replace(site.file, twin=None),
        site.branches, site.pods, site.racks, site.groups,
    )  # fmt: skip
    assert "twin" not in process_names(real)
    monkeypatch.setattr("mallee.runtime.roles.DEVICES_PER_COLLECTOR", 30)
    collectors = [seat.name for seat in seats_of(site) if seat.role.name == "collect"]
    assert collectors[:2] == ["collect", "collect-2"]
    assert set(process_names(site)) <= set(PROCESSES)
    assert SEATS["collect-2"].shard == 1


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), max_size=60),
    st.integers(1, 8),
)
def test_what_shares_a_device_or_an_address_shares_a_collector(
    links: list[tuple[int, int]], count: int
) -> None:
    addresses: dict[str, dict[str, str]] = {}
    for number, place in links:
        addresses.setdefault(f"p{place % 3}", {})[f"d{number}"] = f"10.0.0.{place}:1"
    shard_of = shards_of(addresses, count)
    names = {device for own in addresses.values() for device in own}
    assert set(shard_of) == names
    assert set(shard_of.values()) <= set(range(count))
    by_address: dict[str, set[int]] = {}
    for own in addresses.values():
        for device, address in own.items():
            by_address.setdefault(address, set()).add(shard_of[device])
    assert all(len(shards) == 1 for shards in by_address.values())
    assert shards_of(addresses, count) == shard_of


def test_devices_apart_are_spread_evenly() -> None:
    alone = {"redfish": {f"n{n}": f"10.0.0.{n}:443" for n in range(40)}}
    shard_of = shards_of(alone, 4)
    assert [list(shard_of.values()).count(shard) for shard in range(4)] == [10] * 4


def test_two_collectors_write_to_one_board(site: SiteModel, tmp_path: Path) -> None:
    path = tmp_path / "board"
    first = Board.create(path, site)
    second = Board.open(path, site, shard=1)
    first.write_readings(np.array([0]), 1.0, 0, 1.0)
    second.write_readings(np.array([1]), 2.0, 0, 1.0)
    numbers = first.command(np.array([0, 1]), [5.0, 6.0], 0.0, 1.0, reason="test", actor="anna")
    first.set_progress(np.array([0]), numbers[0], 2, readings=5.0, time_s=2.0)
    second.set_progress(np.array([1]), numbers[1], 4, readings=0.5, time_s=3.0)
    snapshot = first.snapshot(1.0)
    assert snapshot.values[:2].tolist() == [1.0, 2.0]
    assert snapshot.progress[:2].tolist() == [2, 4]
    came = first.outcomes_since({})
    assert {shard: batch.records["command"].tolist() for shard, batch in came.items()} == {
        0: [1],
        1: [2],
    }
    assert first.outcomes_since({0: 1, 1: 1}) == {}
    reasons = [first.reason(number) for number in first.commands().reasons[:2].tolist()]
    assert {(reason.actor, reason.text) for reason in reasons} == {("anna", "test")}
