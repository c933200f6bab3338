"""What each key of metadata-model.md means, by the kind of document it stands in."""

from __future__ import annotations

from collections.abc import Mapping

from scripts.make_contexts.shapes import (
    CHECKSUM,
    CONTACT,
    DATES,
    EU,
    IANA,
    MEASURE,
    REFERENCE,
    SUBJECT,
    Terms,
    iri,
    many,
    node,
    typed,
    uuid,
    words,
)  # fmt: skip

RECORD: Terms = {
    "$schema": iri("ff:schema"),
    "status": "ff:recordStatus",
    "metadata_language": "ff:metadataLanguage",
    "created_by": "ff:recordCreatedBy",
    "created_date": typed("ff:recordCreated", "dateTime"),
    "last_modified_by": "ff:recordModifiedBy",
    "last_modified_date": typed("ff:recordModified", "dateTime"),
    "derived_from": iri("prov:wasDerivedFrom"),
    "additional_properties": many(
        node(
            "schema:additionalProperty",
            name="schema:name",
            value="schema:value",
            unit="schema:unitText",
            property_iri=iri("schema:propertyID"),
        )
    ),
}

AGENTS: Terms = {
    "name": "foaf:name",
    "given_name": "foaf:givenName",
    "family_name": "foaf:familyName",
    "orcid": iri("owl:sameAs"),
    "ror": iri("owl:sameAs"),
    "email": words("foaf:mbox", "mailto:"),
    "url": iri("foaf:homepage"),
    "affiliations": many("schema:affiliation"),
    "identifiers": many(node("adms:identifier", value="skos:notation", scheme="adms:schemeAgency")),
}

SHARED: Terms = {
    "contributors": many(
        node(
            "prov:qualifiedAttribution",
            agent="prov:agent",
            role=words("dcat:hadRole", "https://w3id.org/fairfolder/terms#role-"),
        )
    ),
    "funding": many(
        node(
            "schema:funding",
            funder="schema:funder",
            award_number="schema:identifier",
            award_title="schema:name",
            award_uri=iri("schema:url"),
        )
    ),
    "keywords": many("dcat:keyword"),
    "related_identifiers": many(
        node(
            "dcat:qualifiedRelation",
            identifier="dct:identifier",
            scheme="ff:identifierScheme",
            iri=iri("dct:relation"),
            relation=words("dcat:hadRole", "https://w3id.org/fairfolder/terms#relation-"),
            relation_type_information="rdfs:comment",
            resource_type="ff:relatedResourceType",
            title="dct:title",
        )
    ),
    "variables": many(
        node(
            "schema:variableMeasured",
            name="schema:name",
            description="schema:description",
            data_type="ff:dataType",
            property_iri=iri("schema:propertyID"),
            unit="schema:unitText",
            unit_iri=iri("schema:unitCode"),
            min="schema:minValue",
            max="schema:maxValue",
            missing_value="ff:missingValue",
            file_identifier=uuid("ff:inFile"),
        )
    ),
}

PROJECT: Terms = {
    "project_title": "dct:title",
    "project_description": "dct:description",
    "principal_investigator": "ff:principalInvestigator",
    "institution": "schema:parentOrganization",
    "laboratory": "schema:department",
    "project_dates": node("dct:temporal", **DATES),
    "project_status": "ff:projectStatus",
    "data_collection_method": "ff:dataCollectionMethod",
    "data_storage_strategy": "ff:dataStorageStrategy",
}

