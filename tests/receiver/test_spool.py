"""The spool: what was acknowledged is there again, whatever the end of its writer looked like."""

from __future__ import annotations

import struct
import zlib
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from aether_tui.cache.spool import Spool, UnreadableSegment, left_over
from aether_tui.records.source import Reject
from aether_tui.records.tables import SPANS
from tests.receiver.serving import stored, writer


def row(number: int) -> tuple[object, ...]:
    return SPANS.row(
        trace_id="a" * 32, span_id=f"{number:016x}", name="naïve 🙂", start=datetime(2026, 11, 1, 1, 2, 3, 456789),  # noqa: DTZ001
        duration_s=0.1, input_tokens=2**53 + 1, reported_cost_usd=Decimal("0.000000123456"), attributes='{"a":1}',
    )  # fmt: skip


def test_rows_come_back_as_they_went_in(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SPANS)
    reject = Reject("spans", "bad", "raw", "place")
    spool.append([row(1), row(2)], [])
    spool.append([row(3)], [reject])
    segment = spool.take()
    assert segment is not None and segment.rows == 3
    assert spool.take() is None
    assert list(spool.format.read(segment.path)) == [([row(1), row(2)], [], []), ([row(3)], [reject], [])]
    segment.path.unlink()
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_a_torn_tail_costs_only_itself_and_no_flipped_bit_passes_for_one(tmp_path: Path) -> None:
    spool, ends = Spool(tmp_path, SPANS), [0]
    for number in (1, 2, 3):
        spool.append([row(number)], [])
        ends.append(spool._end)
    segment = spool.take()
    assert segment is not None
    path, data, kept = segment.path, segment.path.read_bytes(), []

    def read(said: bytes) -> None:
        kept.clear()
        path.write_bytes(said)
        for rows, _, _ in spool.format.read(path):
            kept.extend(rows)

    for size in range(len(data)):
        read(data[:size])
        assert kept == [row(1), row(2), row(3)][: sum(end <= size for end in ends[1:])]
    for place in range(len(data)):
        try:
            read(data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :])
        except UnreadableSegment:
            assert kept[: (before := sum(end <= place for end in ends[1:]))] == [row(1), row(2)][:before]
        else:  # of the last frame only the length is damaged
            assert kept == [row(1), row(2), row(3)]
    spool.close()


def test_where_no_file_can_be_opened_the_open_one_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool, other = Spool(tmp_path / "spool", SPANS, segment_rows=1), tmp_path / "other"
    with monkeypatch.context() as patch:
        patch.setattr("os.open", lambda *_: (_ for _ in ()).throw(OSError(24, "Too many open files")))
        spool.append([row(1)], [])
    other.write_text("somebody else's")
    with other.open("r+"):  # would get the number of a file that was closed too early
        spool.append([row(2)], [])
    assert other.read_text() == "somebody else's"
    segment = spool.take()
    assert segment is not None and segment.rows == 2
    assert [number for rows, _, _ in spool.format.read(segment.path) for number in rows] == [row(1), row(2)]
    spool.close()


def test_only_what_nobody_holds_is_left_over(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SPANS)
    spool.append([row(1)], [])
    assert list(left_over(tmp_path)) == []
    spool.close()  # with a segment that was never stored
    assert len(list(left_over(tmp_path))) == 1


def test_the_next_command_stores_what_a_killed_receiver_left_and_sets_aside_what_it_cannot_read(tmp_path: Path) -> None:
    one = writer(tmp_path)
    spool = Spool(one.spool, SPANS)
    spool.append([row(1), row(2)], [Reject("spans", "bad", "raw", "place")])
    spool.take()
    odd = one.spool / "1-odd"
    odd.mkdir()
    body = b"\x92\x90\x01"
    (odd / "1.frames").write_bytes(struct.pack("<II", len(body), zlib.crc32(body)) + body)
    spool.close()
    told = one.open()
    assert [sentence.split()[0] for sentence in told] == ["received", "2"]
    assert stored(one.cache) == [2]
    assert sorted(path.name for path in one.spool.rglob("*") if path.is_file()) == ["1.unreadable", "lock"]
    assert one.open() == []
