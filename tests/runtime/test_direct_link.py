"""Devices of a large site that are read in memory: same qualities, same proof of commands."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from mallee.core.snapshot import Progress, Quality
from mallee.runtime import direct_link, speaking
from mallee.runtime.addresses import choose_addresses
from mallee.runtime.board import Board
from mallee.runtime.direct_link import DirectLink, rows_by_pace
from mallee.runtime.direct_twin import DirectTwin
from mallee.runtime.link import LOST_AFTER_S
from mallee.runtime.notices import Notices
from mallee.runtime.run_folder import RunFolder
from mallee.runtime.shards import shards_of
from mallee.runtime.twin_feed import TwinFeed
from mallee.site.model import SiteModel
from mallee.twin.comms import STATES
from mallee.twin.site_twin import SiteTwin


class Large:
    """The demo site, treated as one too large to be emulated whole."""

    def __init__(self, site: SiteModel, path: Path) -> None:
        self.site, self.folder = site, RunFolder(path)
        self.folder.make()
        self.board = Board.create(self.folder.board, site)
        self.twin = SiteTwin(site)
        self.twin.advance(2000)
        self.memory = DirectTwin(site, self.twin, self.board, self.folder, lambda: 100.0)
        self.speaks = speaking.speaking(site)
        self.notices = Notices(self.board, "collect")
        self.link = DirectLink(
            site,
            self.board,
            TwinFeed.open(self.folder.twin_feed, site),
            self.notices,
            ~self.speaks,
        )
        self.paces = rows_by_pace(site, ~self.speaks)
        self.events = self.board.event_reader()

    def read(self, now_s: float) -> None:
        for rows in self.paces:
            self.link.read(rows, now_s)

    def quality(self, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> set[int]:
        return set(self.board.snapshot(0.0).quality[rows].tolist())

    def told(self) -> list[str]:
        self.notices.flush()
        return [event.kind for event in self.events.read().events]


@pytest.fixture
def large(site: SiteModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Large:
    monkeypatch.setattr(speaking, "READINGS_MAX_PER_S", 10.0)
    monkeypatch.setattr(speaking, "SAMPLE_PER_S", 0.0)  # one of each group
    return Large(site, tmp_path)


def test_a_sample_of_each_group_speaks_and_has_addresses(large: Large) -> None:
    site = large.site
    assert all(large.speaks[group.first_device] for group in site.groups)
    assert large.speaks.sum() == len(site.groups)
    addresses = choose_addresses(site, "site.toml")
    named = {name for own in addresses.values() for name in own}
    assert named == {group.names[0] for group in site.groups}
    assert set(shards_of(addresses, 1)) == named
    covered = np.concatenate([rows.rows for rows in large.paces])
    mute = np.concatenate(
        [
            np.repeat(~large.speaks[g.first_device + np.arange(g.count)], g.stride)
            for g in site.groups
        ]
    )
    constant = np.concatenate(
        [np.tile([p.constant is not None for p in g.model.point], g.count) for g in site.groups]
    )
    assert sorted(covered.tolist()) == np.flatnonzero(mute & ~constant).tolist()


def test_readings_and_faults_become_qualities(large: Large) -> None:
    node = next(large.site.groups_of("node"))
    rows = [node.row(device, "power_w") for device in range(1, 5)]
    power = np.array(rows)
    large.read(100.0)
    assert large.quality(power) == {Quality.NEVER}  # the twin has not said anything yet
    large.memory.publish()
    large.read(100.5)
    snapshot = large.board.snapshot(0.0)
    assert large.quality(power) == {Quality.GOOD}
    assert snapshot.values[power] == pytest.approx(large.twin.reported[power])
    assert set(snapshot.times_s[power].tolist()) == {100.0}
    for index, state in enumerate(("silent", "slow", "garbage", "refuse"), node.first_device + 1):
        large.twin.comms.state[index] = STATES.index(state)
    large.twin.reported[node.row(5, "power_w")] = 1e9
    large.memory.publish()
    large.read(100.5)
    quality = large.board.snapshot(0.0).quality
    wanted = [Quality.STALE, Quality.GOOD, Quality.BAD, Quality.REFUSED]
    assert quality[power].tolist() == wanted
    assert quality[node.row(5, "power_w")] == Quality.BAD
    large.link.prove(100.5)
    assert large.told() == []
    large.link.prove(100.5 + LOST_AFTER_S + 1.0)  # so late that the twin is silent, too
    assert "devices-lost" in large.told()
    large.read(100.0 + direct_link.STALE_S + 1.0)
    assert Quality.GOOD not in large.quality(power)


def test_commands_reach_the_twin_and_are_proven(large: Large) -> None:
    node = next(large.site.groups_of("node"))
    caps = np.array([node.row(device, "cap_w") for device in range(1, 4)])
    low = node.model.parameter("cap_min_w") + 100.0

    async def obey() -> None:
        task = asyncio.create_task(large.memory.obey())
        await asyncio.sleep(0.05)
        task.cancel()

    large.board.command(caps, np.full(3, low), lease_s=0.0, time_s=99.0)
    asyncio.run(obey())
    for _ in range(100):
        large.twin.advance(100)
    large.memory.publish()
    large.link.prove(100.1)
    snapshot = large.board.snapshot(0.0)
    assert snapshot.progress[caps].tolist() == [Progress.DONE] * 3
    large.twin.reported[caps[1]] = low + 2000.0  # somebody else raised it
    large.memory.publish()
    for now_s in np.arange(100.2, 105.0, 1.0).tolist():
        large.memory._feed.write(now_s, large.twin.reported, large.twin.comms.state)  # type: ignore[union-attr]
        large.link.prove(now_s)
    progress = large.board.snapshot(0.0).progress[caps].tolist()
    assert progress == [Progress.DONE, Progress.LOST, Progress.DONE]
    assert large.told() == ["command-lost"]


def test_a_declined_command_is_told(large: Large) -> None:
    charger = next(large.site.groups_of("charger"))
    row = np.array([charger.row(1, "limit_w")])
    large.board.command(row, np.array([-5.0]), lease_s=0.0, time_s=99.0)
    assert not large.memory._write(int(row[0]), large.board.commands())
    large.memory._feed.declined[row] = large.board.commands().numbers[row]  # type: ignore[union-attr]
    large.memory.publish()
    large.link.prove(100.1)
    assert large.board.snapshot(0.0).progress[row].tolist() == [Progress.REJECTED]
    assert large.told() == ["command-rejected"]
