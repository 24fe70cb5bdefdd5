"""A question in DuckDB's SQL as Athena understands it: the views as WITH clauses before it, dialects translated."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlglot import ErrorLevel, exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.tokenizer_core import TokenType
from sqlglot.tokens import Tokenizer

from aws_finops_mcp.costs.exports.athena_functions import FUNCTIONS, WORDS
from aws_finops_mcp.costs.exports.dialect import ATHENA
from aws_finops_mcp.costs.exports.engine import StatementError
from aws_finops_mcp.costs.exports.schema import Kind, focus_view
from aws_finops_mcp.costs.exports.views import ready_views

PREFIX = "export_"
"""Before the names of our views, so that a WITH clause of a question may be called as one of them."""

Columns = Mapping[str, Mapping[str, str]]
"""Of each table and view: names and DuckDB's types."""


@dataclass(frozen=True)
class Translated:
    """A statement for Athena.

    Attributes:
        scans: how often it reads the export's files.
    """

    sql: str
    scans: int


@dataclass(frozen=True)
class Source:
    """What `raw` is: a table of the catalogue, and the billing periods of it that are read."""

    kind: Kind
    table: str
    columns: tuple[str, ...]
    where: str = ""


def translate(sql: str, source: Source, columns: Columns, at_most: int, nested: Collection[int] = ()) -> Translated:
    """Translate one judged SELECT.

    Args:
        at_most: rows that are wanted.
        nested: places of the columns whose values are to come as JSON.

    Raises:
        StatementError: Athena has no word for something in it.
    """
    try:
        tree = parse_one(sql, read="duckdb")
        if not isinstance(tree, exp.Query):
            raise StatementError("is no SELECT")
        tree = qualify(tree, dialect="duckdb", schema={table: dict(of) for table, of in columns.items()})
        _spell_out(tree)
        tree = annotate_types(tree, schema={table: dict(of) for table, of in columns.items()}, dialect="duckdb")
        tree = tree.transform(_as_trino)
        _as_json(tree, nested)
        used = _rename(tree)
        if isinstance(tree, exp.Query) and _may_be_limited(tree):
            tree = tree.limit(at_most + 1, copy=False)
        scans = _put_views_before(tree, source, used)
        translated = tree.sql("athena", unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        raise StatementError(f"Athena can't be asked so: {str(error).splitlines()[0][:300]}") from None
    _only_known_functions(translated)
    return Translated(translated, scans)


def _spell_out(tree: exp.Expr) -> None:
    """GROUP BY ALL and ORDER BY ALL, which Trino does not have; stars are written out already."""
    for select in tree.find_all(exp.Select):
        group = select.args.get("group")
        if group is not None and group.args.get("all"):
            keys = [one.unalias().copy() for one in select.expressions if not _aggregates(one)]
            select.set("group", exp.Group(expressions=keys) if keys else None)
    for order in tree.find_all(exp.Order):
        query = order.parent
        if isinstance(query, exp.Query) and [one.name.upper() for one in order.expressions] == ["ALL"]:
            places = range(1, len(query.named_selects) + 1)
            order.set("expressions", [exp.Ordered(this=exp.Literal.number(n)) for n in places])


def _aggregates(one: exp.Expr) -> bool:
    """Whether a column of an answer is no key of GROUP BY ALL."""
    for found in one.find_all(exp.AggFunc):
        above = found.parent
        while above is not None and above is not one.parent and not isinstance(above, (exp.Window, exp.Query)):
            above = above.parent
        if above is one.parent:
            return True
    return False


def _as_trino(node: exp.Expr) -> exp.Expr:
    """What sqlglot leaves as DuckDB has it."""
    if isinstance(node, exp.Bracket) and (node.this.is_type(exp.DataType.Type.MAP) or node.expressions[0].is_string):
        # Where a map does not have a key, Trino's [] fails and DuckDB's gives null.
        return exp.func("element_at", node.this, *node.expressions)
    if isinstance(node, (exp.PercentileCont, exp.PercentileDisc)) and node.expression:
        return exp.ApproxQuantile(this=node.this, quantile=node.expression)
    if isinstance(node, exp.Median):
        return exp.ApproxQuantile(this=node.this, quantile=exp.Literal.number("0.5"))
    if isinstance(node, exp.GroupConcat):
        return exp.func(
            "array_join", exp.ArrayAgg(this=node.this), node.args.get("separator") or exp.Literal.string(",")
        )
    return node


def _as_json(tree: exp.Expr, places: Collection[int]) -> None:
    """Maps and lists of the answer as JSON: Athena's own text of them can't be read back."""
    if not places:
        return
    if not isinstance(tree, exp.Select):
        raise StatementError("a map or list in a UNION is not answered by Athena; give it with to_json()")
    for place in places:
        one = tree.expressions[place]
        json = exp.func("json_format", exp.Cast(this=one.unalias().copy(), to=exp.DataType.build("json")))
        one.replace(exp.alias_(json, one.alias_or_name, quoted=True))


def _rename(tree: exp.Expr) -> list[str]:
    """Give the tables that are ours their prefix; gives back which there are, each as often as it is read."""
    used = []
    for scope in traverse_scope(tree):
        for table in scope.tables:
            if isinstance(scope.sources.get(table.alias_or_name), exp.Table) and not table.db:
                used.append(table.name.lower())
                table.set("alias", exp.TableAlias(this=exp.to_identifier(table.alias_or_name, quoted=True)))
                table.set("this", exp.to_identifier(PREFIX + table.name.lower(), quoted=True))
    return used


def _may_be_limited(tree: exp.Expr) -> bool:
    """Whether a LIMIT may be added. QUALIFY and DISTINCT ON become a condition around the SELECT that has it."""
    rewritten = [one for one in tree.find_all(exp.Select) if one.args.get("qualify") or _distinct_on(one)]
    if any(one.args.get("limit") for one in rewritten):
        raise StatementError("LIMIT beside QUALIFY or DISTINCT ON: put it around them, SELECT * FROM (…) LIMIT 10")
    return not rewritten and not tree.args.get("limit")


def _distinct_on(select: exp.Select) -> bool:
    distinct = select.args.get("distinct")
    return bool(distinct and distinct.args.get("on"))


def _put_views_before(tree: exp.Expr, source: Source, used: list[str]) -> int:
    """WITH clauses of the views that are read; gives back how often the export's files are."""
    rows = f"SELECT * FROM {source.table}{f' WHERE {source.where}' if source.where else ''}"
    texts = {
        "raw": rows,
        "focus": focus_view(source.kind, source.columns, ATHENA),
        **{view.name: view.sql for view in ready_views(ATHENA)},
    }
    needed: dict[str, exp.Expr] = {}
    scans: dict[str, int] = {"raw": 1}

    def need(name: str) -> None:
        if name in needed:
            return
        view = parse_one(texts[name], read="athena")
        read = _rename(view) if name != "raw" else []
        for other in read:
            need(other)
        needed[name] = view
        if name != "raw":
            scans[name] = _scans(view, scans)

    for name in used:
        need(name)
    clauses = [
        exp.CTE(this=view, alias=exp.TableAlias(this=exp.to_identifier(PREFIX + name, quoted=True)))
        for name, view in needed.items()
    ]
    own = tree.args.get("with_")
    before = exp.With(expressions=[*clauses, *(own.expressions if own else [])]) if clauses or own else None
    total = _scans(tree, scans)
    tree.set("with_", before)
    return total


def _scans(tree: exp.Expr, known: Mapping[str, int]) -> int:
    """How often a statement reads the files: a WITH clause is worked out each time that it is read."""
    clauses: dict[str, int] = {}

    def count(part: exp.Expr) -> int:
        inside = part.find_ancestor(exp.With)
        # What is in a WITH clause of this part counts where the clause is read.
        tables = (table for table in part.find_all(exp.Table) if table.find_ancestor(exp.With) is inside)
        return sum(clauses.get(one.name, known.get(one.name.removeprefix(PREFIX), 0)) for one in tables)

    for clause in sorted(tree.find_all(exp.CTE), key=lambda one: -one.depth):
        clauses[clause.alias] = count(clause.this)
    return count(tree)


def _only_known_functions(sql: str) -> None:
    tokens = Tokenizer(dialect="athena").tokenize(sql)
    for before, token, after in zip([None, *tokens], tokens, tokens[1:], strict=False):
        if after.token_type is not TokenType.L_PAREN or not token.text[:1].isalpha():
            continue
        if token.token_type in (TokenType.IDENTIFIER, TokenType.STRING) or (
            before and before.token_type is TokenType.ALIAS
        ):
            continue
        name = token.text.lower()
        if name not in FUNCTIONS | WORDS:
            raise StatementError(f"Athena has no function {name}(), and it has no counterpart; ask without it")