ADMINISTRATIVE: Terms = {
    "associated_project_identifier": uuid("prov:wasGeneratedBy"),
    "dataset_title": "dct:title",
    "alternative_titles": many(
        node("ff:alternativeTitle", title="dct:title", type="ff:titleType", language="ff:titleLanguage")
    ),
    "dataset_abstract": "dct:description",
    "creators": many("dct:creator"),
    "rights_holder": "dct:rightsHolder",
    "data_steward": node("dcat:contactPoint", **CONTACT),
    "publisher": "dct:publisher",
    "resource_type": "ff:resourceType",
    "resource_type_general": "ff:resourceTypeGeneral",
    "license": words("dct:license", "http://spdx.org/licenses/"),
    "license_title": "ff:licenseTitle",
    "rights_statement": "ff:rightsStatement",
    "access_level": words(
        "dct:accessRights",
        public=f"{EU}access-right/PUBLIC",
        embargoed=f"{EU}access-right/RESTRICTED",
        restricted=f"{EU}access-right/RESTRICTED",
        confidential=f"{EU}access-right/NON_PUBLIC",
    ),
    "embargo_end_date": typed("dct:available", "date"),
    "access_conditions": "ff:accessConditions",
    "access_contact": "ff:accessContact",
    "subjects": many(node("dcat:theme", **SUBJECT)),
    "languages": many("ff:dataLanguage"),
    "spatial_coverage": many(
        node(
            "dct:spatial",
            place_name="rdfs:label",
            iri=iri("skos:exactMatch"),
            west="ff:west",
            south="ff:south",
            east="ff:east",
            north="ff:north",
            longitude="ff:longitude",
            latitude="ff:latitude",
        )
    ),
    "temporal_coverage": node("dct:temporal", start="ff:start", end="ff:end"),
    "conforms_to": many(node("dct:conformsTo", **REFERENCE)),
    "methods": "ff:methods",
    "provenance_statement": "ff:provenanceStatement",
    "version_notes": "adms:versionNotes",
    "dataset_version": "dcat:version",
    "ethics_approvals": many(node("ff:ethicsApproval", **REFERENCE)),
    "consent_framework": "ff:consentFramework",
    "sensitivity": "ff:sensitivity",
    "anonymization_method": "ff:anonymizationMethod",
    "data_retention_schedule": node(
        "ff:retentionSchedule",
        period=typed("ff:retentionPeriod", "duration"),
        keep_until=typed("ff:keepUntil", "date"),
        start_event="ff:retentionStart",
        action="ff:retentionAction",
        basis="ff:retentionBasis",
        legal_hold="ff:legalHold",
    ),
    "preservation_location": "ff:preservationLocation",
    "documentation": many(node("foaf:page", **REFERENCE)),
    "recommended_citation": "dct:bibliographicCitation",
}

STRUCTURAL: Terms = {
    "file_descriptions": many("dcat:distribution"),
    "file_count": "ff:fileCount",
    "total_size_bytes": typed("ff:totalSize", "nonNegativeInteger"),
    "formats": many(
        node(
            "ff:formatSummary",
            name="rdfs:label",
            count="ff:fileCount",
            size_bytes=typed("ff:totalSize", "nonNegativeInteger"),
        )
    ),
    "scope": "ff:scope",
    "structure_description": "ff:structureDescription",
    "naming_convention": "ff:namingConvention",
    "data_dictionary": node("ff:dataDictionary", **REFERENCE),
    "software_to_read": many(
        node("ff:softwareToRead", name="schema:name", version="schema:softwareVersion", url=iri("schema:url"))
    ),
}
RUNS: Terms = {
    "runs": many(
        node(
            "ff:finishedRun",
            run_id=uuid("ff:ofRun"),
            run_label="ff:runLabel",
            complete_metadata="ff:completeMetadata",
            revision="ff:revision",
            sha256="ff:sha256",
            finalized_date=typed("prov:generatedAtTime", "dateTime"),
        )
    ),
}

