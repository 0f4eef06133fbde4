"""Spreadsheets: columns are stated, suggested from headers, or refused; dates and numbers are never guessed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aether_tui.cache import Cache
from aether_tui.records import TABLES
from connectors import json_items, sheets
from connectors.base import Malformed, Page
from connectors.requests import Asked, RequestFiles, read_requests
from connectors.sheet_values import Dates, Numbers, Undecided, instant_of, number_of
from connectors.sheets import InvoiceFiles, OpportunityFiles, SheetFiles, Stated, suggest
from tests.command import aether

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DAY = datetime.fromisoformat


def read(kind: type[SheetFiles], path: Path, **stated: Any) -> tuple[list[dict[str, Any]], list[Page]]:
    pages = list(kind(Stated(**stated)).pages([path], NOW))
    rows = []
    for page in pages:
        for name, found in page.rows.items():
            rows += [dict(zip((c.name for c in TABLES[name].raw), row, strict=True)) for row in found]
    return rows, pages


def day_first(*cells: str) -> bool | None:
    dates = Dates()
    for cell in cells:
        dates.add(cell)
    return dates.day_first()


def decimal_comma(*cells: str) -> bool:
    numbers = Numbers()
    for cell in cells:
        numbers.add(cell)
    return numbers.comma()


def file(tmp_path: Path, text: str | bytes, name: str = "sheet.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


GERMAN = (
    "Schlüssel;Titel;Status;Erstellt;Erledigt;Aufwand;Tags\r\n"
    'A-1;"Größe; Länge";Läuft;03.04.2026;;1,5;rot, blau\r\nA-2;Zwei;Fertig;04.04.2026 09:30;05.04.2026;2;\r\n'
)
ACCEPTED = {"id": "Schlüssel", "title": "Titel", "state": "Status", "created": "Erstellt", "completed": "Erledigt",
            "estimate": "Aufwand", "labels": "Tags"}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (GERMAN.encode(), ""),
        (b"\xef\xbb\xbf" + GERMAN.encode(), ""),
        (GERMAN.encode("cp1252"), "Windows-1252"),
        (GERMAN.encode("utf-16"), ""),
        (("sep=;\r\n" + GERMAN).encode(), ""),
        (
            GERMAN.replace("Tags", "Tags;Note, a, b, c, d, e, f, g")
            .replace("\r\n", ";\r\n")
            .replace("g;\r", "g\r")
            .encode(),
            "",
        ),
        (GERMAN.replace("Tags", 'Tags;"Note, a, b, c, d, e, f"').encode(), ""),
        (GERMAN.replace(";", "\t").replace('"Größe\t Länge"', "Größe; Länge").encode(), ""),
    ],
)
def test_encodings_separators_and_decimal_commas(tmp_path: Path, data: bytes, note: str) -> None:
    rows, pages = read(SheetFiles, file(tmp_path, data), columns=ACCEPTED)
    assert [(r["id"], r["title"], r["state"], r["estimate"], r["labels"]) for r in rows] == [
        ("A-1", "Größe; Länge", "Läuft", 1.5, ("rot", "blau")), ("A-2", "Zwei", "Fertig", 2.0, ()),
    ]  # fmt: skip
    assert [(r["created"], r["completed"]) for r in rows] == [
        (DAY("2026-04-03"), None), (DAY("2026-04-04T09:30"), DAY("2026-04-05")),
    ]  # fmt: skip
    problems = " ".join(problem for page in pages for problem in page.problems)
    assert note in problems
    assert "times without a zone are read as UTC" in problems


def test_without_a_mapping_it_is_proposed_from_the_headers_and_nothing_is_read(tmp_path: Path) -> None:
    path = file(tmp_path, GERMAN)
    with pytest.raises(Malformed, match="line 1: no column is stated for id and title and created") as refused:
        read(SheetFiles, path)
    assert '--map "id=Schlüssel" --map "title=Titel"' in refused.value.hint
    assert "--accept" in refused.value.hint
    rows, _ = read(SheetFiles, path, accept=True)
    assert len(rows) == 2
    assert suggest(["Key", "Summary", "Issue Type", "Sprint"], "items", {}) == {
        "id": "Key", "title": "Summary", "type": "Issue Type",
    }  # fmt: skip


def test_headers_that_are_our_words_need_no_mapping_and_the_rest_is_named(tmp_path: Path) -> None:
    rows, (page,) = read(SheetFiles, file(tmp_path, "id,title,created,Status,Colour\n1,One,2026-01-02,Open,red\n"))
    assert (rows[0]["key"], rows[0]["state"], rows[0]["updated"]) == ("1", None, DAY("2026-01-02"))
    assert "not read: Status (--map state=Status?), Colour" in page.problems[1]


@pytest.mark.parametrize(
    ("text", "stated", "what", "hint"),
    [
        ("id,title,created\n1,One,03/04/2026\n", {}, "column 'created': 03/04/2026 could be day or month", "--dates DMY"),
        ("id,title,created\n1,A,13/04/2026\n2,B,04/13/2026\n", {}, "some dates begin with the day", "mend"),
        ("id,title,created,estimate\n1,A,2026-01-01,\"1,234\"\n", {}, "column 'estimate': 1,234 could be", "--decimal"),
        ("id,title,created\n1,A\n2,B,2026-01-01,x\n", {}, "line 3: 4 cells, and the header names 3", "double quotes"),
        ("id,title,id\n1,A,2\n", {}, "two columns are called 'id'", "its own name"),
        ('id,title,created\n1,"A,2026-01-01\n', {}, "line 2: not CSV", "save it as CSV"),
        ("", {}, "is empty", "a header line"),
        ("id,title,created\n", {"columns": {"titel": "title"}}, "items have no 'titel'", "there are id, title"),
        ("id,title,created\n", {"columns": {"title": "Titel"}}, "no column 'Titel' for title", "did you mean 'title'"),
        ('{"id": 1}\nnope\n', {}, "line 2: not JSON", "one JSON object a line"),
        ('{"id": 1}\n[1]\n', {}, "line 2: not a JSON object", "one JSON object a line"),
    ],
)  # fmt: skip
def test_refusals_name_file_line_or_column_and_the_fix(
    tmp_path: Path, text: str, stated: dict[str, Any], what: str, hint: str
) -> None:
    with pytest.raises(Malformed) as refused:
        read(SheetFiles, file(tmp_path, text), **stated)
    assert "sheet.csv" in refused.value.what
    assert what in refused.value.what
    assert hint in refused.value.hint


def test_an_export_of_jira_or_linear_needs_no_mapping_by_hand(tmp_path: Path) -> None:
    jira = (
        "Summary,Issue key,Issue Type,Status,Project key,Created,Updated,Resolved,Labels,Labels,Custom field (Story Points)\n"
        '"Login, broken",PAY-7,Bug,Done,PAY,03/Oct/26 9:15 AM,05/Oct/26 1:00 PM,05/Oct/26 12:59 PM,red,blue,3.0\n'
    )
    linear = (
        '"ID","Team","Title","Status","Estimate","Labels","Created","Started","Completed"\n"ENG-1","Engineering","Fix","Done","2",'
        '"Bug, ui","Sat Oct 03 2026 09:15:12 GMT+0200 (CEST)","","Sun Oct 04 2026 09:15:12 GMT+0000 (GMT)"\n'
    )
    shown = ("id", "title", "source_team", "created", "completed", "estimate", "labels")
    told = []
    for text in (jira, linear):
        rows, pages = read(SheetFiles, file(tmp_path, text), accept=True)
        told += [tuple(row[name] for name in shown) for row in rows]
        assert ("without a zone" in str(pages)) == (text is jira)
    assert told == [
        ("PAY-7", "Login, broken", "PAY", DAY("2026-10-03T09:15"), DAY("2026-10-05T12:59"), 3.0, ("red", "blue")),
        ("ENG-1", "Fix", "Engineering", DAY("2026-10-03T07:15:12"), DAY("2026-10-04T09:15:12"), 2.0, ("Bug", "ui")),
    ]


def test_a_bad_cell_is_one_reject_with_its_line_and_column(tmp_path: Path) -> None:
    rows, (page,) = read(
        SheetFiles,
        file(
            tmp_path,
            "id,title,created,assignee,note\n1,A,2026-01-01\n2,B,yesterday,Ada,of Ada\n,C,2026-01-03\n4,D,31.02.2026\n",
        ),
    )
    assert page.rejects[0].raw == "2 | B | yesterday"
    assert [row["id"] for row in rows] == ["1"]
    assert [(r.where.rpartition(": ")[2], r.reason.partition(";")[0]) for r in page.rejects] == [
        ("line 3", "column 'created': 'yesterday' is no date"), ("line 4", "column 'id': is empty"),
        ("line 5", "column 'created': '31.02.2026' is no date: day is out of range for month"),
    ]  # fmt: skip


def test_values_that_decide_themselves() -> None:
    assert (day_first("01/02/2026", "13/02/2026"), day_first("02/13/2026"), day_first("2026-01-02")) == (
        True,
        False,
        None,
    )
    with pytest.raises(Undecided):
        day_first("01/02/2026")
    assert instant_of("2026-03-01T10:00:00+0800", None) == DAY("2026-03-01T02:00")
    assert instant_of("2026/3/1", None) == DAY("2026-03-01")
    assert instant_of("1/2/2026 8:05", False) == DAY("2026-01-02T08:05")
    as_others_write = {
        "03/Oct/26 9:15 PM": "2026-10-03T21:15",  # Jira's export
        "03/Okt/26 12:05 AM": "2026-10-03T00:05",
        "Sat Oct 03 2026 09:15:12 GMT+0200 (Central European Summer Time)": "2026-10-03T07:15:12",  # Linear's
        "Sat, 03 Oct 2026 09:15:00 GMT": "2026-10-03T09:15",
        "Oct 3, 2026 9:15 AM": "2026-10-03T09:15",
        "3. Oktober 2026": "2026-10-03",
        "3 juil. 2026": "2026-07-03",
        "10/3/26, 12:05 p.m.": "2026-10-03T12:05",  # Excel's, in the United States
        "2026-10-03 9:15": "2026-10-03T09:15",  # Google's
        "2026-10-03 9:15:00 PM": "2026-10-03T21:15",
        "2026-10-03 9:15 +0530": "2026-10-03T03:45",
        "2026-10-03 09:15:00.123456": "2026-10-03T09:15:00.123456",
        "1760000000": "2025-10-09T08:53:20",
        "1760000000000": "2025-10-09T08:53:20",
        "1760000000000000000": "2025-10-09T08:53:20",
    }
    assert {cell: instant_of(cell, False) for cell in as_others_write} == {
        cell: DAY(at) for cell, at in as_others_write.items()
    }
    for cell in ("31/Foo/26", "29 Feb 2026", "Oct 2026 3", "12345", "99999999999", "Sat, 03 Oct 2026 09:15:00 EST"):
        with pytest.raises(ValueError, match="is no date"):
            instant_of(cell, True)
    assert [decimal_comma(cell) for cell in ("1.234,50", "1,234.50", "12,5", "1.234.567", "7", "0,125")] == [
        True, False, True, True, False, True,
    ]  # fmt: skip
    assert decimal_comma("1,234", "2,5")
    numbers = [
        ("€ 1.234,50", True),
        ("1,234.50 USD", False),
        ("(12.00)", False),
        ("−3,5", True),
        ("1’234.5", False),
        ("2E3", False),
    ]
    assert [number_of(cell, comma) for cell, comma in numbers] == [
        Decimal("1234.50"), Decimal("1234.50"), Decimal("-12.00"), Decimal("-3.5"), Decimal("1234.5"), Decimal("2E3"),
    ]  # fmt: skip
    for cell in ("twelve", "1 of 2", "", "NaN"):
        with pytest.raises(ValueError, match="no number"):
            number_of(cell, comma=False)
    with pytest.raises(ValueError, match="larger than any amount"):
        number_of("1E+16", comma=False)


def test_opportunities_carry_their_scores_as_labels(tmp_path: Path) -> None:
    rows, _ = read(
        OpportunityFiles,
        file(tmp_path, '[{"id": 7, "title": "X", "created": "2026-01-01", "impact": 8, "effort": 2.5}]'),
    )
    assert (rows[0]["source_type"], rows[0]["labels"]) == ("Opportunity", ("impact: 8", "effort: 2.5"))


def test_numbers_and_texts_of_json_are_read_as_they_were_written(tmp_path: Path) -> None:
    lines = (
        '{"date": "2026-10-01", "amount": 1.125, "currency": "EUR", "service": "a\u2028b\u0085c"}\n'
        '{"date": "2026-10-01", "amount": 123456789012.123456789012, "currency": "EUR", "account": 9007199254740993}\n'
    )
    path = file(tmp_path, lines)
    for decimal in ("", ","):
        rows, _ = read(InvoiceFiles, path, decimal=decimal)
        assert [(r["billed_cost"], r["source_service"], r["account"]) for r in rows] == [
            (Decimal("1.125"), "a\u2028b\u0085c", None),
            (Decimal("123456789012.123456789012"), None, "9007199254740993"),
        ]
        assert type(rows[1]["account"]) is str


def test_an_invoice_replaces_the_same_month_of_the_same_provider(tmp_path: Path) -> None:
    text = (
        "Rechnungsdatum;Leistung;Betrag\n01.10.2026;API;1.200,50\n01.10.2026;API;1.200,50\n15.11.2026;Support;-20,00\n"
    )
    path = file(tmp_path, text)
    with pytest.raises(Malformed, match="no column is stated for currency"):
        read(InvoiceFiles, path, columns={"date": "Rechnungsdatum", "amount": "Betrag"})
    rows, (page,) = read(InvoiceFiles, path, accept=True, constants={"currency": "eur", "provider": "OpenAI"})
    assert [(r["billed_cost"], r["currency"], r["provider"], r["billing_start"], r["source_service"]) for r in rows] == [
        (Decimal("1200.50"), "EUR", "OpenAI", DAY("2026-10-01"), "API"),
        (Decimal("1200.50"), "EUR", "OpenAI", DAY("2026-10-01"), "API"),
        (Decimal("-20.00"), "EUR", "OpenAI", DAY("2026-11-01"), "Support"),
    ]  # fmt: skip
    assert len({row["row_hash"] for row in rows}) == 3
    assert page.replace is not None


@pytest.mark.parametrize("form", ["csv", "lines", "list", "lists"])
def test_pages_are_small_and_what_comes_twice_is_known_across_them(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "_PAGE_ROWS", 3)
    monkeypatch.setattr(json_items, "_PIECE", 9)
    bills = ["2026-10-01,7,EUR", *(f"2026-10-0{day},1.5,EUR" for day in range(1, 8)), "2026-10-01,7,EUR"]
    items = [*(f"A-{number},T,2026-10-01" for number in range(7)), "A-1,U,2026-10-01"]

    def sheet(columns: str, lines: list[str]) -> Path:
        objects = [json.dumps(dict(zip(columns.split(","), line.split(","), strict=True))) for line in lines]
        texts = {
            "csv": "\n".join([columns, *lines]),
            "lines": "\n".join(objects),
            "list": f"[{', '.join(objects)}]",
            "lists": f"[{', '.join(objects[:2])}]\n [{', '.join(objects[2:])}]\n",
        }
        return file(tmp_path, texts[form])

    path = sheet("date,amount,currency", bills)
    rows, pages = read(InvoiceFiles, path)
    assert [len(page.rows["costs"]) for page in pages] == [3, 3, 3, 0]
    assert len({page.replace for page in pages}) == 1, "one export, stored at once"
    assert len({row["row_hash"] for row in rows}) == 9
    assert [row["row_hash"] for row in read(InvoiceFiles, path)[0]] == [row["row_hash"] for row in rows]
    rows, pages = read(SheetFiles, sheet("id,title,created", items))
    assert [row["id"] for row in rows] == [f"A-{number}" for number in range(7)]
    header = form == "csv"
    assert [(r.where[-6:], r.reason) for page in pages for r in page.rejects] == [
        (f"line {8 + header}", f"the id A-1 is that of line {2 + header}")
    ]


def test_a_sheet_that_breaks_off_is_refused_before_its_first_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "_PAGE_ROWS", 1)
    one = '{"id": "1", "title": "a"}'
    table = "id,title,created\n1,a,2026-10-01\n2,b,2026-10-01,more\n"
    for broken in (
        table,
        f'{one}\n{{"id": "2',
        f'[{one}, {{"id": "2',
        f"[{one}, {one}",
        f"[{one}] {one}",
        f"[{one}, 2]",
    ):
        with pytest.raises(Malformed, match=r"line [23]: |item [23] of its list|behind its list"):
            next(iter(SheetFiles(Stated(constants={"created": "2026-10-01"})).pages([file(tmp_path, broken)], NOW)))


def test_load_by_command_line_and_by_configuration(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text("")
    path = file(tmp_path, GERMAN)
    aether("load", path, "--as", "items", cwd=tmp_path).refuses(2, "no column is stated", '--map "id=Schlüssel"')
    aether("load", path, "--map", "id=Schlüssel", cwd=tmp_path).refuses(2, "--as items")
    aether("load", path, "--as", "items", "--map", "id", cwd=tmp_path).refuses(2, "--map 'id' is not FIELD=")
    done = aether("load", path, "--as", "items", "--accept", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "columns: id = Schlüssel" in done.err
    columns = "\n".join(f'{name} = "{column}"' for name, column in ACCEPTED.items())
    (tmp_path / "aether.toml").write_text(f"[load.items.columns]\n{columns}\n[mapping.states]\nFertig = 'done'\n")
    done = aether("sync", cwd=tmp_path)
    assert (done.code, "2 rows derived again" in done.err) == (0, True), done.err
    aether("sync", cwd=tmp_path).refuses(2, "no source is configured")
    done = aether("load", path, "--as", "items", cwd=tmp_path)
    assert "0 new, 0 changed, 2 known" in done.out
    with Cache(tmp_path / ".aether" / "cache.duckdb").read() as lease:
        rows = lease.rows("SELECT source, key, category FROM work_items ORDER BY key")
    assert [(row["source"], row["key"], row["category"]) for row in rows] == [
        ("items", "A-1", None),
        ("items", "A-2", "done"),
    ]
    (tmp_path / "aether.toml").write_text("[load.itms]\n")
    aether("load", path, "--as", "items", cwd=tmp_path).refuses(2, "load")


def test_hostile_sheets_are_refused_or_read_and_never_crash(tmp_path: Path) -> None:
    odd = "id;title;created\n\u202e1;\x1b[31m;2026-01-01"
    nul = b"id,title,created\n\x00,\x00,\x00\n"
    for data in (b"\x00" * 5000, nul, b"=cmd|' /C calc'!A0,b\n1,2\n", odd.encode()):
        try:
            read(SheetFiles, file(tmp_path, data))
        except Malformed as error:
            assert "\x1b" not in error.what


def test_columns_of_one_name_are_values_of_one_field_and_elsewhere_named_apart(tmp_path: Path) -> None:
    text = "id,title,created,Labels,Labels,Sprint,Sprint\n1,One,46296.5,a,b,S1,S2\n2,Two,2026-10-02,,c,,\n1,Again,2026-10-03,,,,\n"
    rows, (page,) = read(SheetFiles, file(tmp_path, text), columns={"labels": "Labels", "project": "Sprint (2)"})
    assert [(row["labels"], row["project"]) for row in rows] == [(("a", "b"), "S2"), (("c",), None)]
    assert rows[0]["created"] == DAY("2026-10-01").replace(hour=12)
    assert [one.reason for one in page.rejects] == ["the id 1 is that of line 2"]
    assert "not read: Sprint" in page.problems[1]
    assert "days of Excel" in page.problems[2]


def test_an_opportunity_needs_no_date_and_no_number_but_an_id_of_its_own(tmp_path: Path) -> None:
    sheet = file(tmp_path, "title,impact\nA,8\nB,\n")
    rows, _ = read(OpportunityFiles, sheet, columns={"id": "title"})
    assert [(row["id"], row["created"], row["labels"]) for row in rows] == [
        ("A", None, ("impact: 8",)),
        ("B", None, ()),
    ]
    with pytest.raises(Malformed, match="the same id"):
        read(OpportunityFiles, sheet, constants={"id": "1"})


@pytest.mark.parametrize("month", ["2026-10", "10/2026", "2026/10", "October 2026"])
def test_a_month_on_an_invoice_is_the_whole_month(tmp_path: Path, month: str) -> None:
    rows, _ = read(InvoiceFiles, file(tmp_path, f"date,amount,currency\n{month},1 300.10,USD\n2026-10-05,2.5,USD\n"))
    assert [(row["charge_start"], row["charge_end"], row["billed_cost"]) for row in rows] == [
        (DAY("2026-10-01"), DAY("2026-11-01"), Decimal("1300.10")), (DAY("2026-10-05"), DAY("2026-10-06"), Decimal("2.5")),
    ]  # fmt: skip


def test_texts_of_requests_in_any_encoding_and_with_any_separator(tmp_path: Path) -> None:
    text = 'Nr, von, bis, wo;Anfrage\r\n1;Wie höflich, bitte?\r\n2;"zwei;\nZeilen"\r\n'
    wanted = [Asked("Wie höflich, bitte?", None), Asked("zwei;\nZeilen", None)]
    for coding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        path = file(tmp_path, text.encode(coding))
        assert list(read_requests(path, "Anfrage")) == wanted
        told = [problem for page in RequestFiles("Anfrage").pages([path], NOW) for problem in page.problems]
        assert told == ["is not UTF-8: read as Windows-1252 (Western European)"] * (coding == "cp1252")
    with pytest.raises(Malformed, match="no object has 'text'"):
        list(read_requests(file(tmp_path, '{"data": [{"text": "a"}]}', "x.json"), "text"))
