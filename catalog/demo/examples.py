"""Datasets of the demonstration that are published: real files, and around them people who are made up.

Only the files, their origin and their licences are as their sources state them. Each record says that the rest is
invented; the researcher with an ORCID is the fictitious one whom ORCID keeps for examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from catalog.demo.collections import CLIMATE, VOLUMES, Collection, Selection

_ESMVALTOOL, _NIBABEL = "https://github.com/ESMValGroup/ESMValTool_sample_data", "https://nipy.org/nibabel/"
_EMBARGO = timedelta(days=365)
_INVENTED = (
    "The files are copied unchanged from a Python package; the people, the publisher and the conditions of access are "
    "made up, to show how such a dataset is published."
)
_DESK = {"@type": "Organization", "name": "Demonstration data desk (made up)", "email": "data-desk@example.org"}
_PUBLISHER = {"@type": "Organization", "name": "Demonstration University (made up)"}
_CARBERRY = {
    "@type": "Person",
    "name": "Josiah Carberry",
    "given_name": "Josiah",
    "family_name": "Carberry",
    "orcid": "https://orcid.org/0000-0002-1825-0097",
}
_EXAMPLE = {"@type": "Person", "name": "Robin Example", "given_name": "Robin", "family_name": "Example"}
_COMMON: Mapping[str, Any] = {
    "data_steward": _DESK,
    "publisher": _PUBLISHER,
    "languages": ["en"],
    "data_retention_schedule": {"period": "P10Y", "start_event": "published", "action": "review"},
    "status": "complete",
}

PROJECT_RECORD: Mapping[str, Any] = {
    "project_title": "Demonstration: datasets that are published",
    "project_description": (
        "Four datasets that anybody finds in the public catalog: one open, one restricted, one under embargo and one "
        f"withdrawn. {_INVENTED}"
    ),
    "principal_investigator": _CARBERRY,
    "contributors": [{"agent": _EXAMPLE, "role": "ProjectMember"}],
    "keywords": ["demonstration"],
    "status": "complete",
}


@dataclass(frozen=True)
class Run:
    """A run of an example: its name, who did it, and the subfolder that holds its files, "" for all there are."""

    name: str
    experimenters: tuple[Mapping[str, Any], ...]
    folder: str = ""


@dataclass(frozen=True)
class Example:
    """A dataset that is published, and withdrawn after that where there is a reason; ``source`` is its files' home."""

    collection: Collection
    source: str
    runs: tuple[Run, ...]
    withdrawn: str = ""


def examples(today: date) -> tuple[Example, ...]:
    """All of them; the embargo ends a year from today."""
    embargo = (today + _EMBARGO).isoformat()
    return (
        Example(
            _OPEN,
            _ESMVALTOOL,
            (
                Run("Model output of 1980 to 1999", (_CARBERRY, _EXAMPLE), "1980-1999"),
                Run("Model output of 2000 to 2014", (_CARBERRY,), "2000-2014"),
            ),
        ),
        Example(_RESTRICTED, _NIBABEL, (Run("Volumes in MINC", (_EXAMPLE,)),)),
        Example(_with(_EMBARGOED, embargo_end_date=embargo), _NIBABEL, (Run("Surfaces in GIFTI", (_CARBERRY,)),)),
        Example(
            _WITHDRAWN,
            _NIBABEL,
            (Run("Streamlines", (_EXAMPLE,)),),
            "Withdrawn to show what stays of a dataset: this page, and the sentence that says why.",
        ),
    )


def _with(collection: Collection, **fields: Any) -> Collection:
    return replace(collection, record={**collection.record, **fields})


_HR = "data/timeseries/CMIP6/CMIP/MPI-M/MPI-ESM1-2-HR/historical/r1i1p1f1/Amon/ta/gn/*"

_OPEN = replace(
    CLIMATE,
    folder="air_temperature_1980_2014",
    selections=(Selection(f"{_HR}/*_19[89]*.nc", "1980-1999"), Selection(f"{_HR}/*_20*.nc", "2000-2014")),
    record={
        **CLIMATE.record,
        **_COMMON,
        "dataset_title": "Monthly air temperature of MPI-ESM1.2-HR, 1980 to 2014, a few grid cells",
        "dataset_abstract": (
            "Monthly air temperature at two pressure levels and a few grid cells, cut out of the historical CMIP6 "
            f"simulation (variant r1i1p1f1) of the model MPI-ESM1-2-HR by the ESMValTool project. {_INVENTED}"
        ),
        "contributors": [
            {"agent": _CARBERRY, "role": "DataCurator"},
            {"agent": _EXAMPLE, "role": "DataCollector"},
        ],
        "temporal_coverage": {"start": "1980-01", "end": "2014-12"},
    },
)


def _of_nibabel(folder: str, pattern: str, record: Mapping[str, Any]) -> Collection:
    selections = (Selection(pattern),)
    return replace(VOLUMES, folder=folder, selections=selections, record={**VOLUMES.record, **_COMMON, **record})


_RESTRICTED = _of_nibabel(
    "volumes_minc",
    "tests/data/*minc*_scale.mnc",
    {
        "dataset_title": "Small magnetic resonance volumes in MINC 1 and MINC 2",
        "dataset_abstract": (
            "Two small volumes with one scaling for all slices, with which the NiBabel project tests its readers of "
            f"the formats MINC 1 and MINC 2. {_INVENTED}"
        ),
        "creators": [_EXAMPLE, *VOLUMES.record["creators"]],
        "access_level": "restricted",
        "access_conditions": "For research only; this condition is made up to show a restricted dataset.",
        "access_contact": _DESK,
        "keywords": ["neuroimaging", "MINC"],
    },
)
_EMBARGOED = _of_nibabel(
    "surfaces_gifti",
    "gifti/tests/data/*64*.gii",
    {
        "dataset_title": "Small surfaces in GIFTI with encoded arrays",
        "dataset_abstract": (
            "Surfaces whose arrays are written in Base64, one of them compressed, with which the NiBabel project "
            f"tests its reader of the format GIFTI. {_INVENTED}"
        ),
        "creators": [_CARBERRY, *VOLUMES.record["creators"]],
        "access_level": "embargoed",
        "keywords": ["neuroimaging", "GIFTI"],
    },
)
_WITHDRAWN = _of_nibabel(
    "streamlines",
    "tests/data/standard.t?k",
    {
        "dataset_title": "Streamlines of a tractography in TRK and TCK",
        "dataset_abstract": (
            "A few streamlines in the formats of TrackVis and MRtrix, with which the NiBabel project tests its "
            f"readers. {_INVENTED}"
        ),
        "keywords": ["neuroimaging", "tractography"],
    },
)
