"""Pictures and tables: what is drawn is what the answer says, and both reach MCP clients and plain callers."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import struct
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx2
import pytest
from matplotlib import rc_context
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.image import imread
from matplotlib.text import Text
from mcp import Client
from mcp.types import ImageContent, ResourceLink, TextContent, TextResourceContents
from tests.conftest import RunningServer

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.chart import Chart, Mark
from aws_finops_mcp.costs.answers import CostRow
from aws_finops_mcp.costs.breakdown import CostsAnswer
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.findings import Answer
from aws_finops_mcp.server.calls import Calls
from aws_finops_mcp.server.pictures import begins_at, figure, numbered, png
from aws_finops_mcp.server.tables import as_csv
from aws_finops_mcp.settings import load_settings

BARS = Chart(
    "bars", "Costs: $12.50 and $3", "2026-10-01 to 2026-10-31",
    (Mark("$a $b, Lambda", Decimal("12.50")), Mark("Amazon S3", Decimal("0.5")), Mark("Credit", Decimal(-3))),
)  # fmt: skip
DAYS = Chart("days", "Days", "", tuple(Mark(f"day {n}", Decimal(n % 7 + n)) for n in range(60)), emphasis="stands out")
MONTHS = Chart(
    "periods", "Forecast", "",
    (Mark("2026-10", Decimal(7)), Mark("2026-11", Decimal(8), Decimal(6), Decimal(11), True)),
    emphasis="forecast",
)  # fmt: skip

STEPS = Chart(
    "steps", "Why", "", (Mark("before", Decimal(1000)), Mark("volume", Decimal(60)), Mark("credits", Decimal(-20)),
    Mark("after", Decimal(1040))),
)  # fmt: skip


def texts(chart: Chart) -> list[str]:
    """Every text that is drawn."""
    with rc_context({"text.parse_math": False}):
        found: list[Any] = figure(chart).findobj(Text)
    return [text.get_text() for text in found if text.get_visible()]


def size(image: bytes) -> tuple[int, int]:
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", image[16:24])
    return width, height


def test_bars_carry_their_names_and_numbers() -> None:
    drawn = texts(BARS)
    for wanted in ("$a $b, Lambda", "$12.50", "$0.50", "-$3.00", "Costs: $12.50 and $3"):
        assert wanted in drawn
    assert any("USD; 2026-10-01 to 2026-10-31" in text for text in drawn)


def test_a_forecast_carries_its_interval() -> None:
    drawn = texts(MONTHS)
    assert "$7.00" in drawn
    assert "$8.00\n$6.00 to $11.00" in drawn
    assert {"billed", "forecast"} <= set(drawn)


def test_steps_carry_what_they_add_and_say_where_bars_begin() -> None:
    drawn = texts(STEPS)
    for wanted in ("$1,000.00", "+$60.00", "-$20.00", "$1,040.00"):
        assert wanted in drawn
    assert begins_at(STEPS) == 970
    assert any("bars begin at $970.00, not at zero" in text for text in drawn)
    small = Chart("steps", "", "", (Mark("a", Decimal(10)), Mark("b", Decimal(90)), Mark("c", Decimal(100))))
    assert begins_at(small) == 0
    assert not any("not at zero" in text for text in texts(small))


def test_of_a_long_course_the_ends_and_extremes_carry_numbers_that_do_not_touch() -> None:
    places = sorted(numbered(DAYS))
    assert {0, 59} & set(places)
    highest = max(range(60), key=lambda place: DAYS.marks[place].usd)
    assert highest in places
    assert all(after - before >= 4 for before, after in pairwise(places))
    assert "$65.00" in texts(Chart("days", "", "", (*DAYS.marks[:59], Mark("day 59", Decimal(65)))))


@pytest.mark.parametrize(
    "chart",
    [
        BARS,
        DAYS,
        MONTHS,
        STEPS,
        Chart("days", "One", "", (Mark("2026-10-01", Decimal(0)),)),
        Chart("days", "Large", "", (Mark("a", Decimal("1234567.891")), Mark("b", Decimal(-5)))),
        Chart("bars", "Nothing", "x" * 400, (Mark("a" * 200, Decimal(0)),)),
    ],
)
def test_a_picture_is_a_png_that_clients_take(chart: Chart) -> None:
    image = png(chart)
    width, height = size(image)
    assert width == 960
    assert 150 < height < 800
    assert len(image) < 200_000


def luminance(colour: Any) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Any, other: Any) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


EACH_KIND = pytest.mark.parametrize("chart", [BARS, DAYS, MONTHS, STEPS], ids=lambda chart: chart.kind)


@EACH_KIND
def test_a_picture_is_the_same_on_light_and_dark_grounds(chart: Chart) -> None:
    """Nothing of a client's ground shows through: the paper is opaque, and light as ink is dark."""
    pixels = imread(io.BytesIO(png(chart)), format="png")
    assert pixels.shape[2] == 3 or (pixels[:, :, 3] == 1).all()
    corner = pixels[0, 0, :3]
    assert contrast(corner, "white") < 1.1
    edge = [*pixels[0], *pixels[-1], *pixels[:, 0], *pixels[:, -1]]
    assert all((pixel[:3] == corner).all() for pixel in edge), "nothing is cut off"


