"""Draws a chart as a PNG that reads on light and on dark backgrounds: it brings its own."""

from __future__ import annotations

import io
import textwrap
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aws_finops_mcp.chart import Chart, Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, DPI = 9.6, 100
"""Inches, and dots an inch: 960 dots, which clients show without scaling."""

# Told apart by whoever sees colours differently too: https://jfly.uni-koeln.de/color/
_BLUE, _ORANGE, _GREEN, _INK, _GREY, _PAPER = "#0072B2", "#D55E00", "#009E73", "#1A1A1A", "#6B6B6B", "#FFFFFF"

_MOST_NUMBERS = 14
"""Points that all have their number; of more only the first, the last, the extremes and the emphasised have."""

_MOST_EMPHASISED = 6
_LABEL = 44
_WHOLE = 100_000
_one_at_a_time = threading.Lock()


def png(chart: Chart) -> bytes:
    """The picture, 960 dots wide, some 20 to 60 kB. Takes a tenth of a second: not for the event loop."""
    with _one_at_a_time:  # matplotlib's caches of fonts are not made for threads
        from matplotlib import rc_context  # half a second and 40 MiB: only for those who want pictures

        # Or else what stands between two dollar signs is read as a formula.
        with rc_context({"text.parse_math": False}), io.BytesIO() as stream:
            drawn = figure(chart)
            drawn.savefig(stream, format="png", dpi=DPI, facecolor=_PAPER)
            return stream.getvalue()


def figure(chart: Chart) -> Figure:
    """The drawing, before it is dots."""
    from matplotlib.figure import Figure

    height = 1.7 + 0.32 * len(chart.marks) if chart.kind in ("bars", "steps") else 4.8
    drawn = Figure(figsize=(WIDTH, height), layout="constrained", facecolor=_PAPER)
    axes = drawn.add_subplot(facecolor=_PAPER)
    {"bars": _bars, "days": _days, "periods": _periods, "steps": _steps}[chart.kind](axes, chart)
    axes.set_title(chart.title, loc="left", color=_INK, fontsize=14, fontweight="bold", pad=12)
    cut = begins_at(chart)
    begins = f"; bars begin at {_numbers(chart)(cut)}, not at zero" if cut else ""
    notes = textwrap.fill(f"{chart.currency}; {chart.notes}{begins}", 120)
    drawn.supxlabel(notes, x=0.01, ha="left", color=_GREY, fontsize=9)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=_INK, length=0, labelsize=9.5)
    return drawn


def _bars(axes: Axes, chart: Chart) -> None:
    """One below the other, the largest on top, each with its number."""
    values, number = [float(mark.usd) for mark in chart.marks], _numbers(chart)
    places = range(len(values))
    drawn = axes.barh(places, values, color=[_GREY if mark is _rest(chart) else _BLUE for mark in chart.marks])
    axes.bar_label(drawn, [number(mark.usd) for mark in chart.marks], padding=4, color=_INK, fontsize=9.5)
    axes.set_yticks(places, [_short(mark.label) for mark in chart.marks])
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.margins(x=0.14, y=0.02)
    axes.axvline(0, color=_GREY, linewidth=0.8)


def _rest(chart: Chart) -> Mark | None:
    from aws_finops_mcp.chart import OTHERS

    return next((mark for mark in chart.marks if mark.label == OTHERS), None)


