"""A document of tables, texts, plots and examples as one HTML page that needs nothing else, and as Markdown."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence

import jinja2
from markupsafe import Markup

from melama_jax.evaluation.plots import Plot


@dataclasses.dataclass(frozen=True)
class Text:
    """A paragraph; names of things stand between backquotes."""

    text: str


@dataclasses.dataclass(frozen=True)
class Table:
    """Texts in rows; a row whose first cell is empty belongs to the one above.

    Attributes:
        columns: Headings; all empty shows none.
        rows: Cells.
        caption: What it is.
        folded: The page shows it on a click on this; empty shows it at once.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    caption: str = ""
    folded: str = ""


@dataclasses.dataclass(frozen=True)
class Example:
    """Failures: each a mapping with `id`, `prompt`, `output`, `gold` and `answer`."""

    items: tuple[Mapping[str, str], ...]


Block = Text | Table | Plot | Example


@dataclasses.dataclass(frozen=True)
class Section:
    """Blocks under a heading."""

    title: str
    blocks: Sequence[Block]


@dataclasses.dataclass(frozen=True)
class Document:
    """All of it."""

    title: str
    sections: Sequence[Section]

    def plots(self) -> Iterator[Plot]:
        """Its plots in order."""
        return (block for section in self.sections for block in section.blocks if isinstance(block, Plot))


_SHORT = 24
"""Characters of a text that stays on one line."""
_FIGURES = re.compile(r"[\[\]\d.,%†‡\s-]*")


def _is_figures(table: Table, column: int) -> bool:
    """Whether a column holds figures alone, which are set to the right."""
    return column > 0 and any(table.columns) and all(_FIGURES.fullmatch(row[column]) for row in table.rows)


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ document.title }}</title>
<style>
:root { color-scheme: light dark; --ink: #1b2430; --soft: #5b6775; --line: #d7dde4; --paper: #ffffff; --box: #f4f6f8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ed; --soft: #9aa6b2; --line: #38424d; --paper: #14181d; --box: #1e242b; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1240px; padding: 1.5rem; color: var(--ink); background: var(--paper);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
nav { color: var(--soft); } nav a { margin-right: .9rem; white-space: nowrap; }
a { color: #3f7fc4; }
.wide { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .87rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; caption-side: top; }
th, td { text-align: left; vertical-align: top; padding: .28rem .5rem; overflow-wrap: break-word; max-width: 34rem; }
th { border-bottom: 2px solid var(--line); vertical-align: bottom; font-weight: 600; }
tr.first td { border-top: 1px solid var(--line); }
.figures { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th.figures { white-space: normal; } .short { white-space: nowrap; }
figure { margin: 1.25rem 0; } figure svg { max-width: 100%; height: auto; }
figcaption { color: var(--soft); font-size: .87rem; margin-bottom: .25rem; }
details { margin: .5rem 0; } summary { cursor: pointer; color: var(--soft); }
pre { background: var(--box); border: 1px solid var(--line); border-radius: 6px;
  padding: .6rem .8rem; margin: .3rem 0 .8rem; white-space: pre-wrap; overflow-wrap: anywhere;
  font-size: .82rem; max-height: 22rem; overflow-y: auto; }
code { font-family: ui-monospace, Menlo, Consolas, monospace; }
.about { color: var(--soft); }
@media print { details > * { display: block; } pre { max-height: none; } }
</style>
</head>
<body>
<h1>{{ document.title }}</h1>
<nav>{% for section in document.sections %}<a href="#s{{ loop.index }}">{{ section.title }}</a>
{% endfor %}</nav>
{%- macro table(block) %}
<div class="wide"><table>
{%- if block.caption %}<caption>{{ block.caption }}</caption>{% endif %}
{%- if block.columns | select | list %}
<thead><tr>{% for column in block.columns %}<th{{ side(block, loop.index0) }}>{{ column }}</th>{% endfor %}</tr></thead>
{%- endif %}
<tbody>
{%- for row in block.rows %}
<tr{% if row[0] and not loop.first %} class="first"{% endif %}>{% for cell in row -%}
<td{{ side(block, loop.index0) }}>{{ cell }}</td>{% endfor %}</tr>
{%- endfor %}
</tbody></table></div>
{%- endmacro %}
{%- for section in document.sections %}
<section id="s{{ loop.index }}">
<h2>{{ section.title }}</h2>
{%- for block in section.blocks %}
{%- if block.svg is defined %}
<figure><figcaption>{{ block.title }}</figcaption>{{ block.svg | safe }}</figure>
{%- elif block.text is defined %}
<p class="about">{% for piece in block.text.split("`") %}
{%- if loop.index0 % 2 %}<code>{{ piece }}</code>{% else %}{{ piece }}{% endif %}{% endfor %}</p>
{%- elif block.rows is defined %}
{%- if block.folded %}<details><summary>{{ block.folded }}</summary>{{ table(block) }}</details>
{%- else %}{{ table(block) }}{% endif %}
{%- else %}
<details><summary>{{ block.items | length }} wrong answers</summary>
{%- for one in block.items %}
<p><b>{{ one.id }}</b>: gold <code>{{ one.gold }}</code>, read as <code>{{ one.answer or "nothing" }}</code></p>
<pre>{{ one.prompt }}</pre><pre>{{ one.output }}</pre>
{%- endfor %}
</details>
{%- endif %}
{%- endfor %}
</section>
{%- endfor %}
</body>
</html>
"""


def to_html(document: Document) -> str:
    """The page; every text is escaped."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)

    def side(table: Table, column: int) -> str:
        if _is_figures(table, column):
            return Markup(' class="figures"')
        short = column and all(len(row[column]) <= _SHORT for row in table.rows)
        return Markup(' class="short"') if short else ""

    return environment.from_string(_PAGE).render(document=document, side=side)


def to_markdown(document: Document) -> str:
    """The same as Markdown; plots are files in `plots/`."""
    lines = [f"# {_inline(document.title)}", ""]
    for section in document.sections:
        lines += [f"## {_inline(section.title)}", ""]
        for block in section.blocks:
            lines += [*_markdown(block), ""]
    return "\n".join(lines)


def _markdown(block: Block) -> Iterator[str]:
    match block:
        case Text():
            yield block.text
        case Plot():
            yield f"![{_inline(block.title)}](plots/{block.name}.png)"
        case Table():
            if block.caption:
                yield from (_inline(block.caption), "")
            yield f"| {' | '.join(map(_inline, block.columns))} |"
            ends = ["---:" if _is_figures(block, column) else "---" for column in range(len(block.columns))]
            yield f"| {' | '.join(ends)} |"
            for row in block.rows:
                yield f"| {' | '.join(map(_inline, row))} |"
        case Example():
            for one in block.items:
                yield f"Wrong answer to {_inline(one['id'])}: gold {_inline(one['gold'])}, read as " + (
                    _inline(one["answer"]) or "nothing"
                )
                for text in (one["prompt"], one["output"]):
                    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
                    yield from ("", fence, text, fence, "")


def _inline(text: str) -> str:
    """A text on one line that no renderer takes for markup."""
    return re.sub(r"([\\`*|<]|(?<=\])\()", r"\\\1", " ".join(text.split()))
