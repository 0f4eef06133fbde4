"""Compression and archives: read through by content, refused with the file and the cap named."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import resource
import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import duckdb
import pytest

from connectors.base import Malformed, Sample
from connectors.files import FREE_BYTES, HEAD_BYTES, expand, inside, open_binary, read_all, sample
from connectors.sniff import csv_columns, json_keys, why_not_data

TEXT = b"".join(b"line %d of a report\n" % n for n in range(20_000))
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}


@pytest.mark.parametrize("packer", PACKERS)
def test_reads_through_compression_whatever_the_name(packer: str, tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_bytes(PACKERS[packer](TEXT))
    with open_binary(path) as stream:
        assert stream.read() == TEXT
    assert sample(path).head == TEXT[:HEAD_BYTES]


@pytest.mark.parametrize("packer", PACKERS)
def test_refuses_a_cut_file_before_its_first_byte(packer: str, tmp_path: Path) -> None:
    path = tmp_path / "cut.bin"
    packed = PACKERS[packer](TEXT)
    path.write_bytes(packed[: len(packed) * 2 // 3])
    with pytest.raises(Malformed, match=r"cut\.bin: cut short or damaged"):
        open_binary(path)


def _has_zstd() -> bool:
    for module in ("compression.zstd", "backports.zstd"):
        try:
            import_module(module)
        except ImportError:
            continue
        return True
    return False


def test_zstd_is_read_or_the_missing_package_is_named(tmp_path: Path) -> None:
    path = tmp_path / "report.zst"
    duckdb.sql(f"COPY (SELECT 'line ' || range AS a FROM range(1000)) TO '{path}' (FORMAT csv, COMPRESSION zstd)")
    if _has_zstd():
        with open_binary(path) as stream:
            assert stream.read().endswith(b"line 999\n")
        path.write_bytes(path.read_bytes()[:-10])
        with pytest.raises(Malformed, match="cut short"):
            open_binary(path)
    else:
        with pytest.raises(Malformed, match=r"zstd needs .* backports\.zstd"):
            sample(path)


def test_refuses_a_gzip_with_a_wrong_checksum(tmp_path: Path) -> None:
    path = tmp_path / "wrong.gz"
    packed = bytearray(gzip.compress(TEXT))
    packed[-6] ^= 0xFF
    path.write_bytes(packed)
    with pytest.raises(Malformed, match=r"wrong\.gz.*CRC"):
        open_binary(path)


def test_plain_files_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "plain"
    path.write_bytes(TEXT)
    with open_binary(path) as stream:
        assert stream.readline() == b"line 0 of a report\n"


def test_members_of_a_zip_are_files(tmp_path: Path) -> None:
    path = tmp_path / "artifact.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("unit/b.xml", "<b/>")
        zipped.writestr("unit/a.xml.gz", gzip.compress(b"<a/>"))
        zipped.writestr("__MACOSX/._a.xml", "junk")
    members = list(expand([path]))
    assert [member.relative_to(path).as_posix() for member in members] == ["unit/a.xml.gz", "unit/b.xml"]
    assert [sample(member).head for member in members] == [b"<a/>", b"<b/>"]
    with open_binary(members[0]) as stream:
        assert stream.read() == b"<a/>"
    with pytest.raises(Malformed, match="archive of 2 files"):
        sample(path)


def test_a_zip_of_one_file_is_that_file(tmp_path: Path) -> None:
    path = tmp_path / "one.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("costs.csv", "a,b\n")
    assert sample(path).head == b"a,b\n"


def test_a_damaged_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "artifact.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as zipped:
        zipped.writestr("a.txt", TEXT)
    data = bytearray(path.read_bytes())
    data[5000] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(Malformed, match=r"a\.txt: cut short or damaged.*CRC"):
        open_binary(path / "a.txt")


def test_a_zip_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "artifact.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("a.txt", TEXT)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(Malformed, match=r"artifact\.zip: a damaged zip archive"):
        list(expand([path]))


@pytest.mark.parametrize("name", ["../../outside.txt", "/etc/passwd", "a\\b.txt", "C:/x"])
def test_a_member_that_names_a_place_outside_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr(zipfile.ZipInfo(name), "x")
    with pytest.raises(Malformed, match="outside the archive"):
        list(expand([path]))


def test_an_archive_inside_an_archive_is_refused(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner.zip", tmp_path / "outer.zip"
    with zipfile.ZipFile(inner, "w") as zipped:
        zipped.writestr("a", "x")
    with zipfile.ZipFile(outer, "w") as zipped:
        zipped.write(inner, "inner.zip")
        zipped.writestr("b", "y")
    with pytest.raises(Malformed, match="archive inside an archive"):
        sample(outer / "inner.zip")


def test_a_bomb_is_refused_with_the_cap_named_and_memory_flat(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=6) as stream:
        for _ in range((FREE_BYTES >> 20) + 64):
            stream.write(bytes(1 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Malformed, match=r"bomb\.gz: inflates past the cap of 64 MiB"):
        open_binary(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 << 10


def test_a_document_over_its_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.json"
    path.write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(Malformed, match="larger than 1 MiB"):
        read_all(path, 1 << 20)


def test_folders_are_walked_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.xml", "a/z.xml", ".git/config", "a/.hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [path.relative_to(tmp_path).as_posix() for path in expand([tmp_path])] == ["a/z.xml", "b.xml"]


def test_a_folder_that_cannot_be_read_is_told_and_the_rest_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/z.xml", "b/y.xml"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("x")
    scandir = os.scandir

    def refused(path: str) -> object:
        if os.path.basename(path) == "a":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    told: list[OSError] = []
    assert inside(tmp_path, told.append) == [tmp_path / "b" / "y.xml"]
    assert [error.filename for error in told] == [str(tmp_path / "a")]
    with pytest.raises(Malformed, match=r"a: cannot be read \(Permission denied\)"):
        list(expand([tmp_path]))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=r"nowhere\.csv: no such file"):
        list(expand([tmp_path / "nowhere.csv"]))


def test_keys_and_columns_are_found_in_a_cut_head() -> None:
    assert json_keys(b'{"a": {"b": 1}, "c": "x{\\"", "d": [1, {"e') == ("a", "c", "d")
    assert json_keys(b'[{"a": 1}]') == ()
    assert csv_columns(b'\xef\xbb\xbf"a b",c\r\n1,2\r\n') == ("a b", "c")
    assert csv_columns(b"just a sentence") == ()


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"", "is empty"),
        (b'{"openapi": "3.0.1", "paths": {}}', "is a specification"),
        (b'{"$schema": "http://json-schema.org/draft-04/schema#"}', "is a specification"),
        (b'// Copyright\n\nsyntax = "proto3";', "is a specification"),
        (b"type Query {\n  a: Int\n}\n", "is a specification"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b'<?xml version="1.0"?>\n<TestRun id="1" xmlns="x">', "is a report of tests in another form"),
        (b'{"Time":"2026-10-01T10:00:00Z","Action":"start","Package":"a"}\n', "is a report of tests in another form"),
        (b'<?xml version="1.0"?><!DOCTYPE coverage SYSTEM "x">\n<coverage line-rate="1">', "is a report of coverage"),
        (b'{"total_count": 30, "workflow_runs": [{"id": 1}]}', "is runs of a pipeline: `aether-tui budget check`"),
        (b'{"action": "completed", "workflow_run": {"id": 1}}', "is a single webhook event"),
        (b"\x00\x01\x02", "is binary"),
        (b"hello", "is of no kind"),
    ],
)
def test_says_why_a_file_is_not_data(head: bytes, reason: str) -> None:
    assert why_not_data(Sample(Path("x"), head)).startswith(reason)
