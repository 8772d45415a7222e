"""What a served SunSpec model says in the points that no catalogue entry maps.

A third-party client expects a complete model: phases beside totals, line-to-neutral beside
line-to-line voltages, ratings, states. Each entry is a constant or (another point, factor).
"""

import math
from typing import Final

_PHASE: Final = 1 / 3
_NEUTRAL: Final = 1 / math.sqrt(3)
_BUS_V: Final = 1200.0
"""DC voltage of the emulated battery: the middle of common 1,500 V systems."""

Fill = float | tuple[str, float]

FILL: Final[dict[str, Fill]] = {
    # 203: three-phase wye meter, phases alike.
    **{f"203.Aph{phase}": ("203.A", _PHASE) for phase in "ABC"},
    **{f"203.PhVph{pair}": ("203.PPV", 1.0) for pair in ("AB", "BC", "CA")},
    **{f"203.PhVph{phase}": ("203.PPV", _NEUTRAL) for phase in "ABC"},
    "203.PhV": ("203.PPV", _NEUTRAL),
    **{
        f"203.{total}ph{phase}": (f"203.{total}", _PHASE)
        for total in ("W", "VA", "VAR")
        for phase in "ABC"
    },
    "203.Evt": 0,
    # 701: inverter measurements.
    "701.ACType": 2,  # three phase
    "701.St": 1,  # on
    "701.ConnSt": 1,  # connected
    "701.Alrm": 0,
    "701.DERMode": 1,  # bit 0: grid following
    "701.LNV": ("701.LLV", _NEUTRAL),
    **{f"701.WL{phase}": ("701.W", _PHASE) for phase in (1, 2, 3)},
    **{f"701.VarL{phase}": ("701.Var", _PHASE) for phase in (1, 2, 3)},
    **{f"701.{pair}": ("701.LLV", 1.0) for pair in ("VL1L2", "VL2L3", "VL3L1")},
    **{f"701.VL{phase}": ("701.LLV", _NEUTRAL) for phase in (1, 2, 3)},
    # 702: ratings, from the two that the catalogue maps.
    "702.WMaxRtg": ("702.WDisChaRteMax", 1.0),
    "702.WChaRteMaxRtg": ("702.WChaRteMax", 1.0),
    "702.WDisChaRteMaxRtg": ("702.WDisChaRteMax", 1.0),
    "702.WMax": ("702.WDisChaRteMax", 1.0),
    "702.VNomRtg": ("701.LLV", 1.0),
    "702.CtrlModes": 0b1,  # bit 0: maximum active power
    # 704: controls that are off until somebody writes them.
    "704.PFWInjEna": 0,
    "704.PFWAbsEna": 0,
    "704.WMaxLimPctEna": 0,
    "704.WMaxLimPct": 100,
    "704.WMaxLimPctRvrt": 100,
    "704.WMaxLimPctEnaRvrt": 0,
    "704.WMaxLimPctRvrtTms": 0,
    "704.WMaxLimPctRvrtRem": 0,
    "704.WSetEna": 0,
    "704.WSetMod": 1,  # watts
    "704.WSetRvrt": 0,
    "704.WSetEnaRvrt": 0,
    "704.WSetRvrtTms": 0,
    "704.WSetRvrtRem": 0,
    "704.VarSetEna": 0,
    "704.AntiIslEna": 1,
    # 713: storage.
    "713.Sta": 0,  # no warnings
    # 715: heartbeat and remote control.
    "715.LocRemCtl": 0,  # remote
    "715.AlarmReset": 0,
    "715.OpCtl": 1,  # started
    # 802: battery bank on its DC bus.
    "802.AHRtg": ("713.WHRtg", 1 / _BUS_V),
    "802.WHRtg": ("713.WHRtg", 1.0),
    "802.WChaRteMax": ("702.WChaRteMax", 1.0),
    "802.WDisChaRteMax": ("702.WDisChaRteMax", 1.0),
    "802.SoC": ("713.SoC", 1.0),
    "802.SoH": ("713.SoH", 1.0),
    "802.SoCMax": 100,
    "802.SoCMin": 0,
    "802.LocRemCtl": 0,  # remote
    "802.AlmRst": 0,
    "802.Typ": 4,  # lithium ion
    "802.State": 3,  # connected
    "802.Evt1": 0,
    "802.Evt2": 0,
    "802.EvtVnd1": 0,
    "802.EvtVnd2": 0,
    "802.V": _BUS_V,
    "802.A": ("701.W", 1 / _BUS_V),
    "802.W": ("701.W", 1.0),
    "802.SetOp": 1,  # connect
    "802.SetInvState": 3,  # started
}

EXPONENTS: Final[dict[str, int]] = {
    "203.A_SF": -1,
    "203.V_SF": -1,
    "203.Hz_SF": -2,
    "203.W_SF": 2,  # full scale 3.3 MW; the meter changes range where a site is larger
    "203.VA_SF": 2,
    "203.VAR_SF": 2,
    "701.A_SF": -1,
    "701.V_SF": -1,
    "701.Hz_SF": -3,
    "701.PF_SF": -3,
    "701.Tmp_SF": -1,
    "702.V_SF": -1,
    "713.Pct_SF": -2,
    "802.SoC_SF": -2,
    "802.SoH_SF": -2,
    "802.V_SF": -1,
    "802.CellV_SF": -3,
    "802.A_SF": -1,
    "64901.W_SF": 1,  # 10 W steps, up to 21 GW
    "64901.Rmp_SF": -1,
    "64901.Tms_SF": -2,
    "64901.Tmp_SF": -1,
}
"""Scale factors that are not 0 from the start; see `SunSpecImage` for how they grow."""
