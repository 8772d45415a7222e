"""Makes plans again and again: programmes by shape, one warm solver, the last good plan."""

from dataclasses import dataclass, field

from mallee.optimize.either_or import Conflict, conflicts, decide, settle
from mallee.optimize.inputs import Problem
from mallee.optimize.lp import Numbers
from mallee.optimize.mistakes import checked
from mallee.optimize.programme import Programme, programme_of, shape_of
from mallee.optimize.read_out import schedule_of
from mallee.optimize.schedule import Schedule
from mallee.optimize.solver import Answer, Solver

ROUNDS_MAX = 6
"""Rounds of binaries; each adds the steps that newly conflict."""
SHAPES_MAX = 64
"""Programmes kept: twelve phases of the hour and what changes with the day's events."""


@dataclass(slots=True)
class Planner:
    """Solves one site's problems one after the other.

    Attributes:
        last_good: the newest plan that was proved; stands until its caller lets it expire.
        cold_count: how often a warm answer failed its proof and was solved again.
    """

    last_good: Schedule | None = None
    cold_count: int = 0
    _solver: Solver = field(default_factory=Solver)
    _programmes: dict[tuple[object, ...], Programme] = field(default_factory=dict)

    def plan(self, problem: Problem, *, explain: bool = True) -> Schedule:
        """The best schedule; always one, with what it could not keep named in it.

        Args:
            explain: also say what binds; costs half a millisecond.

        Raises:
            ConfigError: the problem's numbers are no numbers.
        """
        problem = checked(problem)
        programme = self._programme(problem)
        programme.fill(problem)
        answer = self._solver.solve(programme.pattern, programme.numbers)
        if answer.how != "warm":
            self.cold_count += 1
        open_steps = conflicts(programme, problem, answer.solution)
        if open_steps:
            answer = self._either_or(programme, problem, answer, open_steps)
        schedule = schedule_of(programme, problem, answer, explain=explain)
        if schedule.good:
            self.last_good = schedule
        return schedule

    def _programme(self, problem: Problem) -> Programme:
        shape = shape_of(problem)
        programme = self._programmes.get(shape)
        if programme is None:
            if len(self._programmes) >= SHAPES_MAX:
                self._programmes.clear()
            programme = self._programmes[shape] = programme_of(problem)
        return programme

    def _either_or(
        self, programme: Programme, problem: Problem, answer: Answer, open_steps: list[Conflict]
    ) -> Answer:
        """Decide the steps in conflict, and those that come to conflict because of it."""
        relaxed = programme.numbers.copy()
        known = list(open_steps)
        for round_ in range(ROUNDS_MAX):
            sides = decide(programme, relaxed, known, answer.solution)
            settled = relaxed.copy()
            settle(settled, known, sides)
            decided = self._solve_decided(programme, settled)
            programme.numbers = settled
            fresh = [c for c in conflicts(programme, problem, decided.solution) if c not in known]
            answer = decided
            if not fresh:
                break
            known += fresh
            if round_ == ROUNDS_MAX - 1:  # by where each leans; feasible, perhaps not the optimum
                settle(settled, fresh, [_leans(c, decided) for c in fresh])
                answer = self._solve_decided(programme, settled)
        programme.numbers = relaxed
        return answer

    def _solve_decided(self, programme: Programme, numbers: Numbers) -> Answer:
        answer = self._solver.solve(programme.pattern, numbers)
        return Answer(
            answer.solution,
            answer.row_dual,
            answer.proof,
            f"{answer.how}+either-or",
            answer.iterations,
        )


def _leans(conflict: Conflict, answer: Answer) -> bool:
    one = float(answer.solution[list(conflict.one)].sum())
    return one > float(answer.solution[list(conflict.other)].sum()) if conflict.other else True