FILE: Terms = {
    "path": "ff:path",
    "path_encoding": "ff:pathEncoding",
    "file_name": "dct:title",
    "extension": "ff:extension",
    "size_bytes": typed("dcat:byteSize", "nonNegativeInteger"),
    "permissions": "ff:permissions",
    "modified_utc": typed("dct:modified", "dateTime"),
    "metadata_changed_utc": typed("ff:metadataChanged", "dateTime"),
    "created_utc": typed("dct:created", "dateTime"),
    "checksum": node("spdx:checksum", **CHECKSUM),
    "mime_type": words("dcat:mediaType", IANA),
    "compression": words("dcat:compressFormat", IANA),
    "encoding": "ff:characterEncoding",
    "format": node(
        "dct:format", name="rdfs:label", version="ff:formatVersion", iri="@id", edam_iri=iri("skos:exactMatch")
    ),
    "dimensions": many(node("ff:dimension", axis="ff:axis", size="ff:size", unit="schema:unitText")),
    "number_of_records": "ff:numberOfRecords",
    "bit_depth": "ff:bitDepth",
    "channels": "ff:channels",
    "duration_seconds": "ff:durationSeconds",
    "instrument_metadata": many(
        node(
            "ff:instrumentMetadata",
            name="schema:name",
            value="schema:value",
            unit="schema:unitText",
            source="ff:headerSource",
        )
    ),
    "description": "dct:description",
    "extraction": node(
        "ff:extraction", extractor="schema:name", version="schema:softwareVersion", warnings=many("ff:warning")
    ),
    "data_object_version": "ff:dataObjectVersion",
    "complete_metadata": "ff:completeMetadata",
    "state": "ff:fileState",
    "first_seen": typed("ff:firstSeen", "dateTime"),
    "missing_since": typed("ff:missingSince", "dateTime"),
    "previous_checksums": many(node("ff:previousChecksum", **CHECKSUM, replaced_date=typed("ff:replaced", "dateTime"))),
}

INSTRUMENT: Terms = {
    "instrument_identifier": "dct:identifier",
    "landing_page": iri("foaf:page"),
    "instrument_name": "dct:title",
    "owners": many("ff:owner"),
    "manufacturers": many("schema:manufacturer"),
    "instrument_types": many(node("dct:type", **SUBJECT)),
    "model": node("schema:model", name="schema:name", identifier="schema:identifier"),
    "description": "dct:description",
    "measured_variables": many(node("ff:measures", **SUBJECT)),
    "serial_number": "schema:serialNumber",
    "alternate_identifiers": many(node("adms:identifier", value="skos:notation", type="ff:identifierType")),
    "hardware_specifications": many(node("ff:hardwareSpecification", **MEASURE)),
    "firmware_version": "ff:firmwareVersion",
    "instrument_location": "ff:instrumentLocation",
    "calibration_log": node("ff:calibrationLog", **REFERENCE),
    "last_calibration_date": typed("ff:lastCalibration", "date"),
    "dates_in_service": node("ff:inService", **DATES),
}

EXPERIMENT: Terms = {
    "outputs": many(uuid("prov:generated")),
    "data_files": many("ff:dataFile"),
    "run_type": words("dct:type", "https://w3id.org/fairfolder/terms#run-"),
    "experiment_name": "dct:title",
    "experiment_dates": node("dct:temporal", **DATES),
    "started_at": typed("prov:startedAtTime", "dateTime"),
    "ended_at": typed("prov:endedAtTime", "dateTime"),
    "experimenters": many("prov:wasAssociatedWith"),
    "protocol_references": many(node("prov:used", **REFERENCE)),
    "no_protocol_reason": "ff:noProtocolReason",
    "protocol_deviations": "ff:protocolDeviations",
    "inputs": many(node("prov:used", file_identifier=uuid("ff:inFile"), **REFERENCE)),
    "sample_identifiers": many(
        node(
            "prov:used",
            sample_identifier="dct:identifier",
            scheme="ff:identifierScheme",
            iri="@id",
            label="rdfs:label",
        )
    ),
    "sample_source": "ff:sampleSource",
    "sample_treatments": "ff:sampleTreatments",
    "sample_preparation": "ff:samplePreparation",
    "instruments_used": many(uuid("prov:used")),
    "instrument_settings": many(node("ff:instrumentSetting", **MEASURE)),
    "software_used": many(
        node(
            "prov:used",
            name="schema:name",
            version="schema:softwareVersion",
            url=iri("schema:url"),
            purpose="ff:purpose",
        )
    ),
    "software_parameters": many(node("ff:softwareParameter", **MEASURE)),
    "scripts": many(node("ff:script", **REFERENCE)),
    "command_line": "ff:commandLine",
    "environment": node("ff:environment", container="ff:container", lock_file="ff:lockFile", commit="ff:commit"),
    "reagents": many(
        node(
            "ff:reagent",
            name="schema:name",
            manufacturer="ff:manufacturerName",
            catalog_number="ff:catalogNumber",
            lot_number="ff:lotNumber",
            expiry_date=typed("ff:expires", "date"),
        )
    ),
    "qc_metrics": many(node("dqv:hasQualityMeasurement", **{**MEASURE, "name": "rdfs:label", "value": "dqv:value"})),
    "qc_assessment": "ff:qcAssessment",
    "notes": "rdfs:comment",
}

