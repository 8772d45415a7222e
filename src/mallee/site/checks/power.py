"""Ratings against what hangs below: what is overloaded, what costs work, what control holds."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mallee.core.arrays import NO_INDEX, FloatArray
from mallee.kinds import KINDS
from mallee.site.checks.finding import RATINGS_A, RATINGS_VA, Finding, names_of, watts
from mallee.site.flows import Flows, flows_of
from mallee.site.loads import rack_range, rack_shelves
from mallee.site.model import Branch, SiteModel
from mallee.site.switchgear import Transformer

WorkLeft = Callable[[float], float]
"""Share of the work that is left at a cap, both as fractions of none, 0..1."""

NOTICED_FRAC = 0.005
"""Less work than this is lost in what nameplates do not know anyway."""


def ratings(site: SiteModel, work_left: WorkLeft | None) -> Iterator[Finding]:
    """Every branch in normal supply."""
    flows = flows_of(site)
    # A smaller rating above is the one that control works with; one not known may be that.
    told: dict[int, float] = {}
    for index, branch in enumerate(site.branches):
        tightest_w = told.get(int(flows.source[index]), np.inf)
        told[index] = min(tightest_w, branch.rating_w if np.isfinite(branch.rating_w) else 0.0)
        if not np.isfinite(branch.rating_w):
            continue  # not readable, and told as such
        least_w = float(flows.least_w[index])
        asked_w = float(flows.fixed_w[index] + flows.others_least_w[index])
        racks_w = float(flows.racks_most_w[index])
        if least_w > branch.rating_w * (1.0 + 1e-9):
            yield _overloaded(site, flows, index)
        elif flows.share[index] < 1.0 and _is_cut_here(flows, index):
            yield from _work_lost(site, flows, index, work_left)
        elif tightest_w > branch.rating_w and flows.direct_w[index] > branch.rating_w:
            yield _held(site, flows, index, asked_w + racks_w, work_left)


def after_a_loss(site: SiteModel, work_left: WorkLeft | None) -> Iterator[Finding]:
    """Branches that carry too much once another one is lost and its load has changed over."""
    normal = flows_of(site)
    told: dict[int, tuple[float, int, Flows]] = {}
    for lost in _lost_one_by_one(site):
        flows = flows_of(site, (lost,))
        for index, branch in enumerate(site.branches):
            if not flows.alive[index] or flows.share[index] >= normal.share[index] - NOTICED_FRAC:
                continue
            if not _is_cut_here(flows, index) or not np.isfinite(branch.rating_w):
                continue
            over_w = float(flows.racks_full_w[index] * (1.0 - flows.share[index]))
            if index not in told or over_w > told[index][0]:
                told[index] = (over_w, lost, flows)
    for index, (_, lost, flows) in sorted(told.items()):
        branch, least_w = site.branches[index], float(flows.least_w[index])
        rating = f"its {_rated(site, index)} {watts(branch.rating_w)}"
        other = site.branches[lost].name
        bad = least_w > branch.rating_w
        loss = _loss(float(flows.share[index]), work_left)
        yield Finding(
            level="warning",
            rule="loss-of-a-feed",
            where=_where(site, index),
            key=_key(site, index),
            text=f"carries at least {watts(least_w)} once {other} is lost, above {rating}"
            if bad
            else f"must hold its computers to {flows.share[index]:.0%} of full power once {other} "
            f"is lost, against {rating}{loss}",
            hint="the second source works only if nodes are switched off" if bad else "",
        )


def shelves(site: SiteModel) -> Iterator[Finding]:
    """Power shelves against what their rack draws."""
    load, rating_w = rack_range(site), rack_shelves(site)
    cases: tuple[tuple[bool, FloatArray, str], ...] = (
        (True, load.least_w, "even at their lowest cap"),
        (False, load.most_w, "at full power"),
    )
    for is_bad, power_w, text in cases:
        short = np.flatnonzero((rating_w > 0.0) & (power_w > rating_w))
        if len(short):
            first = int(short[0])
            yield Finding(
                level="error" if is_bad else "warning",
                rule="shelves-short",
                where=names_of([site.racks.names[rack] for rack in short]),
                key=f"{site.racks.place[first]}.power_shelves",
                text=f"power shelves of {watts(rating_w[first])} for computers and switches that "
                f"draw {watts(power_w[first])} {text}",
                hint="add power_shelves, or take a larger model",
            )
            return


def unused(site: SiteModel) -> Iterator[Finding]:
    """Feeds and branches that nothing hangs on, not even as its second source."""
    used = {above for branch in site.branches for above in (branch.parent, branch.standby)}
    for group in site.groups:
        if KINDS[group.kind].role not in ("measures", "source"):
            used.update(int(index) for index in (*group.branch, *group.standby_branch))
        elif KINDS[group.kind].role == "source":
            own = [i for i in group.branch if site.branches[i].kind != group.kind]
            used.update(int(index) for index in own)
    for index, branch in enumerate(site.branches):
        if index in used:
            continue
        is_source = branch.parent == NO_INDEX
        yield Finding(
            level="warning" if is_source else "note",
            rule="unused-feed" if is_source else "unused-branch",
            where=_where(site, index, key=False),
            key=_where(site, index, key=False),
            text="feeds nothing" + (", not even as a second source" if is_source else ""),
            hint=f'name it in a fed_by: fed_by = "{branch.name}"' if is_source else "",
        )


def _overloaded(site: SiteModel, flows: Flows, index: int) -> Finding:
    branch = site.branches[index]
    return Finding(
        level="error",
        rule="overload",
        where=_where(site, index),
        key=_key(site, index),
        text=f"carries at least {watts(float(flows.least_w[index]))} even with every cap at its "
        f"lowest, above its {_rated(site, index)} {watts(branch.rating_w)}",
        hint="feed less from it, or raise the rating if the hardware has it",
    )


def _work_lost(
    site: SiteModel, flows: Flows, index: int, work_left: WorkLeft | None
) -> Iterator[Finding]:
    """The rating costs work: an error for what has no thermal reserve, else a warning."""
    branch, share = site.branches[index], float(flows.share[index])
    need_w = float(flows.fixed_w[index] + flows.others_least_w[index] + flows.racks_full_w[index])
    in_line = _is_in_line(branch)
    if work_left is not None and not in_line and 1.0 - work_left(share) < NOTICED_FRAC:
        return
    yield Finding(
        level="error" if in_line else "warning",
        rule="ups-small" if in_line else "work-lost",
        where=_where(site, index),
        key=_key(site, index),
        text=f"{watts(branch.rating_w)} for {watts(need_w)} at full power: its computers are held "
        f"to {share:.0%} of full power{_loss(share, work_left)}",
        hint="give it a larger rating if the hardware has it, or feed less from it",
        suggest=_suggestion(branch, need_w),
    )


def _held(
    site: SiteModel, flows: Flows, index: int, pods_w: float, work_left: WorkLeft | None
) -> Finding:
    """More can be asked for than fits, but control can hold it without touching the computers."""
    branch = site.branches[index]
    least_w, full_w = float(flows.least_w[index]), float(flows.racks_full_w[index])
    wanted_w = _chargers_below(site, flows, index)
    chargers_w = min(wanted_w, branch.rating_w - least_w)
    if branch.parent != NO_INDEX and full_w > 0.0 and pods_w + chargers_w > branch.rating_w:
        left = max(0.0, full_w - (pods_w + chargers_w - branch.rating_w)) / full_w
        if chargers_w > 0.0 and left < 1.0 - NOTICED_FRAC:
            return Finding(
                level="warning",
                rule="shared-with-chargers",
                where=_where(site, index),
                key=_key(site, index),
                text=f"{watts(branch.rating_w)} for pods of {watts(pods_w)} and chargers that may "
                f"take {watts(wanted_w)}: with all posts busy the pods are held to {left:.0%} of "
                f"full power{_loss(left, work_left)}",
                hint="give the chargers a branch of their own, or a breaker that holds them",
            )
    name = "limit" if branch.parent == NO_INDEX else "rating"
    return Finding(
        level="note",
        rule="held-by-control",
        where=_where(site, index),
        key=_key(site, index),
        text=f"may be asked for {watts(float(flows.direct_w[index]))}, above its {name} "
        f"{watts(branch.rating_w)}: control holds it, and can go down to {watts(least_w)}",
    )


def _chargers_below(site: SiteModel, flows: Flows, index: int) -> float:
    """The most that loads outside racks which can be held (no batteries) may take of a branch."""
    most = np.zeros(len(site.branches))
    for group in site.groups:
        kind = KINDS[group.kind]
        if kind.role == "load" and not kind.is_fixed and (group.rack == NO_INDEX).all():
            np.add.at(most, group.branch, kind.range_w(group.model)[1])
    for branch in range(len(site.branches) - 1, index, -1):
        most[branch] = min(most[branch], site.branches[branch].rating_w)
        above = flows.source[branch]
        if above != NO_INDEX:
            most[above] += most[branch]
    return float(most[index])


def _lost_one_by_one(site: SiteModel) -> Sequence[int]:
    """Branches whose loss makes something change over: those that are a normal source of it."""
    with_second = [branch.parent for branch in site.branches if branch.standby != NO_INDEX]
    for group in site.groups:
        if KINDS[group.kind].consumes:
            has = group.standby_branch != NO_INDEX
            with_second += [int(index) for index in np.unique(group.branch[has])]
    above: set[int] = set()
    for index in with_second:
        while index != NO_INDEX and index not in above:
            above.add(index)
            index = site.branches[index].parent
    return sorted(above)


def _is_cut_here(flows: Flows, index: int) -> bool:
    """Whether the branch itself takes power from the computers, not only one below it."""
    below = np.flatnonzero(flows.source == index)
    brought = float(flows.racks_full_w[index]) - sum(
        float(flows.racks_full_w[b] - flows.racks_most_w[b]) for b in below
    )
    return float(flows.racks_most_w[index]) < brought * (1.0 - 1e-9)


def _loss(share: float, work_left: WorkLeft | None) -> str:
    if work_left is None or share >= 1.0:
        return ""
    return f", which costs {1.0 - work_left(share):.0%} of their work"


def _is_in_line(branch: Branch) -> bool:
    return branch.kind in KINDS and KINDS[branch.kind].protects


def _rated(site: SiteModel, index: int) -> str:
    return "limit" if site.branches[index].parent == NO_INDEX else "rating"


def _suggestion(branch: Branch, need_w: float) -> str:
    """The next usual rating, as the file would say it."""
    if isinstance(branch.entry, Transformer):
        fits = [rating for rating in RATINGS_VA if rating >= need_w]
        return f"rating_va = {fits[0]:g}" if fits else ""
    if not hasattr(branch.entry, "rating_a"):
        return ""
    need_a = need_w / branch.rating_w * branch.rating_a
    fits_a = [rating for rating in RATINGS_A if rating >= need_a]
    return f"rating_a = {fits_a[0]}" if fits_a else ""


def _key(site: SiteModel, index: int) -> str:
    return _where(site, index)


def _where(site: SiteModel, index: int, key: bool = True) -> str:
    """A branch by its place in the file, with the key that rates it."""
    branch = site.branches[index]
    if branch.kind == "grid":
        table = "grid" if site.file.grid is not None else f"feed.{branch.name}"
        return f"{table}.import_max_w" if key else table
    pod, _, name = branch.name.rpartition("/")
    place = f"pod.{pod}.{branch.kind}.{name}" if pod else f"{branch.kind}.{name}"
    if not key:
        return place
    if isinstance(branch.entry, Transformer):
        return f"{place}.rating_va"
    return f"{place}.rating_a" if hasattr(branch.entry, "rating_a") else place
