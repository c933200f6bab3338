"""The units of laboratories as tables: which come first, how people write them, and what QUDT calls them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_COMMON = """
m km cm mm um nm pm Ao [in_i] [ft_i] [mi_i] [nmi_i] AU pc [ly]
m2 km2 cm2 mm2 um2 har b
m3 dm3 cm3 mm3 um3 L mL uL nL pL
s ms us ns ps fs min h d wk mo a
kg g mg ug ng pg t u ku
mol mmol umol nmol pmol fmol
mol/L mmol/L umol/L nmol/L pmol/L fmol/L mol/kg mol/m3
g/L mg/L ug/L ng/L g/mL mg/mL ug/mL ng/mL ng/uL pg/mL g/cm3 kg/m3 mg/m3 ug/m3 mg/kg ug/kg ng/g g/kg mg/g ug/g
K Cel [degF]
Pa hPa kPa MPa GPa bar mbar atm mm[Hg] [psi]
N mN uN nN pN N.m N/m
J mJ kJ MJ cal kcal eV meV keV MeV GeV erg W.h kW.h J/mol kJ/mol kcal/mol J/(kg.K) J/(mol.K)
W mW uW kW MW W/m2 mW/cm2 W/(m.K)
A mA uA nA pA V mV uV kV V/m Ohm kOhm MOhm GOhm S mS uS nS pS S/m mS/cm uS/cm F uF nF pF H mH C mC
T mT uT nT G Wb A/m
Hz kHz MHz GHz THz {rpm}
m/s km/h cm/s mm/s um/s m/s2 [g] rad/s deg/s
mL/min uL/min nL/min L/min L/h mL/h m3/s
deg ' '' rad mrad urad sr
cd lm lx umol/(m2.s)
Bq kBq MBq GBq Ci Gy mGy Sv mSv uSv
Pa.s mPa.s m2/s
% [ppth] [ppm] [ppb] [pptr] [pH] dB
U U/mL U/L U/mg kat nkat [IU] [IU]/mL [CFU] [CFU]/mL [PFU] [PFU]/mL
{cells} {cells}/mL {cells}/uL {copies} {copies}/uL {reads} {counts} {counts}/s {pixels} {base_pairs} {photons}
/m /cm /s /min /h /mL
[S] g/mol kg/mol
bit By kBy MBy GBy TBy bit/s MBy/s
W/(m2.sr) W/(m2.nm) J/m2 mJ/cm2 J/cm2
mm/d mm/h kg/(m2.s) g/m2 t/har mol/(m2.s) [NTU] [FNU]
"""
COMMON: Sequence[str] = tuple(_COMMON.split())

# Names of ours, where the tables have none or one that nobody would look for.
NAMES: Mapping[str, str] = {
    "m2": "square meter", "m3": "cubic meter", "har": "hectare", "b": "barn", "Ao": "ångström",
    "u": "dalton (unified atomic mass unit)", "ku": "kilodalton",
    "[in_i]": "inch", "[ft_i]": "foot", "[mi_i]": "mile", "[nmi_i]": "nautical mile", "[ly]": "light-year",
    "AU": "astronomical unit", "[degF]": "degree Fahrenheit", "mm[Hg]": "millimeter of mercury",
    "[psi]": "pound per square inch", "N.m": "newton meter", "W.h": "watt hour", "kW.h": "kilowatt hour",
    "J/(kg.K)": "joule per kilogram kelvin", "J/(mol.K)": "joule per mole kelvin",
    "W/(m.K)": "watt per meter kelvin", "W/(m2.sr)": "watt per square meter steradian",
    "W/(m2.nm)": "watt per square meter nanometer", "umol/(m2.s)": "micromole per square meter second",
    "mol/(m2.s)": "mole per square meter second", "kg/(m2.s)": "kilogram per square meter second",
    "Pa.s": "pascal second", "mPa.s": "millipascal second (centipoise)", "{rpm}": "revolutions per minute",
    "[g]": "standard acceleration of free fall (g)", "'": "arc minute", "''": "arc second", "deg": "degree (angle)",
    "[ppth]": "parts per thousand (per mille)", "[ppm]": "parts per million", "[ppb]": "parts per billion",
    "[pptr]": "parts per trillion", "dB": "decibel", "U": "enzyme unit", "U/mL": "enzyme unit per milliliter",
    "U/L": "enzyme unit per liter", "U/mg": "enzyme unit per milligram", "[IU]": "international unit",
    "[IU]/mL": "international unit per milliliter", "[CFU]": "colony forming units",
    "[CFU]/mL": "colony forming units per milliliter", "[PFU]": "plaque forming units",
    "[PFU]/mL": "plaque forming units per milliliter", "{cells}": "cells", "{cells}/mL": "cells per milliliter",
    "{cells}/uL": "cells per microliter", "{copies}": "copies", "{copies}/uL": "copies per microliter",
    "{reads}": "reads", "{counts}": "counts", "{counts}/s": "counts per second", "{pixels}": "pixels",
    "{base_pairs}": "base pairs", "{photons}": "photons", "[S]": "svedberg", "a": "year", "S": "siemens",
    "G": "gauss", "Ci": "curie", "By": "byte", "[NTU]": "nephelometric turbidity unit",
    "[FNU]": "formazin nephelometric unit", "%": "percent", "mo": "month", "t": "tonne", "Hz": "hertz",
    "Bq": "becquerel", "Gy": "gray", "Sv": "sievert", "K": "kelvin", "Pa": "pascal", "N": "newton", "L": "liter",
    "V": "volt", "W": "watt",
}  # fmt: skip

# What people write that is no code, or that UCUM would take for another unit.
ALIASES: Mapping[str, str] = {
    "°": "deg", "°C": "Cel", "℃": "Cel", "degC": "Cel", "deg C": "Cel", "°F": "[degF]", "℉": "[degF]", "degF": "[degF]",
    "°K": "K", "Å": "Ao", "\u212b": "Ao", "Angstrom": "Ao", "angstrom": "Ao", "micron": "um", "microns": "um",
    "Ω": "Ohm", "\u2126": "Ohm", "ohm": "Ohm", "kΩ": "kOhm", "MΩ": "MOhm", "GΩ": "GOhm", "Mohm": "MOhm", "kohm": "kOhm",
    "sec": "s", "secs": "s", "msec": "ms", "usec": "us", "mins": "min", "hr": "h", "hrs": "h", "days": "d", "day": "d",
    "weeks": "wk", "months": "mo", "yr": "a", "yrs": "a", "years": "a", "l": "L", "ml": "mL", "ul": "uL", "nl": "nL",
    "dl": "dL", "cc": "cm3", "M": "mol/L", "mM": "mmol/L", "uM": "umol/L", "nM": "nmol/L", "pM": "pmol/L",
    "fM": "fmol/L", "molar": "mol/L", "mg/ml": "mg/mL", "ug/ml": "ug/mL", "ng/ml": "ng/mL", "pg/ml": "pg/mL",
    "ng/ul": "ng/uL", "ml/min": "mL/min", "ul/min": "uL/min", "l/min": "L/min", "g/l": "g/L", "mg/l": "mg/L",
    "ug/l": "ug/L", "U/ml": "U/mL", "Da": "u", "amu": "u", "dalton": "u", "Dalton": "u", "kDa": "ku",
    "rpm": "{rpm}", "RPM": "{rpm}", "xg": "[g]", "×g": "[g]", "x g": "[g]", "× g": "[g]", "RCF": "[g]", "rcf": "[g]",
    "psi": "[psi]", "PSI": "[psi]", "mmHg": "mm[Hg]", "mm Hg": "mm[Hg]",
    "inch": "[in_i]", "ft": "[ft_i]", "mile": "[mi_i]", "miles": "[mi_i]", "ha": "har", "hectare": "har",
    "ppm": "[ppm]", "ppb": "[ppb]", "‰": "[ppth]", "pH": "[pH]", "IU": "[IU]", "IU/mL": "[IU]/mL",
    "IU/ml": "[IU]/mL", "CFU": "[CFU]", "cfu": "[CFU]", "CFU/mL": "[CFU]/mL", "CFU/ml": "[CFU]/mL", "PFU": "[PFU]",
    "PFU/mL": "[PFU]/mL", "PFU/ml": "[PFU]/mL", "cP": "mPa.s", "centipoise": "mPa.s", "NTU": "[NTU]", "FNU": "[FNU]",
    "Wh": "W.h", "kWh": "kW.h", "Nm": "N.m", "cells": "{cells}", "cells/mL": "{cells}/mL", "cells/ml": "{cells}/mL",
    "copies": "{copies}", "reads": "{reads}", "counts": "{counts}", "cps": "{counts}/s", "px": "{pixels}",
    "pixel": "{pixels}", "pixels": "{pixels}", "bp": "{base_pairs}", "arcmin": "'", "arcsec": "''", "kmh": "km/h",
    "km/hr": "km/h", "mph": "[mi_i]/h", "bytes": "By", "byte": "By", "kB": "kBy", "KB": "kBy", "MB": "MBy", "GB": "GBy",
    "TB": "TBy", "amp": "A", "amps": "A", "gauss": "G", "tonnes": "t", "ly": "[ly]", "tr/min": "{rpm}",
    "Celsius": "Cel", "celsius": "Cel", "Fahrenheit": "[degF]", "fahrenheit": "[degF]", "Kelvin": "K",
    "degree": "deg", "degrees": "deg",
}  # fmt: skip

# Names in QUDT's vocabulary of units; only those that are certain.
QUDT: Mapping[str, str] = {
    "m": "M", "km": "KiloM", "cm": "CentiM", "mm": "MilliM", "um": "MicroM", "nm": "NanoM", "pm": "PicoM",
    "Ao": "ANGSTROM", "m2": "M2", "m3": "M3", "L": "L", "mL": "MilliL", "uL": "MicroL",
    "s": "SEC", "ms": "MilliSEC", "us": "MicroSEC", "ns": "NanoSEC", "min": "MIN", "h": "HR", "d": "DAY", "wk": "WK",
    "kg": "KiloGM", "g": "GM", "mg": "MilliGM", "ug": "MicroGM", "mol": "MOL", "mmol": "MilliMOL", "umol": "MicroMOL",
    "mol/L": "MOL-PER-L", "g/L": "GM-PER-L", "kg/m3": "KiloGM-PER-M3", "mol/m3": "MOL-PER-M3",
    "K": "K", "Cel": "DEG_C", "[degF]": "DEG_F", "Pa": "PA", "hPa": "HectoPA", "kPa": "KiloPA", "MPa": "MegaPA",
    "bar": "BAR", "atm": "ATM", "[psi]": "PSI", "N": "N", "N.m": "N-M", "J": "J", "kJ": "KiloJ", "MJ": "MegaJ",
    "eV": "EV", "keV": "KiloEV", "MeV": "MegaEV", "W": "W", "kW": "KiloW", "mW": "MilliW", "W/m2": "W-PER-M2",
    "A": "A", "mA": "MilliA", "uA": "MicroA", "V": "V", "mV": "MilliV", "kV": "KiloV", "Ohm": "OHM", "S": "S",
    "S/m": "S-PER-M", "F": "FARAD", "H": "H", "C": "C", "T": "T", "mT": "MilliT", "Wb": "WB",
    "Hz": "HZ", "kHz": "KiloHZ", "MHz": "MegaHZ", "GHz": "GigaHZ", "m/s": "M-PER-SEC", "m/s2": "M-PER-SEC2",
    "deg": "DEG", "rad": "RAD", "sr": "SR", "cd": "CD", "lm": "LM", "lx": "LUX", "Bq": "BQ", "Gy": "GRAY",
    "Sv": "SV", "Pa.s": "PA-SEC", "%": "PERCENT", "[ppm]": "PPM", "dB": "DeciB", "bit": "BIT", "By": "BYTE",
    "kat": "KAT",
}  # fmt: skip
