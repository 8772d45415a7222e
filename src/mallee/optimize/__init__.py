"""Plans for the next day and the month's peak: forecasts in, bounds with reasons out. Pure.

`Planner` solves a `Problem` (one site over a horizon) into a `Schedule`; `exact` holds an
independent solution for batteries alone, `bill` an independent calculator of what a month costs.
"""
