import logging
import os

import windows

from allxai_desktop.app import log


def test_a_log_that_a_second_window_has_open_is_written_on(tmp_path, monkeypatch):
    path = tmp_path / "allxai.log"
    path.write_bytes(b"x" * 2**20)
    monkeypatch.setattr(log, "log_file", lambda: path)
    monkeypatch.setattr(logging, "basicConfig", lambda **given: kept.extend(given["handlers"]))
    windows.refused_at_first(monkeypatch, "rename")
    kept: list[logging.Handler] = []
    log.start_log()
    (handler,) = kept
    handler.emit(logging.makeLogRecord({"msg": "not lost"}))
    handler.close()
    assert path.read_bytes().endswith(b"not lost" + os.linesep.encode())
    assert [found.name for found in tmp_path.iterdir()] == ["allxai.log"]
