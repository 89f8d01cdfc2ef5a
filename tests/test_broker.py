"""The embedded broker: a folder of files, which several processes write and read."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection

from gatehub import broker, celery


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "queue").mkdir()
    return tmp_path / "queue"


@pytest.fixture
def open_channel(folder, tmp_path):
    """`open_channel()`: a channel of a connection of its own, as each process has one."""
    opened = []

    def connect():
        options = {
            "data_folder_in": str(folder), "data_folder_out": str(folder), "control_folder": str(tmp_path / "control"),
            "store_processed": False,
        }  # fmt: skip
        opened.append(Connection("filesystem://", transport_options=options))
        return opened[-1].default_channel

    yield connect
    for connection in opened:
        connection.release()


def test_the_product_uses_it(open_channel):
    assert celery.TRANSPORT_ALIASES["filesystem"] == "gatehub.broker:FileTransport"
    assert isinstance(open_channel(), broker.FileChannel)


def test_messages_come_in_order_and_once(open_channel):
    sender, reader = open_channel(), open_channel()
    for number in range(3):
        sender._put("celery", {"number": number})
    assert sorted(reader._get("celery")["number"] for _ in range(3)) == [0, 1, 2]
    with pytest.raises(Empty):
        reader._get("celery")


def test_nobody_sees_a_message_that_is_not_whole(open_channel, folder, monkeypatch):
    """Workers that took an empty file ended."""
    sender, seen = open_channel(), []
    written = Path.write_text

    def write(path, *args, **kwargs):
        path.touch()
        seen.extend(folder.glob("*.celery.msg"))
        return written(path, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", write)
    sender._put("celery", {"number": 1})
    assert [file for file in seen if not file.name.startswith(".")] == []
    (message,) = (file for file in folder.iterdir() if not file.name.startswith("."))
    assert json.loads(message.read_text()) == {"number": 1}


def test_while_one_writes_another_reads_each_message_whole(open_channel):
    sender, reader, got = open_channel(), open_channel(), []

    def send():
        for number in range(500):
            sender._put("celery", {"number": number})

    thread = threading.Thread(target=send)
    thread.start()
    while thread.is_alive() or len(got) < 500:
        try:
            got.append(reader._get("celery")["number"])
        except Empty:
            continue
    thread.join()
    assert sorted(got) == list(range(500))


@pytest.mark.parametrize("content", [b"", b'{"number": ', b"\xff\xfe"])
def test_a_message_that_cannot_be_read_ends_no_worker(open_channel, folder, content, caplog):
    channel = open_channel()
    (folder / "0_broken.celery.msg").write_bytes(content)
    channel._put("celery", {"number": 1})
    assert channel._get("celery") == {"number": 1}
    assert "cannot be read" in caplog.text
    assert list(folder.iterdir()) == []


def test_a_table_of_queues_is_there_whole_and_keeps_what_others_bind(open_channel, tmp_path):
    first, second = open_channel(), open_channel()
    first._queue_bind("gatehub", "a", "", "one")
    second._queue_bind("gatehub", "b", "", "two")
    assert {entry.queue for entry in first.get_table("gatehub")} == {"one", "two"}
    assert [file.name for file in (tmp_path / "control").iterdir()] == ["gatehub.exchange"]
