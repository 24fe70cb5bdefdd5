"""The truth about container images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.containers_rows import arn
from aws_finops_mcp.demo.families.family import Case, Family, Rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, REGIONS, US
from aws_finops_mcp.findings import Verdict

IDLE, IN_USE, TOO_NEW, EXEMPT, UNKNOWN = (
    Verdict.IDLE,
    Verdict.IN_USE,
    Verdict.TOO_NEW,
    Verdict.EXEMPT,
    Verdict.UNKNOWN,
)
_INDEX: Final = "application/vnd.oci.image.index.v1+json"
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_GIB: Final = 2**30
_PRICE: Final = 0.10

# Repository, region, tag or a word for an image without, days since push, days since pull (None: never), GiB,
# media type, the image that it is about, verdict, why.
_IMAGES: Final[tuple[tuple[str, str, str, int, int | None, float, str, str, Verdict, str], ...]] = (
    ("nw-web", US, "v1", 400, 200, 2.0, _MANIFEST, "", IDLE, "last pulled 200 days ago"),
    ("nw-web", US, "v2", 300, None, 0.5, _MANIFEST, "", IDLE, "never pulled"),
    ("nw-web", US, "-untagged", 300, 120, 1.0, _MANIFEST, "", IDLE, "untagged, and the repository has no index"),
    ("nw-web", US, "v3", 300, 10, 1.0, _MANIFEST, "", IN_USE, "pushed long ago, pulled lately"),
    ("nw-web", US, "v4", 20, None, 1.0, _MANIFEST, "", TOO_NEW, "pushed 20 days ago"),
    ("nw-web", US, "-signed", 300, None, 0.1, _MANIFEST, "v3", IN_USE, "the signature of an image in use"),
    ("nw-web", US, "-stale-signature", 300, None, 0.1, _MANIFEST, "v1", IDLE, "the signature of an unused image"),
    ("nw-checkout", US, "r40", 200, 150, 1.0, _MANIFEST, "", IN_USE, "a service's, whose tasks run since 150 days"),
    ("nw-checkout", US, "r12", 390, 380, 1.0, _MANIFEST, "", IN_USE, "a task of it still runs"),
    ("nw-checkout", US, "r13", 380, 370, 1.0, _MANIFEST, "", IDLE, "a revision that nothing runs"),
    ("nw-resizer", US, "live", 300, 300, 1.0, _MANIFEST, "", IN_USE, "a version of a function"),
    ("nw-multi", US, "latest", 300, 3, 1.0, _INDEX, "", IN_USE, "an index, pulled"),
    ("nw-multi", US, "-arm64", 300, None, 1.0, _MANIFEST, "", UNKNOWN, "perhaps a platform of the index"),
    ("nw-multi", US, "old", 300, 200, 1.0, _INDEX, "", IDLE, "an index that nobody pulls, of no size itself"),
    ("nw-base", US, "golden", 500, 400, 1.0, _MANIFEST, "", EXEMPT, "its repository is tagged so"),
    ("nw-web", EU, "v1", 400, 5, 2.0, _MANIFEST, "", IN_USE, "the same name in another region, pulled"),
    *((f"nw-bulk-{n:03}", EU, "v1", 300, 5, 0.1, _MANIFEST, "", IN_USE, "one repository of many") for n in range(101)),
    *(("nw-builds", EU, f"b{n:03}", 300, 5, 0.1, _MANIFEST, "", IN_USE, "one of many") for n in range(105)),
    ("nw-builds", EU, "zzz", 300, 299, 3.0, _MANIFEST, "", IDLE, "beyond the first page"),
)


def digest(repository: str, region: str, tag: str) -> str:
    """Of an image, by what it is called here."""
    return "sha256:" + sha256(f"{repository}/{region}/{tag}".encode()).hexdigest()


def image_of_task() -> dict[str, Any]:
    """The container of a task that runs an old revision."""
    image = f"{_uri('nw-checkout', US)}:r12"
    return {"name": "app", "image": image, "imageDigest": digest("nw-checkout", US, "r12"), "lastStatus": "RUNNING"}


def family(now: datetime) -> Family:
    """Repositories, their images, and a function that runs one."""
    repositories: dict[str, list[Any]] = {region: [] for region in REGIONS}
    for name, region in dict.fromkeys((row[0], row[1]) for row in _IMAGES):
        repositories[region].append(_repository(name, region, now))
    images = {region: [_image(row, now) for row in _IMAGES if row[1] == region] for region in REGIONS}
    tagged = [{"Key": "finops:exempt", "Value": "a base of others"}]
    return Family(
        rows=(
            Rows("ecr", "DescribeRepositories", "repositories", repositories, beside_moto=False),
            Rows("ecr", "DescribeImages", "imageDetails", images, _of_repository, beside_moto=False),
            Rows("lambda", "ListFunctions", "Functions", {US: [_function()]}, _all_versions),
            Rows(
                "resourcegroupstaggingapi",
                "GetResources",
                "ResourceTagMappingList",
                {US: [{"ResourceARN": arn(US, "repository/nw-base", "ecr"), "Tags": tagged}]},
                lambda asked, row: any(
                    one in ("ecr", "ecr:repository") for one in asked.get("ResourceTypeFilters", ())
                ),
            ),
        ),
        charges=list(_charges()),
        cases={"find_unused_ecr_images": [_case(row) for row in _IMAGES if row[8] is not IN_USE or row[1] == US]},
    )


def _charges() -> Iterator[Charge]:
    """The bill names repositories, not their images."""
    for name, region, _, pushed, _, gib, media, *_ in _IMAGES:
        if media != _INDEX:
            yield Charge(region, arn(region, f"repository/{name}", "ecr"), "ecr.storage", gib, pushed)


def _case(row: tuple[Any, ...]) -> Case:
    name, region, tag, _, _, gib, media, _, verdict, why = row
    usd = (0.0 if media == _INDEX else gib * _PRICE * (1.0 if region == US else 1.1)) if verdict is IDLE else None
    return Case(f"{_uri(name, region)}@{digest(name, region, tag)}", region, verdict, why, usd)


def _uri(name: str, region: str) -> str:
    return f"{ACCOUNT_ID}.dkr.ecr.{region}.amazonaws.com/{name}"


def _repository(name: str, region: str, now: datetime) -> dict[str, Any]:
    return {
        "repositoryArn": arn(region, f"repository/{name}", "ecr"),
        "registryId": ACCOUNT_ID,
        "repositoryName": name,
        "repositoryUri": _uri(name, region),
        "createdAt": now - timedelta(days=600),
        "imageTagMutability": "MUTABLE",
    }


def _image(row: tuple[Any, ...], now: datetime) -> dict[str, Any]:
    name, region, tag, pushed, pulled, gib, media, about, *_ = row
    return {
        "registryId": ACCOUNT_ID,
        "repositoryName": name,
        "imageDigest": digest(name, region, tag),
        "imageSizeInBytes": int(gib * _GIB),
        "imagePushedAt": now - timedelta(days=pushed),
        "imageManifestMediaType": media,
        "imageStatus": "ACTIVE",
        **({} if tag.startswith("-") else {"imageTags": [tag]}),
        **({} if pulled is None else {"lastRecordedPullTime": now - timedelta(days=pulled)}),
        **({"subjectManifestDigest": digest(name, region, about)} if about else {}),
    }


def _of_repository(asked: Mapping[str, Any], row: Any) -> bool:
    return bool(asked["repositoryName"] == row["repositoryName"])


def _all_versions(asked: Mapping[str, Any], row: Any) -> bool:
    return asked.get("FunctionVersion") == "ALL"


def _function() -> dict[str, Any]:
    """A published version of a function; $LATEST may have another image by now."""
    return {
        "FunctionName": "nw-resizer",
        "FunctionArn": arn(US, "function:nw-resizer:3", "lambda"),
        "Version": "3",
        "PackageType": "Image",
        "CodeSha256": digest("nw-resizer", US, "live").removeprefix("sha256:"),
        "CodeSize": 0,
        "MemorySize": 512,
        "LastModified": "2026-01-10T09:00:00.000+0000",
        "Architectures": ["x86_64"],
    }
