"""Where billing exports are, and which engine asks them."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from aws_finops_mcp.settings.regions import known_region

_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w!'()*./=-]*)?")
GIB = 1024**3


MANAGED = "managed"
"""Results that Athena keeps itself: nothing is written into a bucket."""


class AthenaSettings(BaseModel):
    """Who asks an export in the place of DuckDB: a table of the Glue Data Catalog, through Amazon Athena."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database: str = Field(pattern=r"^[a-z0-9_-]{1,255}$")
    table: str = Field(pattern=r"^[a-z0-9_-]{1,255}$")
    workgroup: str = Field("primary", pattern=r"^[A-Za-z0-9._-]{1,128}$")
    results: str
    """Where Athena writes the rows of answers: s3://bucket/prefix, or `managed` for a workgroup that keeps them."""
    max_query_usd: Decimal = Field(Decimal("0.50"), gt=0, le=1000)
    """A question that could scan more than this costs is not asked."""

    @field_validator("results")
    @classmethod
    def _place(cls, results: str) -> str:
        if results != MANAGED and not _S3.fullmatch(results):
            raise ValueError(f"neither s3://bucket/prefix nor {MANAGED!r}, for a workgroup with managed query results")
        return results.rstrip("/")


class ExportSettings(BaseModel):
    """A billing export: AWS Data Exports' CUR 2.0 or FOCUS, in a folder of this host or in S3."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    location: str = Field(min_length=1, max_length=1000)
    """The export's folder: /srv/exports/finance, or s3://bucket/prefix/export-name."""
    kind: Literal["cur2", "focus"]
    """Cost and Usage Report 2.0, or FOCUS (1.0 or 1.2, with AWS columns)."""
    format: Literal["parquet", "csv"] = "parquet"
    """Parquet, or CSV (also gzipped)."""
    account: str = ""
    """Alias of the account whose credentials read the bucket; the first when empty."""
    region: str = ""
    """Region of the bucket; the server's own when empty."""
    athena: AthenaSettings | None = None
    """Ask Athena, where the export outgrows this host; DuckDB when not set."""

    @field_validator("location")
    @classmethod
    def _place(cls, location: str) -> str:
        if not _S3.fullmatch(location) and not Path(location).is_absolute():
            raise ValueError("neither an absolute folder, e.g. /srv/exports/finance, nor s3://bucket/prefix")
        return location.rstrip("/")

    @field_validator("region")
    @classmethod
    def _region(cls, region: str) -> str:
        return known_region(region) if region else region

    @model_validator(mode="after")
    def _athena_reads_s3(self) -> ExportSettings:
        if self.athena and not self.in_s3:
            raise ValueError("athena: Athena reads S3; location must be s3://bucket/prefix, the folder of its table")
        return self

    @property
    def in_s3(self) -> bool:
        return self.location.startswith("s3://")


class ExportLimits(BaseModel):
    """What questions about exports may use of this host."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    memory_bytes: int = Field(2 * GIB, ge=64 * 1024**2)
    """Memory of one question."""
    threads: int = Field(2, ge=1, le=256)
    """Threads of one question."""
    temp_bytes: int = Field(10 * GIB, ge=0)
    """Disk for what does not fit into memory, of one question."""
    cache_bytes: int = Field(20 * GIB, ge=0)
    """Disk for files read from S3, of all exports."""
