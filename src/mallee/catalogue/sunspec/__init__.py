"""SunSpec information models as data, and how their points become numbers and back.

Standard models come from the JSON files of the SunSpec Alliance (package ``pysunspec2``); vendor
models are files of the same form beside this one. Sources: SunSpec Device Information Model
Specification (types, scale factors, values that mean "not implemented").
"""

from mallee.catalogue.sunspec.models import SunSpecModel, SunSpecPoint, load_sunspec
from mallee.catalogue.sunspec.values import (
    EXPONENT_MAX,
    NUMBERS,
    NumberType,
    decode_number,
    decode_string,
    encode_number,
    encode_string,
    missing_bytes,
)

__all__ = [
    "EXPONENT_MAX",
    "NUMBERS",
    "NumberType",
    "SunSpecModel",
    "SunSpecPoint",
    "decode_number",
    "decode_string",
    "encode_number",
    "encode_string",
    "load_sunspec",
    "missing_bytes",
]