def _days(axes: Axes, chart: Chart) -> None:
    """A line, with its interval as a band."""
    places, number = list(range(len(chart.marks))), _numbers(chart)
    values = [float(mark.usd) for mark in chart.marks]
    axes.plot(places, values, color=_BLUE, linewidth=2, marker="o", markersize=3 if len(places) > 1 else 6)
    if all(mark.low is not None and mark.high is not None for mark in chart.marks):
        lows = [float(mark.low or 0) for mark in chart.marks]
        axes.fill_between(places, lows, [float(mark.high or 0) for mark in chart.marks], color=_BLUE, alpha=0.18, lw=0)
    elif chart.emphasis:
        out = [place for place, mark in zip(places, chart.marks, strict=True) if mark.emphasis]
        if out:
            heights = [values[place] for place in out]
            axes.scatter(out, heights, color=_ORANGE, s=50, zorder=3, label=chart.emphasis)
            axes.legend(frameon=False, labelcolor=_INK, loc="upper right", bbox_to_anchor=(1, 1.12))
    for place in sorted(numbered(chart)):
        above = value_above(values, place)
        axes.annotate(
            number(chart.marks[place].usd),
            (place, values[place]),
            xytext=(0, 7 if above else -7),
            textcoords="offset points",
            ha="center",
            va="bottom" if above else "top",
            color=_INK,
            fontsize=9,
        )
    step = max(1, -(-len(places) // 10))
    axes.set_xticks(places[::step], [mark.label for mark in chart.marks[::step]])
    axes.margins(x=0.05)
    least, most = min(0.0, *values), max(0.0, *values, *(float(mark.high or 0) for mark in chart.marks))
    room = 0.12 * ((most - least) or 1.0)  # for the numbers
    axes.set_ylim(least - room if least < 0 else 0.0, most + room)
    axes.grid(axis="y", color="#E2E2E2", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_formatter(
        lambda value, _place: f"{value:,.0f}" if value == 0 or abs(value) >= 10 else f"{value:,.2f}"
    )


def _periods(axes: Axes, chart: Chart) -> None:
    """Bars side by side, with intervals as whiskers; what is forecast in another colour."""
    places, number = range(len(chart.marks)), _numbers(chart)
    for emphasis, colour in ((False, _BLUE), (True, _ORANGE)):
        some = [(place, mark) for place, mark in zip(places, chart.marks, strict=True) if mark.emphasis is emphasis]
        if not some:
            continue
        name = chart.emphasis if emphasis else "billed"
        bars: Any = axes.bar(
            [place for place, _ in some], [float(mark.usd) for _, mark in some], width=0.62, color=colour, label=name
        )
        for bar, (place, mark) in zip(bars, some, strict=True):
            top = float(max(mark.usd, mark.high or mark.usd))
            text = number(mark.usd)
            if mark.low is not None and mark.high is not None:
                down, up = float(mark.usd - mark.low), float(mark.high - mark.usd)
                axes.errorbar(place, bar.get_height(), [[max(down, 0)], [max(up, 0)]], color=_INK, capsize=5, lw=1.2)
                text += f"\n{number(mark.low)} to {number(mark.high)}"
            axes.annotate(
                text,
                (place, max(top, 0.0)),
                xytext=(0, 5),
                textcoords="offset points",
                ha="center",
                va="bottom",
                color=_INK,
                fontsize=9 if len(chart.marks) < 8 else 7.5,
            )
    if any(mark.emphasis for mark in chart.marks):
        axes.legend(frameon=False, labelcolor=_INK, loc="upper right", bbox_to_anchor=(1, 1.14), ncols=2)
    axes.set_xticks(places, [mark.label for mark in chart.marks])
    axes.set_yticks([])
    axes.margins(y=0.18)
    axes.axhline(0, color=_GREY, linewidth=0.8)


def _steps(axes: Axes, chart: Chart) -> None:
    """One below the other: where it was, what took it up and down, where it is."""
    number, last = _numbers(chart), len(chart.marks) - 1
    height = Decimal(0)
    for place, mark in enumerate(chart.marks):
        whole = place in (0, last)
        start = Decimal(0) if whole else height
        colour = _BLUE if whole else _ORANGE if mark.usd > 0 else _GREEN
        drawn = axes.barh(place, float(mark.usd), left=float(start), color=colour)
        axes.bar_label(drawn, [f"{'+' if mark.usd > 0 and not whole else ''}{number(mark.usd)}"], padding=4, color=_INK)
        height = start + mark.usd
        if place < last:
            axes.plot([float(height)] * 2, [place, place + 1], color=_GREY, linewidth=0.8)
    axes.set_yticks(range(last + 1), [_short(mark.label) for mark in chart.marks])
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.margins(x=0.16, y=0.02)
    cut = begins_at(chart)
    if cut:
        most = max(float(mark.usd) for mark in (chart.marks[0], chart.marks[-1]))
        axes.set_xlim(float(cut), most + 0.3 * (most - float(cut)))


def begins_at(chart: Chart) -> Decimal:
    """Where the bars of steps begin, in USD: changes that are small beside the whole are shown without most of it."""
    if chart.kind != "steps":
        return Decimal(0)
    heights = [chart.marks[0].usd]
    for mark in chart.marks[1:-1]:
        heights.append(heights[-1] + mark.usd)
    least, spread = min(heights), max(heights) - min(heights)
    return max(least - spread / 2, Decimal(0)) if spread and least > 2 * spread else Decimal(0)


def numbered(chart: Chart) -> set[int]:
    """The places of the marks of a course that show their numbers."""
    marks = chart.marks
    if len(marks) <= _MOST_NUMBERS:
        return set(range(len(marks)))
    by_cost = sorted(range(len(marks)), key=lambda place: marks[place].usd)
    out = [place for place in reversed(by_cost) if marks[place].emphasis][:_MOST_EMPHASISED]
    chosen: list[int] = []
    # Numbers must not lie on each other; what matters more comes first.
    apart = max(2, len(marks) // 14)
    for place in (by_cost[-1], by_cost[0], len(marks) - 1, 0, *out):
        if all(abs(place - other) >= apart for other in chosen):
            chosen.append(place)
    return set(chosen)


def value_above(values: list[float], place: int) -> bool:
    """Whether a number is better above its point: below where the course is lowest."""
    return values[place] > min(values) or len(set(values)) == 1


def _numbers(chart: Chart) -> Callable[[Decimal], str]:
    """To the cent, unless that makes the numbers too long to be read: then all of the chart to the dollar."""
    digits = 0 if max((abs(mark.usd) for mark in chart.marks), default=0) >= _WHOLE else 2
    return lambda usd: f"{'-' if usd < 0 else ''}${abs(usd):,.{digits}f}"


def _short(label: str) -> str:
    return label if len(label) <= _LABEL else f"{label[: _LABEL - 1]}…"
