"""What an engine of SQL writes in its own way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """Patterns of SQL; `{0}`, `{1}` are the arguments.

    Attributes:
        value_of: the value of a key of a map.
        user_tags: a map of tags without the prefix that CUR 2.0 gives to those of users.
        month: YYYY-MM of a time.
        keys_of: rows of the distinct keys of maps: a table and its column.
        text_map: a map of texts that a column that is missing is taken for.
    """

    value_of: str
    user_tags: str
    month: str
    keys_of: str
    text_map: str


DUCKDB = Dialect(
    value_of="map_extract_value({0}, '{1}')",
    user_tags=(
        "map_from_entries(list_transform(map_entries({0}), "
        "lambda e: {{'k': regexp_replace(e.key, '^user_', ''), 'v': e.value}}))"
    ),
    month="strftime({0}, '%Y-%m')",
    keys_of="(SELECT DISTINCT unnest(map_keys({0})) AS TagKey FROM {1})",
    text_map="CAST(NULL AS MAP(VARCHAR, VARCHAR))",
)

ATHENA = Dialect(
    value_of="element_at({0}, '{1}')",
    user_tags="transform_keys({0}, (k, v) -> regexp_replace(k, '^user_', ''))",
    month="date_format({0}, '%Y-%m')",
    keys_of="(SELECT DISTINCT u.TagKey AS TagKey FROM {1} CROSS JOIN UNNEST(map_keys({0})) AS u (TagKey))",
    text_map="CAST(NULL AS MAP(VARCHAR, VARCHAR))",
)
"""Trino's, which Athena's engine version 3 is made of: https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html."""