COMPLETE: Terms = {
    "metadata_version": "ff:metadataVersion",
    "data_object_identifier": uuid("dct:isVersionOf"),
    "revision": "ff:revision",
    "revision_of": iri("prov:wasRevisionOf"),
    "generated_by": "ff:recordGeneratedBy",
    "generated_date": typed("prov:generatedAtTime", "dateTime"),
    "project": "prov:wasGeneratedBy",
    "dataset": "dct:isPartOf",
    "instruments": many("ff:instrument"),
    "experiment": "prov:wasGeneratedBy",
    "sources": many(node("ff:source", path="ff:path", path_encoding="ff:pathEncoding", sha256="ff:sha256")),
    "completeness": node(
        "ff:completeness",
        required="ff:requiredFields",
        present="ff:presentFields",
        required_missing=many("ff:requiredMissing"),
        recommended_missing=many("ff:recommendedMissing"),
        drafts=many("ff:drafts"),
    ),
}

PUBLICATION: Terms = {
    "doi": iri("ff:doi"),
    "date_published": typed("dct:issued", "dateTime"),
    "version_published": typed("ff:versionPublished", "dateTime"),
    "publication_state": "ff:publicationState",
    "previous_version": iri("dcat:previousVersion"),
    "withdrawn_date": typed("ff:withdrawn", "dateTime"),
    "withdrawal_reason": "ff:withdrawalReason",
    "data_objects": {"@reverse": "dct:isPartOf"},
    "file_identifiers": many(uuid("prov:hadMember")),
}


def _only(terms: Terms, *keys: str) -> Terms:
    return {key: terms[key] for key in keys}


def _but(terms: Terms, *keys: str) -> Terms:
    return {key: term for key, term in terms.items() if key not in keys}


_WORK = _but(SHARED, "variables")
KINDS: Mapping[str, Terms] = {
    "project_descriptive": {**RECORD, **AGENTS, **_WORK, **PROJECT},
    "dataset_administrative": {**RECORD, **AGENTS, **_WORK, **ADMINISTRATIVE},
    "dataset_structural": {
        **_but(RECORD, "derived_from", "status"),
        **_only(SHARED, "variables"),
        **_only(ADMINISTRATIVE, "associated_project_identifier"),
        **STRUCTURAL,
        **RUNS,
        **FILE,
    },
    "instrument_technical": {
        **_but(RECORD, "derived_from"),
        **_only(AGENTS, "name", "ror", "email", "url", "identifiers"),
        **_only(SHARED, "related_identifiers"),
        **INSTRUMENT,
    },
    "experiment_contextual": {**_but(RECORD, "derived_from"), **AGENTS, **EXPERIMENT},
}
WHOLE: Terms = {
    **RECORD, **AGENTS, **SHARED, **PROJECT, **ADMINISTRATIVE, **STRUCTURAL, **FILE, **INSTRUMENT, **EXPERIMENT,
    **COMPLETE,
}  # fmt: skip
