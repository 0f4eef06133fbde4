"""FOCUS exports through the real cache: sums against the oracle, generations of columns, replacement."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from aether_tui.cache import Cache
from aether_tui.config import Config
from aether_tui.ingest import Ingest
from aether_tui.ingest.mapping import Mapper
from aether_tui.records import Value
from aether_tui.sync.intake import Counts, Intake, Writer
from connectors.base import Malformed, Reject
from connectors.files import expand, sample
from connectors.focus import COLUMNS, FocusFiles, version_of
from connectors.sniff import why_not_data
from tests.files.reading import NOW, named

KIND = FocusFiles()
BASE = {
    "BilledCost": "1.5", "EffectiveCost": "1.25", "ListCost": "2", "ContractedCost": "1.5", "BillingCurrency": "USD",
    "ChargeCategory": "Usage", "ChargePeriodStart": "2026-09-01T00:00:00Z", "ChargePeriodEnd": "2026-09-02T00:00:00Z",
    "BillingPeriodStart": "2026-09-01T00:00:00Z", "BillingPeriodEnd": "2026-10-01T00:00:00Z", "ServiceName": "Compute",
    "BillingAccountId": "b1",
}  # fmt: skip


def export(path: Path, *rows: dict[str, str]) -> Path:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def load(tmp_path: Path, *paths: Path) -> tuple[list[dict[str, Value]], list[Reject]]:
    """What the cache reads from the pages of some files."""
    cache, rows, rejects = Cache(tmp_path / "cache.duckdb"), list[dict[str, Value]](), list[Reject]()
    for page in KIND.pages(list(paths), NOW):
        assert page.replace is not None
        rejects.extend(page.rejects)
        rows.extend(named("costs", row) for row in page.rows.get("costs", ()))
        for chunk in () if page.bulk is None else cache.read_bulk(page.bulk, rejects=rejects):
            rows.extend(named("costs", row) for row in chunk["costs"])
    return rows, rejects


def summed(rows: list[dict[str, Value]], column: str) -> Decimal:
    return sum((value for row in rows if isinstance(value := row[column], Decimal)), Decimal(0))


def test_the_real_sample_equals_the_oracle(contracts: Path, tmp_path: Path) -> None:
    name = "focus/focus_sample_1.0.rows0001-0500.csv.gz"
    fact = json.loads((contracts / "facts.json").read_text())[name]
    assert KIND.recognises(sample(contracts / name))
    rows, rejects = load(tmp_path, contracts / name)
    assert not rejects
    assert len(rows) == len({row["row_hash"] for row in rows}) == fact["rows"]
    for column, focus in (
        ("billed_cost", "BilledCost"), ("effective_cost", "EffectiveCost"), ("list_cost", "ListCost"),
        ("contracted_cost", "ContractedCost"),
    ):  # fmt: skip
        assert summed(rows, column) == Decimal(fact[focus]["sum"]), focus
        costs = [row[column] for row in rows]
        assert costs.count(None) == fact[focus]["null"]
        assert sum(isinstance(cost, Decimal) and cost < 0 for cost in costs) == fact[focus]["negative"]
    assert Counter(row["charge_category"] for row in rows) == fact["charge_category"]
    assert Counter(row["currency"] for row in rows) == fact["currency"]
    assert Counter(row["provider"] for row in rows) == fact["provider"]
    assert {row["charge_class"] for row in rows} == {None}
    assert sum(row["tags"] is None for row in rows) == fact["tags_null"]
    assert len({row["source_service"] for row in rows}) == fact["distinct_service_names"]
    starts, ends = ([str(row[column]) for row in rows] for column in ("charge_start", "charge_end"))
    assert [min(starts), max(ends)] == fact["charge_period"]
    tags = {tag for row in rows if row["tags"] for tag in json.loads(str(row["tags"]))}
    assert {"application", "environment", "business_unit"} <= tags
    for category, wanted in fact["effective_by_service_category"].items():
        part = [row for row in rows if row["service_category"] == category]
        assert summed(part, "effective_cost") == Decimal(wanted)


def test_the_same_rows_as_parquet_are_the_same(contracts: Path, tmp_path: Path) -> None:
    source = contracts / "focus" / "focus_sample_1.0.rows0001-0500.csv.gz"
    path = tmp_path / "part-0.parquet"
    with gzip.open(source, "rt") as text:
        small = ", ".join(f'{name} AS "{name.lower()}"' for name in text.readline().strip().split(","))
    duckdb.sql(  # names in small letters as Athena writes them, and text that is not said to be text
        f"COPY (SELECT {small} FROM (SELECT * REPLACE (CAST(BilledCost AS DECIMAL(30, 11)) AS BilledCost, "
        f"ServiceName::BLOB AS ServiceName, CAST(ChargePeriodStart AS TIMESTAMP) AS ChargePeriodStart) "
        f"FROM read_csv('{source}', all_varchar = true, nullstr = 'NULL'))) TO '{path}' (FORMAT parquet)"
    )
    assert KIND.recognises(sample(path))
    parquet, rejects = load(tmp_path, path)
    plain, _ = load(tmp_path, source)
    assert not rejects
    assert sorted(parquet, key=_key) == sorted(plain, key=_key)


def _key(row: dict[str, Value]) -> str:
    row.pop("row_hash")  # the hash is over the file's own text
    return repr(sorted(row.items()))


def test_other_parquet_files_are_not_claimed(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    duckdb.sql(f"COPY (SELECT 1 AS BilledCostOther, 2 AS ChargeCategory) TO '{path}' (FORMAT parquet)")
    assert not KIND.recognises(sample(path))
    with pytest.raises(Malformed, match="has no column BilledCost, ChargePeriodStart, BillingCurrency"):
        load(tmp_path, path)


@pytest.mark.parametrize(
    ("more", "version", "provider"),
    [
        ({"ProviderName": "AWS"}, "1.0", "AWS"),
        ({"ProviderName": "AWS", "ServiceSubcategory": "x"}, "1.1", "AWS"),
        ({"ProviderName": "AWS", "InvoiceId": "1"}, "1.2", "AWS"),
        ({"ProviderName": "old", "ServiceProviderName": "AWS", "HostProviderName": "h"}, "1.3", "AWS"),
        ({"ProviderName": "AWS", "ServiceProviderName": "NULL"}, "1.3", "AWS"),
        ({"ServiceProviderName": "AWS", "HostProviderName": "h"}, "1.4", "AWS"),
    ],
)
def test_both_generations_of_columns(more: dict[str, str], version: str, provider: str, tmp_path: Path) -> None:
    path = export(tmp_path / "x.csv", {**BASE, **more})
    assert KIND.recognises(sample(path))
    assert version_of(tuple({**BASE, **more})) == version
    (page,) = KIND.pages([path], NOW)
    assert list(page.problems) == [f"{path}: read as FOCUS {version}"]
    (row,), _ = load(tmp_path, path)
    assert row["provider"] == provider


def test_columns_exist_in_the_standard(contracts: Path) -> None:
    standard = set(json.loads((contracts / "focus" / "focus_columns_1.0-1.2.json").read_text()))
    later = {"ServiceProviderName", "HostProviderName", "Region"}
    assert {name for names in COLUMNS.values() for name in names} - later <= standard


def test_money_is_exact_nulls_stay_null_and_bad_cells_are_rejects(tmp_path: Path) -> None:
    rows, rejects = load(
        tmp_path,
        export(
            tmp_path / "x.csv",
            {**BASE, "BilledCost": "0.00000000001"},
            {**BASE, "BilledCost": "1E-7"},
            {**BASE, "BilledCost": "-3"},
            {**BASE, "BilledCost": "NULL", "Tags": "NULL"},
            {**BASE, "BilledCost": "\\N", "Tags": "\\N"},
            {**BASE, "BilledCost": "a lot"},
        ),
    )
    assert {row["billed_cost"] for row in rows} == {Decimal("1E-11"), Decimal("1E-7"), Decimal(-3), None}
    assert {row["tags"] for row in rows} == {None}
    assert ["billed_cost" in reject.reason for reject in rejects] == [True]


def stored(cache: Cache, *paths: Path) -> Counts:
    intake = Intake(Writer(cache, Ingest(Config(), bytes(32)), lambda: NOW), "focus", "files")
    counts = Counts()
    for page in KIND.pages(list(paths), NOW):
        counts.add(intake.page(page))
    counts.add(intake.finish())
    return counts


def test_identical_rows_keep_an_ordinal_over_all_files_packed_or_not(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.duckdb")
    files = [export(tmp_path / f"{n}.csv", BASE, {**BASE, "BilledCost": f"{n}"}, BASE) for n in range(2)]
    packed = tmp_path / "0.csv.xz"
    packed.write_bytes(lzma.compress(files[0].read_bytes()))
    assert stored(cache, *files).inserted == 6
    with cache.read() as lease:
        rows = lease.rows("SELECT row_hash, billed_cost FROM costs ORDER BY billed_cost, row_hash")
    assert [float(str(row["billed_cost"])) for row in rows] == [0, 1, 1.5, 1.5, 1.5, 1.5]
    assert [str(row["row_hash"])[32:] for row in rows] == ["-0", "-0", "-0", "-1", "-2", "-3"]
    assert len({str(row["row_hash"])[:32] for row in rows}) == 3
    for others in (reversed(files), (packed, files[1])):
        again = stored(cache, *others)
        assert (again.unchanged, again.inserted, again.removed) == (6, 0, 0)
    assert stored(cache, files[1]).removed == 3
    assert cache.verify() == []


RUNS = ("0b6b4c9e-1f7e-4a33-9a54-1c2d3e4f5a6b", "1b6b4c9e-1f7e-4a33-9a54-1c2d3e4f5a6b")


@pytest.mark.parametrize(
    ("period", "runs", "told"),
    [
        ("20260901-20260930", RUNS, True),  # Azure: the manifest tells
        ("20260901-20260930", RUNS, False),  # the files tell
        ("20260901-20260930", (f"202609150600/{RUNS[1]}", f"202609160600/{RUNS[0]}"), False),
        ("BILLING_PERIOD=2026-09", (f"2026-09-15T06:00:00Z-{RUNS[1]}", f"2026-09-16T06:00:00Z-{RUNS[0]}"), False),
    ],
)
def test_of_several_runs_of_one_export_the_newest_counts(
    period: str, runs: tuple[str, str], told: bool, tmp_path: Path
) -> None:
    paths = []
    for day, run in enumerate(runs, 15):
        folder = tmp_path / period / run
        folder.mkdir(parents=True)
        paths.append(export(folder / "part_0_0001.csv", *[BASE] * day))
        if told:
            (folder / "manifest.json").write_text(f'{{"runInfo": {{"submittedTime": "2026-09-{day}T06:00:00Z"}}}}')
        elif runs == RUNS:
            os.utime(paths[-1], (1_700_000_000 + day, 1_700_000_000 + day))
    rows, _ = load(tmp_path, *paths)
    assert len(rows) == 16
    problems = [problem for page in KIND.pages(paths, NOW) for problem in page.problems]
    assert any("a newer run of the same export lies beside it" in problem for problem in problems)
    other = tmp_path / period.replace("09", "08") / runs[0]
    other.mkdir(parents=True)
    rows, _ = load(tmp_path, *paths, export(other / "part_0_0001.csv", BASE))
    assert len(rows) == 17
    if runs == RUNS and not told:
        os.utime(paths[0], (1_700_000_016, 1_700_000_016))
        with pytest.raises(Malformed, match="nothing tells which is newer"):
            load(tmp_path, *paths)


AZURE, AWS = ("part_0_0001.csv", "part_1_0001.csv"), ("bill-00001.csv.gz", "bill-00002.csv.gz")


@pytest.mark.parametrize(
    ("names", "manifest", "said"),
    [
        (AZURE, "x/manifest.json", {"blobs": [{"blobName": f"exports/run/{name}"} for name in AZURE]}),
        (AWS, "bill/metadata/BILLING_PERIOD=2026-09/bill-Manifest.json",
         {"dataFiles": [f"s3://bucket/bill/data/BILLING_PERIOD=2026-09/{name}" for name in AWS]}),
        (AWS, "x/bill-Manifest.json", {"dataFiles": [f"s3://bucket/{name}" for name in AWS]}),
        (AWS, "", {}),
        (("focus000000000000.csv", "focus000000000001.csv"), "", {}),
    ],
)  # fmt: skip
def test_a_part_of_an_export_is_refused_without_the_others(
    names: tuple[str, str], manifest: str, said: dict[str, object], tmp_path: Path
) -> None:
    home = manifest.replace("metadata", "data") or "x/none"
    folder = (tmp_path / home).parent
    folder.mkdir(parents=True)
    first, second = (export(folder / name.removesuffix(".gz"), BASE) for name in names)  # unpacked by hand
    if manifest:
        (tmp_path / manifest).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / manifest).write_text(json.dumps(said))
    rows, _ = load(tmp_path, first, second)
    assert len(rows) == 2
    with pytest.raises(Malformed, match=rf"{first.name}: one part of an export; {second.name}") as refused:
        load(tmp_path, first)
    assert refused.value.hint == "load them together, or their folder; fetch what is not there"
    if manifest:
        second.unlink()
        with pytest.raises(Malformed, match=second.name):
            load(tmp_path, first)
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
            packed.write(first, f"{folder.relative_to(tmp_path)}/{first.name}")
            packed.write(tmp_path / manifest, manifest)
        with pytest.raises(Malformed, match=second.name):
            load(tmp_path, *(path for path in expand([tmp_path / "all.zip"]) if path.suffix == ".csv"))
    assert len(load(tmp_path, export(folder / "other.csv", BASE))[0]) == 1


def test_an_export_replaces_by_account_and_billing_period_and_is_as_old_as_its_newest_file(tmp_path: Path) -> None:
    old, new = export(tmp_path / "old.csv", BASE), export(tmp_path / "new.csv", BASE)
    os.utime(old, (1_600_000_000, 1_600_000_000))
    os.utime(new, (1_700_000_000, 1_700_000_000))
    (page,) = KIND.pages([old, new], NOW)
    assert page.replace is not None
    assert (page.replace.table, page.replace.scope) == ("costs", ("provider", "account", "billing_start"))
    assert str(page.replace.as_of) == "2023-11-14 22:13:20"
    assert page.bulk is not None
    assert page.bulk.paths == (old, new)
    (row,), _ = load(tmp_path, old)
    assert (row["account"], str(row["billing_start"])) == ("b1", "2026-09-01 00:00:00")


def test_a_cut_gzip_is_refused(contracts: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.csv.gz"
    path.write_bytes((contracts / "focus" / "focus_sample_1.0.rows0001-0500.csv.gz").read_bytes()[:30_000])
    with pytest.raises(Malformed, match=r"cut\.csv\.gz: .*(cut short|damaged)"):
        load(tmp_path, path)


def test_gzip_whatever_its_name(tmp_path: Path) -> None:
    path = export(tmp_path / "x.csv", BASE)
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert len(load(tmp_path, path)[0]) == 1


def test_columns_of_the_vendor_are_kept_with_the_tags_and_can_be_mapped(tmp_path: Path) -> None:
    """However the file is packed, and beside tags of any form."""
    rows = [
        {**BASE, "Tags": '{"env":"prod","a":{"b":1}}', "x_CostCenter": "CC 7", "x_Empty": "", "X_Owner": "Größe"},
        {**BASE, "Tags": "NULL", "x_CostCenter": "NULL", "x_Empty": "", "X_Owner": "b"},
        {**BASE, "Tags": "no object", "x_CostCenter": "c", "x_Empty": "", "X_Owner": ""},
        {**BASE, "Tags": "kept as it is", "x_CostCenter": "", "x_Empty": "", "X_Owner": ""},
    ]
    plain, packed, parquet = export(tmp_path / "a.csv", *rows), tmp_path / "b.csv.xz", tmp_path / "c.parquet"
    packed.write_bytes(lzma.compress(plain.read_bytes()))
    duckdb.sql(f"COPY (SELECT * FROM read_csv('{plain}', all_varchar = true)) TO '{parquet}'")
    for path in (plain, packed, parquet):
        found, rejects = load(tmp_path, path)
        assert rejects == []
        assert sorted(str(row["tags"]) for row in found) == [
            "kept as it is", '{"Tags":"no object","x_CostCenter":"c"}', '{"X_Owner":"b"}',
            '{"env":"prod","a":{"b":1},"X_Owner":"Größe","x_CostCenter":"CC 7"}',
        ]  # fmt: skip
    mapping = Config.model_validate({"mapping": {"cost_tags": {"team": ["x_costcenter"]}}}).mapping
    assert Mapper(mapping).cost_dimensions({"x_CostCenter": "CC 7"}, None, None)[2] == "CC 7"


@pytest.mark.parametrize("packer", ["xz", "bz2", "zip"])
def test_packed_otherwise_the_rows_are_the_same(packer: str, contracts: Path, tmp_path: Path) -> None:
    source = contracts / "focus" / "focus_sample_1.0.rows0001-0500.csv.gz"
    text = gzip.decompress(source.read_bytes())
    path = tmp_path / f"costs.{packer}"
    if packer == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("costs/part-0.csv", text)
        (path,) = expand([path])
    else:
        path.write_bytes(lzma.compress(text) if packer == "xz" else bz2.compress(text))
    assert KIND.recognises(sample(path))
    rows, rejects = load(tmp_path, path)
    plain, _ = load(tmp_path, source)
    assert not rejects
    assert sorted(rows, key=_hash) == sorted(plain, key=_hash)


@pytest.mark.parametrize("writer", ["mixed", "late mixed", "slashes", "UTF-16", "\\r", "|"])
def test_however_it_is_written_the_rows_are_the_same(writer: str, tmp_path: Path) -> None:
    """Rows behind other line ends would be lost without a word, tags behind backslashes be no JSON."""
    tags = json.dumps({"team": 'a "b", c\n', "inner": json.dumps({"x": "1"})})
    rows = [{**BASE, "BilledCost": str(n), "ServiceName": "two\nlines", "Tags": tags} for n in range(2_000)]
    plain, other = export(tmp_path / "a.csv", *rows), tmp_path / "b.csv"
    lines = plain.read_bytes().split(b"\r\n")
    turn = {"mixed": 9, "late mixed": 1_900}.get(writer, len(lines))
    whole = b"\r\n".join(lines[:turn]) + b"\r\n" + b"\n".join(lines[turn:])
    slashed = whole.replace(b'""', b'\\"').replace(b'\\\\"', b'\\\\\\"')
    barred = io.StringIO(newline="")
    csv.writer(barred, delimiter="|").writerows(csv.reader(io.StringIO(plain.read_bytes().decode(), newline="")))
    other.write_bytes(
        {"slashes": slashed, "UTF-16": whole.decode().encode("utf-16"), "\\r": b"\r".join(lines),
         "|": barred.getvalue().encode()}.get(writer, whole)
    )  # fmt: skip
    assert KIND.recognises(sample(other))
    found, rejects = load(tmp_path, other)
    assert not rejects
    assert sorted(found, key=_hash) == sorted(load(tmp_path, plain)[0], key=_hash)


def _hash(row: dict[str, Value]) -> str:
    return str(row["row_hash"])


def test_packed_and_plain_files_of_one_export_keep_their_rejects(tmp_path: Path) -> None:
    plain = export(tmp_path / "a.csv", BASE, {**BASE, "BilledCost": "a lot"})
    packed = tmp_path / "b.csv.xz"
    packed.write_bytes(lzma.compress(plain.read_bytes()))
    rows, rejects = load(tmp_path, plain, packed)
    assert rows[0] == rows[1]
    assert [reject.where for reject in rejects] == [f"{plain} row 2", f"{packed} row 2"]


def test_packed_parquet_is_not_claimed_and_told_why(tmp_path: Path) -> None:
    path, packed = tmp_path / "x.parquet", tmp_path / "x.parquet.xz"
    columns = ", ".join(f"'{value}' AS {name}" for name, value in BASE.items())
    duckdb.sql(f"COPY (SELECT {columns}) TO '{path}' (FORMAT parquet)")
    assert KIND.recognises(sample(path))
    packed.write_bytes(lzma.compress(path.read_bytes()))
    assert not KIND.recognises(sample(packed))
    assert "packed once more" in why_not_data(sample(packed))
