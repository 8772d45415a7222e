"""Random sites as text: any tree of transformers, boards, breakers, UPS and PDUs, with racks below.

What they have in common with real sites: one feed, sources before what they feed, at least one
rack. The rest is chance.
"""

from dataclasses import dataclass

from hypothesis import strategies as st

HEAD = """
name = "random"
[grid]
contracted_w = 5e6
import_max_w = 5e6
voltage_v = 400
frequency_hz = 50
meter = { name = "meter", model = "grid-meter-sunspec" }
"""

TABLES = {
    "transformer": ("rating_va", (300e3, 750e3, 2500e3)),
    "breaker": ("rating_a", (63, 400, 1600)),
    "switchboard": ("rating_a", (800, 1600, 4000)),
    "busway": ("rating_a", (400, 1000)),
    "ups": ("model", ("ups-500kw", "ups-1500kw")),
    "pdu": ("model", ("pdu-floor-450kw", "pdu-rack-34kw")),
}


@dataclass(frozen=True)
class Node:
    """A branch: its table, what rates it, and which of those before it feed it."""

    table: str
    rating: object
    above: int


@dataclass(frozen=True)
class RandomSite:
    """A site as text, with what its author knows about it.

    Attributes:
        parents: name of the branch above each branch; the feed is called grid.
        racks: how many racks each branch has, by name.
    """

    text: str
    parents: dict[str, str]
    racks: dict[str, int]


@st.composite
def random_sites(draw: st.DrawFn, shuffled: bool = True) -> RandomSite:
    """A site whose branches come in any order of the file."""
    count = draw(st.integers(1, 10))
    tables = draw(st.lists(st.sampled_from(sorted(TABLES)), min_size=count, max_size=count))
    names = [f"{table}-{n}" for n, table in enumerate(tables)]
    parents, pieces = {}, []
    for n, table in enumerate(tables):
        above = draw(st.integers(-1, n - 1))
        parents[names[n]] = names[above] if above >= 0 else "grid"
        key, ratings = TABLES[table]
        value = draw(st.sampled_from(ratings))
        said = f'"{value}"' if isinstance(value, str) else f"{value}"
        pieces.append(
            f'[[{table}]]\nname = "{names[n]}"\nfed_by = "{parents[names[n]]}"\n{key} = {said}\n'
        )
    order = draw(st.permutations(range(count))) if shuffled else range(count)
    racks: dict[str, int] = {}
    text = HEAD + "\n".join(pieces[n] for n in order) + '[[pod]]\nname = "pod"\n'
    for n in range(draw(st.integers(1, 3))):
        place, some = draw(st.sampled_from(names)), draw(st.integers(1, 4))
        racks[place] = racks.get(place, 0) + some
        text += (
            f'[[pod.rack]]\nname = "x{n}-{{1..{some}}}"\nfed_by = "{place}"\n'
            'nodes = { model = "nvidia-hgx-h100-node", count = 2 }\n'
        )
    return RandomSite(text=text, parents=parents, racks=racks)
