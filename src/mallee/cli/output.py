"""Tables and colours for people; plain text where the output is not a terminal."""

import os
import sys
from collections.abc import Iterable, Sequence

RED, GREEN, YELLOW, GREY, BOLD = "31", "32", "33", "90", "1"


def paint(text: str, style: str) -> str:
    """Text in a style, on a terminal only."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{style}m{text}\x1b[0m"


def table(rows: Iterable[Sequence[str]], header: Sequence[str] = ()) -> str:
    """Columns aligned by their widest cell; cells that look like numbers to the right."""
    lines = [list(row) for row in rows]
    everything = [list(header), *lines] if header else lines
    if not everything:
        return ""
    widths = [max(len(row[i]) for row in everything) for i in range(len(everything[0]))]
    right = [bool(lines) and all(_is_number(row[i]) for row in lines) for i in range(len(widths))]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ]
        return "  ".join(cells).rstrip()

    head = [paint(line(header), BOLD)] if header else []
    return "\n".join(head + [line(row) for row in lines])


def power(power_w: float) -> str:
    """A power as people read it, in kW with one decimal, MW from 10 MW on."""
    if power_w != power_w:
        return "-"
    if abs(power_w) >= 10e6:
        return f"{power_w / 1e6:.2f} MW"
    return f"{power_w / 1e3:.1f} kW"


def energy(energy_wh: float) -> str:
    """An energy as people read it."""
    if energy_wh != energy_wh:
        return "-"
    if abs(energy_wh) >= 10e6:
        return f"{energy_wh / 1e6:.2f} MWh"
    return f"{energy_wh / 1e3:.1f} kWh"


class ProgressBar:
    """One line on stderr that shows how far a long run has come; silent without a terminal."""

    def __init__(self, total: int, what: str) -> None:
        self._total, self._what = total, what
        self._shown = -1
        self._is_on = sys.stderr.isatty()

    def __call__(self, done: int) -> None:
        """Show `done` of the total, whenever a whole percent is reached."""
        percent = 100 * done // max(self._total, 1)
        if not self._is_on or percent == self._shown:
            return
        self._shown = percent
        bar = "█" * (percent // 4) + "·" * (25 - percent // 4)
        end = "\n" if done >= self._total else ""
        print(f"\r{self._what} {bar} {percent:3d} %", end=end, file=sys.stderr, flush=True)


def _is_number(cell: str) -> bool:
    head = cell.split(" ")[0].rstrip("%x").replace(",", "")
    try:
        float(head)
    except ValueError:
        return cell == "-"
    return True
