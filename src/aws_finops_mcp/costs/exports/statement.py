"""What a question in SQL may be: one SELECT over the export's tables, with functions that only compute.

DuckDB's own parser reads the statement; what is judged is its tree, not its text. That the engine could not reach
anything else anyway (see `duck`) is the second lock.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import duckdb

from aws_finops_mcp.costs.exports.functions import FUNCTIONS, TABLE_FUNCTIONS
from aws_finops_mcp.declaration import ArgumentsError

MAX_CHARACTERS = 20_000
"""Of a statement."""

_TABLES = frozenset({"BASE_TABLE", "TABLE_FUNCTION", "JOIN", "SUBQUERY", "EMPTY", "EXPRESSION_LIST", "PIVOT"})
"""What may stand behind FROM, as DuckDB's parser calls it."""
_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE"})


@dataclass(frozen=True)
class Statement:
    """A question that was judged harmless.

    Attributes:
        sql: the statement, without a semicolon at its end.
        columns: the columns that it names, in lower case.
        functions: the functions that it calls, in lower case.
        tables: the tables that it reads, in lower case.
    """

    sql: str
    columns: frozenset[str]
    functions: frozenset[str]
    tables: frozenset[str]


def parse(sql: str, tables: frozenset[str]) -> Statement:
    """Read a statement.

    Args:
        tables: names of the tables that it may read.

    Raises:
        ArgumentsError: it is not one SELECT over these tables.
    """
    text = sql.strip().rstrip(";").strip()
    if not text:
        raise ArgumentsError("sql: is empty; e.g. SELECT ServiceName, sum(EffectiveCost) FROM focus GROUP BY ALL")
    if len(text) > MAX_CHARACTERS:
        raise ArgumentsError(f"sql: {len(text)} characters; at most {MAX_CHARACTERS}")
    statements = _tree(text)
    if len(statements) != 1:
        raise ArgumentsError(f"sql: {len(statements)} statements; one at a time")
    found = _Found(tables)
    found.node(statements[0]["node"], frozenset())
    return Statement(text, frozenset(found.columns), frozenset(found.functions), frozenset(found.tables))


@lru_cache(maxsize=1)
def _parser() -> duckdb.DuckDBPyConnection:
    """One a process, made when it is first needed: opening an engine takes longer than many a question."""
    config: dict[str, Any] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False, "threads": 1}
    return duckdb.connect(config=config)


def _tree(text: str) -> list[Any]:
    with _parser().cursor() as parser:
        row = parser.execute("SELECT json_serialize_sql(?)", [text]).fetchone()
    answer = json.loads(row[0]) if row else {}
    if answer.get("error", True):
        message = str(answer.get("error_message", "not understood"))
        if answer.get("error_type") == "not implemented":
            message = "only SELECT (or WITH … SELECT) is answered here; the exports can't be changed"
            if re.search(r"\bpivot\b", text, re.IGNORECASE):
                message = "PIVOT is answered where it names its values: FROM (PIVOT … ON … IN ('…', '…') USING sum(…))"
        raise ArgumentsError(f"sql: {message[:500]}")
    statements: list[Any] = answer["statements"]
    return statements


@dataclass
class _Found:
    allowed: frozenset[str]
    columns: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)

    def node(self, node: Any, named: frozenset[str]) -> None:
        """Judge a part of the tree; ``named`` are the WITH clauses in whose reach it is."""
        if isinstance(node, list):
            for one in node:
                self.node(one, named)
            return
        if not isinstance(node, dict):
            return
        clauses = node.get("cte_map")
        if isinstance(clauses, dict):
            for clause in clauses.get("map", ()):
                self.node(clause["value"], named)
                named |= {str(clause["key"]).lower()}
        kind = str(node.get("type", ""))
        self._kind(node, kind, named)
        for key, value in node.items():
            if kind == "TABLE_FUNCTION" and key == "function":
                # Judged by its name as a table; what it is given may be any expression.
                self.node([*value.values()], named)
            elif key != "cte_map":
                self.node(value, named)

    def _kind(self, node: dict[str, Any], kind: str, named: frozenset[str]) -> None:
        if kind.endswith("_NODE") and kind not in _NODES:
            raise ArgumentsError(f"sql: {_words(kind)} is not answered here; write it as a SELECT without it")
        if kind == "BASE_TABLE":
            self._table(node, named)
        elif kind == "TABLE_FUNCTION":
            name = str((node.get("function") or {}).get("function_name", "")).lower()
            if name not in TABLE_FUNCTIONS:
                raise ArgumentsError(f"sql: {name}() is no table here; there are: {', '.join(sorted(self.allowed))}")
        elif "sample" in node and kind not in _TABLES | _NODES:
            raise ArgumentsError(f"sql: {_words(kind)} is not answered here; see describe_billing_data for tables")
        if "function_name" in node and kind != "TABLE_FUNCTION":
            self._function(node)
        if kind == "PARAMETER" or node.get("class") == "PARAMETER":
            raise ArgumentsError("sql: parameters ($1, ?) have no values here; write the values")
        if kind == "COLUMN_REF":
            self.columns |= {str(name).lower() for name in node.get("column_names", ())}

    def _table(self, node: dict[str, Any], named: frozenset[str]) -> None:
        name = str(node["table_name"])
        place = [str(node.get(part) or "") for part in ("catalog_name", "schema_name")]
        if not any(place) and name.lower() in named:
            return
        if any(place) or name.lower() not in self.allowed:
            whole = ".".join([part for part in place if part] + [name])
            raise ArgumentsError(f"sql: {whole!r} is no table here; there are: {', '.join(sorted(self.allowed))}")
        self.tables.add(name.lower())

    def _function(self, node: dict[str, Any]) -> None:
        name = str(node["function_name"]).lower()
        if str(node.get("schema") or "") or str(node.get("catalog") or ""):
            raise ArgumentsError(f"sql: {name}: functions have no schema here")
        if name not in FUNCTIONS and any(letter.isalnum() for letter in name):
            near = difflib.get_close_matches(name, FUNCTIONS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ArgumentsError(f"sql: the function {name}() is not among those that are answered here{hint}")
        self.functions.add(name)


def _words(kind: str) -> str:
    return kind.removesuffix("_NODE").replace("_", " ").lower()
