"""What `demo` copies: real files out of installed packages, with their source and licence as that source states them.

Only what a source says is recorded. A field nobody knows (a data steward, a retention schedule) stays absent, so the
records stay drafts. docs/why/demo-data.md tells how the files were chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Selection:
    """Files of a package by a glob pattern relative to its folder, and the dataset's subfolder they go to."""

    pattern: str
    into: str = ""


@dataclass(frozen=True)
class Collection:
    """One dataset of the demonstration: where its files come from, and what is known about them."""

    folder: str
    package: str
    distribution: str
    selections: tuple[Selection, ...]
    licence_statement: str
    record: Mapping[str, Any]


PROJECT_RECORD: Mapping[str, Any] = {
    "project_title": "Demonstration: real, openly licensed research data",
    "project_description": (
        "Four small datasets from ecology, climate science and neuroimaging, copied unchanged from Python packages "
        "that ship them. Each dataset states its source and its licence. Remove the folder when you no longer need "
        "it."
    ),
    "keywords": ["demonstration", "ecology", "climate", "neuroimaging"],
}

_CMIP6 = "data/timeseries/CMIP6/CMIP/MPI-M"
_RUN = "historical/r1i1p1f1"

PENGUINS = Collection(
    folder="palmer_penguins",
    package="palmerpenguins",
    distribution="palmerpenguins",
    selections=(Selection("data/penguins*.csv"),),
    licence_statement=(
        "The package states: “Data are available by CC-0 license in accordance with the Palmer Station LTER Data "
        "Policy and the LTER Data Access Policy for Type I data.”"
    ),
    record={
        "dataset_title": "Size measurements of adult penguins near Palmer Station, Antarctica",
        "dataset_abstract": (
            "Size measurements, clutch observations and blood isotope ratios of 344 adult foraging Adélie, chinstrap "
            "and gentoo penguins, observed from 2007 to 2009 on islands in the Palmer Archipelago near Palmer "
            "Station. Collected by Kristen Gorman and the Palmer Station Long Term Ecological Research programme."
        ),
        "creators": [
            {
                "@type": "Person",
                "name": "Kristen B. Gorman",
                "given_name": "Kristen B.",
                "family_name": "Gorman",
                "orcid": "https://orcid.org/0000-0002-0258-9264",
            }
        ],
        "license": "CC0-1.0",
        "access_level": "public",
        "keywords": ["penguins", "Pygoscelis", "morphometry", "stable isotopes", "Antarctica"],
        "languages": ["en"],
        "spatial_coverage": [{"place_name": "Palmer Archipelago, Antarctica"}],
        "temporal_coverage": {"start": "2007", "end": "2009"},
        "related_identifiers": [
            {"identifier": "10.1371/journal.pone.0090081", "scheme": "DOI", "relation": "IsDocumentedBy"}
        ],
    },
)

CLIMATE = Collection(
    folder="air_temperature_mpi_esm",
    package="esmvaltool_sample_data",
    distribution="esmvaltool-sample-data",
    selections=(
        Selection(f"{_CMIP6}/MPI-ESM1-2-LR/{_RUN}/Amon/ta/gn/*/*.nc", "MPI-ESM1-2-LR/monthly"),
        Selection(f"{_CMIP6}/MPI-ESM1-2-LR/{_RUN}/day/ta/gn/*/*.nc", "MPI-ESM1-2-LR/daily"),
        Selection(f"{_CMIP6}/MPI-ESM1-2-HR/{_RUN}/Amon/ta/gn/*/*_19[5-7]*.nc", "MPI-ESM1-2-HR/monthly"),
    ),
    licence_statement=(
        "The header of every file states: “CMIP6 model data produced by MPI-M is licensed under a Creative Commons "
        "Attribution ShareAlike 4.0 International License”; the package states CC-BY-SA 4.0 for its data."
    ),
    record={
        "dataset_title": "Air temperature of the MPI-ESM1.2 historical simulations (CMIP6), a few grid cells",
        "dataset_abstract": (
            "Monthly and daily air temperature at two pressure levels and a few grid cells, cut out of the "
            "historical CMIP6 simulations (variant r1i1p1f1) of the models MPI-ESM1-2-LR and MPI-ESM1-2-HR by the "
            "ESMValTool project as sample data."
        ),
        "creators": [{"@type": "Organization", "name": "Max Planck Institute for Meteorology"}],
        "license": "CC-BY-SA-4.0",
        "access_level": "public",
        "keywords": ["CMIP6", "air temperature", "historical simulation", "MPI-ESM"],
        "languages": ["en"],
        "temporal_coverage": {"start": "1950-01", "end": "2014-12"},
        "related_identifiers": [{"identifier": "10.1029/2018MS001400", "scheme": "DOI", "relation": "IsDocumentedBy"}],
    },
)

PHANTOM = Collection(
    folder="mri_phantom",
    package="nibabel",
    distribution="nibabel",
    selections=(
        Selection("tests/data/Phantom_EPI_3mm_*.PAR", "orientations"),
        Selection("tests/data/phantom_EPI_asc_CLEAR_2_1.*"),
    ),
    licence_statement=(
        "The package's COPYING states that these files are from psydata.ovgu.de/philips_achieva_testfiles and "
        "released under the PDDL version 1.0."
    ),
    record={
        "dataset_title": "Echo-planar images of an MRI phantom on a Philips Achieva scanner",
        "dataset_abstract": (
            "Headers (PAR) of echo-planar scans of a phantom in ten slice orientations, and one scan with its image "
            "data (REC), as exported by a Philips Achieva scanner in its research format. No person was scanned."
        ),
        "license": "PDDL-1.0",
        "access_level": "public",
        "keywords": ["MRI", "phantom", "echo-planar imaging", "PAR/REC"],
        "languages": ["en"],
    },
)

VOLUMES = Collection(
    folder="neuroimaging_formats",
    package="nibabel",
    distribution="nibabel",
    selections=(
        Selection("tests/data/anatomical.nii", "nifti"),
        Selection("tests/data/functional.nii", "nifti"),
        Selection("tests/data/example*.nii.gz", "nifti"),
        Selection("tests/data/minc[12]_4d.mnc", "minc"),
        Selection("gifti/tests/data/rh.shape.curv.gii", "gifti"),
    ),
    licence_statement=(
        "The package's COPYING states that the nibabel package, including all examples, is covered by the MIT "
        "licence, and names no exception for these files."
    ),
    record={
        "dataset_title": "Small volumes and surfaces in the file formats of neuroimaging",
        "dataset_abstract": (
            "Subsampled anatomical and functional magnetic resonance volumes in NIfTI-1, NIfTI-2 and MINC, and a "
            "surface measure in GIFTI, with which the NiBabel project tests its readers."
        ),
        "creators": [{"@type": "Organization", "name": "NiBabel developers", "url": "https://nipy.org/nibabel/"}],
        "license": "MIT",
        "access_level": "public",
        "keywords": ["neuroimaging", "NIfTI", "MINC", "GIFTI"],
        "languages": ["en"],
    },
)

COLLECTIONS: tuple[Collection, ...] = (PENGUINS, CLIMATE, PHANTOM, VOLUMES)
