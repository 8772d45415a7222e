"""Faults of what the site file becomes: budget, sharing out, branches, worst-case flows."""

from mutations import Mutant

SHARING = ("tests/site/test_allocation.py",)
BUDGET = ("tests/control/test_learning.py", "tests/control/test_capacities.py")
CHECKS = ("tests/site/test_checks.py", "-k", "loads_add_up or losses_of_in_line or bottleneck")
FLOWS = ("tests/site/test_flows.py",)
CONTRACT = ("tests/site/test_contract.py",)


def _m(file: str, before: str, after: str, tests: tuple[str, ...], what: str) -> Mutant:
    return Mutant(f"site/{file}.py", before, after, tests, what)


MUTANTS = (
    _m(
        "allocation",
        "room_w -= tree.carried(branch, given_w)",
        "pass",
        SHARING,
        "the same watts given to everybody",
    ),
    _m(
        "allocation",
        "tree.path_min(share)[branch]",
        "share[branch]",
        SHARING,
        "branches above the first are not looked at",
    ),
    _m(
        "allocation",
        "ROUNDS_MAX = 6",
        "ROUNDS_MAX = 1",
        SHARING,
        "watts that one branch cannot use are lost",
    ),
    _m(
        "allocation",
        "left_w = np.maximum(room_w, 0.0)",
        "left_w = np.maximum(room_w, 1.0)",
        SHARING,
        "a watt where there is none",
    ),
    _m(
        "branch_tree",
        "for level in reversed(self.levels):",
        "for level in self.levels:",
        SHARING,
        "sums that stop after one level",
    ),
    _m(
        "branch_tree",
        "tighter = least[above] < least[level]",
        "tighter = least[above] <= least[level]",
        SHARING,
        "a feed is blamed for its breaker",
    ),
    _m(
        "budget",
        "self.fixed_w + self.plant_w + self.loss_w",
        "self.fixed_w + self.plant_w",
        BUDGET,
        "a budget without losses",
    ),
    _m(
        "budget",
        "RATING_USE_FRAC = 0.98",
        "RATING_USE_FRAC = 1.08",
        BUDGET,
        "branches planned above their rating",
    ),
    _m(
        "budget",
        "SHELF_EFFICIENCY_MIN = 0.94",
        "SHELF_EFFICIENCY_MIN = 1.0",
        BUDGET,
        "power shelves without losses",
    ),
    _m(
        "budget",
        "limit_w[carries_all] = np.inf",
        "pass",
        BUDGET,
        "a transformer that forgets its battery",
    ),
    _m(
        "budget",
        "kind.range_w(group.model)[0]",
        "0.0",
        BUDGET,
        "batteries without auxiliaries",
    ),
    _m(
        "flows",
        "used = load_w / entry.rating_va",
        "used = 0.0",
        CHECKS,
        "windings without load loss",
    ),
    _m(
        "flows",
        "racks_most[index] = max(held, racks_least[index])",
        "racks_most[index] = held",
        FLOWS,
        "racks held below their lowest caps",
    ),
    _m(
        "flows",
        "held = rating - fixed[index] - others_least[index]",
        "held = rating - fixed[index]",
        FLOWS,
        "what chargers hold at least is forgotten",
    ),
    _m(
        "contract",
        "slopes = [ramp.up_max_w / ramp.window_s for ramp in self.ramps]",
        "slopes = [ramp.up_max_w * ramp.window_s for ramp in self.ramps]",
        CONTRACT,
        "a ramp multiplied by its window",
    ),
    _m(
        "contract",
        "slopes = [ramp.down_max_w / ramp.window_s for ramp in self.ramps]",
        "slopes = [ramp.up_max_w / ramp.window_s for ramp in self.ramps]",
        CONTRACT,
        "falls by the rule of rises",
    ),
)
