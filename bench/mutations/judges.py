"""Faults of those who judge: contract, clock, plausibility, read-back, verdict, campaign."""

from mutations import Mutant

CONTRACT = ("tests/site/test_compliance.py",)
CLOCK = ("tests/site/test_clock.py",)
READINGS = ("tests/runtime/test_schedule.py",)
CAMPAIGN = (
    "tests/simulation/test_campaign.py",
    "-k",
    "check or calm or work or trouble or longest",
)
REPORT = ("tests/reports",)

MUTANTS = (
    Mutant(
        "site/compliance.py",
        "-change_w - window.down_max_w",
        "change_w - window.down_max_w",
        CONTRACT,
        "a fall is never a ramp",
    ),
    Mutant(
        "site/compliance.py",
        "over_import=grid_w > (",
        "over_import=grid_w > 1.02 * (",
        CONTRACT,
        "two per cent for free",
    ),
    Mutant(
        "site/compliance.py",
        "over_export=-grid_w > (",
        "over_export=-grid_w > 1e12 + (",
        CONTRACT,
        "export is never seen",
    ),
    Mutant(
        "site/compliance.py",
        "excess_w > ramp_tolerance_w(feed)",
        "excess_w > 1e12",
        CONTRACT,
        "ramps are never judged",
    ),
    Mutant(
        "site/compliance.py",
        "excess_w > 1e-6 * feed.contracted_w",
        "excess_w > 0.02 * feed.contracted_w",
        CONTRACT,
        "a hidden tolerance",
    ),
    Mutant(
        "site/compliance.py",
        "range(1, max(round(ramp.window_s), 1) + 1)",
        "range(1, max(round(ramp.window_s), 1))",
        CONTRACT,
        "a window one second short",
    ),
    Mutant(
        "site/clock.py",
        "fold=fold) for fold in (0, 1))",
        "fold=0) for fold in (0, 1))",
        CLOCK,
        "the hour that comes twice is not noticed",
    ),
    Mutant("site/clock.py", "now.hour * 3600.0", "(now.hour + 1) * 3600.0", CLOCK, "an hour late"),
    Mutant("site/clock.py", "range(25)", "range(24)", CLOCK, "a day that ends at 23:00"),
    Mutant(
        "core/read_back.py",
        "time_s < sent.sent_s",
        "time_s < sent.sent_s - 100.0",
        READINGS,
        "a reading of before proves a write",
    ),
    Mutant(
        "core/read_back.py",
        "max(GRACE_POLLS * poll_s, GRACE_MIN_S)",
        "1e9",
        READINGS,
        "nothing is ever lost",
    ),
    Mutant(
        "core/read_back.py",
        "max(tolerance_frac * abs(value), unit.resolution)",
        "max(0.5 * abs(value), unit.resolution)",
        READINGS,
        "half of it is good enough",
    ),
    Mutant(
        "site/plausible.py",
        "WIDE_FRAC: Final = 3.0",
        "WIDE_FRAC: Final = 3000.0",
        READINGS,
        "kilowatts pass for watts",
    ),
    Mutant(
        "site/plausible.py",
        "-most_w if gives else",
        "0.0 if gives else",
        READINGS,
        "a battery that discharges is implausible",
    ),
    Mutant(
        "simulation/campaign/checks.py",
        "longest if longest > OVER_MAX_S else 0.0\n\n\ndef _over_export",
        "0.0\n\n\ndef _over_export",
        CAMPAIGN,
        "over the limit is never seen",
    ),
    Mutant(
        "simulation/campaign/checks.py",
        "((soc < low) | (soc > high)).sum()",
        "(soc < low).sum()",
        CAMPAIGN,
        "overcharged is never seen",
    ),
    Mutant(
        "simulation/campaign/checks.py",
        'event.kind == "command-clipped"',
        'event.kind == "never"',
        CAMPAIGN,
        "the guard hides what concerns ask",
    ),
    Mutant(
        "simulation/campaign/checks.py",
        "beyond = lost - forced_loss(seen.run) - LOST_SLACK",
        "beyond = lost - 1.0",
        CAMPAIGN,
        "any work may be lost",
    ),
    Mutant(
        "simulation/oracle.py",
        "if unhindered_w <= given_w:",
        "if True:",
        CAMPAIGN,
        "nothing is ever forced",
    ),
    Mutant(
        "reports/scale.py",
        "digits = max(0, -math.floor(math.log10(step) + 1e-9))",
        "digits = 0",
        REPORT,
        "axis labels repeat",
    ),
    Mutant(
        "reports/page.py",
        '("held", "Held") if page.held',
        '("held", "Held") if True',
        REPORT,
        "a verdict that is always good",
    ),
)