@EACH_KIND
def test_ink_and_marks_stand_out_from_the_paper(chart: Chart) -> None:
    """WCAG 2.2: 4.5 to 1 for text, 3 to 1 for what must be seen to understand."""
    with rc_context({"text.parse_math": False}):
        drawn = figure(chart)
    paper = to_rgb(drawn.get_facecolor())
    assert to_rgba(drawn.get_facecolor())[3] == 1
    for axes in drawn.axes:
        assert not axes.patch.get_visible() or contrast(axes.get_facecolor(), paper) == 1
    inks: list[Any] = [text for text in drawn.findobj(Text) if text.get_visible() and text.get_text().strip()]
    assert len(inks) > 3
    for text in inks:
        assert contrast(text.get_color(), paper) >= 4.5, text.get_text()
    marks: list[Any] = [bar.get_facecolor() for axes in drawn.axes for bar in axes.patches]
    marks += [line.get_color() for axes in drawn.axes for line in axes.lines]
    assert marks
    for colour in marks:
        assert contrast(colour, paper) >= 3, colour


def test_threads_draw_without_disturbing_each_other() -> None:
    alone = png(BARS)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: png(BARS), range(8))) == {alone}


def answer_with(keys: dict[str, str]) -> Answer:
    usd = Decimal("-1.005")
    row = CostRow(keys=keys, cost_usd=usd, usage_usd=usd, tax_usd=usd, reductions_usd=Decimal("2.5"), share=-0.5)
    construct: Any = CostsAnswer.model_construct  # only what is read
    answer: Answer = construct(rows=(row,), group_by=("region",), granularity="", omitted=0, next_cursor="")
    return answer


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_of_a_table_is_a_formula(text: str) -> None:
    (row,) = csv.DictReader(io.StringIO(as_csv(answer_with({"tag:Team": text})), newline=""))
    assert row["tag:Team"] == f"'{text}"
    assert (row["cost_usd"], row["reductions_usd"], row["share"]) == ("-1.01", "2.50", "-0.5")


def ask(server: RunningServer, name: str, **arguments: object) -> Any:
    async def call() -> Any:
        async with Client(f"{server.url}/mcp") as client:
            result = await client.call_tool(name, arguments)
            links = [part for part in result.content if isinstance(part, ResourceLink)]
            return result, [await client.read_resource(str(link.uri)) for link in links]

    return asyncio.run(call())


def test_a_client_gets_the_picture_beside_the_same_answer(server: RunningServer) -> None:
    plain, none = ask(server, "get_cost_by_service")
    assert len(plain.content) == 1
    assert none == []
    result, (table,) = ask(server, "get_cost_by_service", picture=True)
    text, image, link = result.content
    assert isinstance(text, TextContent)
    assert isinstance(image, ImageContent)
    assert isinstance(link, ResourceLink)
    assert image.mime_type == "image/png"
    assert size(base64.b64decode(image.data))[0] == 960
    assert result.structured_content["services"] == plain.structured_content["services"]
    (contents,) = table.contents
    assert isinstance(contents, TextResourceContents)
    assert contents.mime_type == "text/csv"
    rows = list(csv.DictReader(io.StringIO(contents.text)))
    told = result.structured_content["services"]
    assert [(row["service"], float(row["cost_usd"])) for row in rows] == [
        (one["service"], one["cost_usd"]) for one in told
    ]


def test_a_server_without_matplotlib_says_so_before_it_asks(
    monkeypatch: pytest.MonkeyPatch, account: EmbeddedAccount, engine: Engine
) -> None:
    monkeypatch.setattr("aws_finops_mcp.server.calls.find_spec", lambda _name: None)
    account.calls.reset()
    with pytest.raises(ArgumentsError, match="picture: got True; this server draws none"):
        Calls(load_settings(), engine).answer("get_cost_by_service", {"picture": True})
    assert account.calls.total == 0


def test_a_plain_call_gets_it_as_a_data_url(server: RunningServer) -> None:
    body = {"tool": "get_daily_cost_trend", "arguments": {"days": 14, "picture": True}}
    answer = httpx2.post(f"{server.url}/mcp", json=body, timeout=60).json()
    head, _, data = answer["picture"].partition(",")
    assert head == "data:image/png;base64"
    assert size(base64.b64decode(data))[0] == 960
    body["arguments"] = {"days": 14}
    assert "picture" not in httpx2.post(f"{server.url}/mcp", json=body, timeout=60).json()
