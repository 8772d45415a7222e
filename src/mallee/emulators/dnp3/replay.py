"""Points as recorded, at every link address; nothing is operated."""

from typing import Any, cast

from dnp3.database import Database, DatabaseConfig
from dnp3.outstation.config import OutstationConfig
from dnp3.outstation.outstation import Outstation

from mallee.core.errors import ConfigError
from mallee.core.protocols.dnp3 import LINK_MAX, Slot, Table
from mallee.emulators.device import Health, Place, Running
from mallee.emulators.dnp3.image import SIZE, add_point, put_point
from mallee.emulators.dnp3.server import serve_images

LINKS = range(1, 11)
"""Link addresses that answer; models name one of them."""


class _Recorded:
    """An outstation whose points stand still."""

    def __init__(self, database: Database, link: int) -> None:
        config = OutstationConfig(address=min(link, LINK_MAX), time_sync_required=False)
        self.outstation = Outstation(config=config, database=database)

    def refresh(self) -> None:
        """Nothing changes."""


async def replay_points(place: Place, content: Any) -> Running:
    """Serve points by table and index, ``{"AI": {"537": -120000}, "BI": {"76": 1}}``.

    Raises:
        ConfigError: it is no such table, or the port is taken.
    """
    database = Database(config=DatabaseConfig(SIZE, SIZE, SIZE, SIZE, SIZE, SIZE))
    try:
        for table, points in content.items():
            for index, value in points.items():
                slot = Slot(cast(Table, table), int(index))
                add_point(database, slot)
                put_point(database, slot, float(value))
    except (AttributeError, KeyError, TypeError, ValueError):
        hint = 'write {"AI": {"537": -120000}}'
        raise ConfigError("sample: dnp3", "is no table of points", hint) from None
    images = {link: _Recorded(database, link) for link in LINKS}
    return await serve_images(place, images, {link: Health() for link in LINKS}, "sample")
