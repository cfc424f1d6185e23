"""Files come from a server on this machine."""

import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from allxai_desktop.networks import downloads
from allxai_desktop.networks.downloads import certificates, download
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.tasks import Cancelled

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    """Gives /whole, of /cut the half of what it promises, and of nothing else anything."""

    def do_GET(self):
        if self.path not in {"/whole", "/cut"}:
            self.send_error(404, "Not Found")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT if self.path == "/whole" else CONTENT[: len(CONTENT) // 2])

    def log_message(self, *_args):
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as found:
        thread = Thread(target=found.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()
        thread.join()


def test_a_file_arrives_whole_with_progress(server, tmp_path):
    path, shares = tmp_path / "new" / "a.pth", []
    download(f"{server}/whole", path, SHA256[:8], shares.append)
    assert path.read_bytes() == CONTENT
    assert [shares[0], shares[-1], len(shares)] == [0.0, 1.0, 5]
    assert [found.name for found in path.parent.iterdir()] == ["a.pth"]


@pytest.mark.parametrize("system", ["darwin", "linux"])
def test_a_python_of_macos_without_certificates_takes_those_that_come_along(tmp_path, monkeypatch, system):
    (tmp_path / "none").mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    monkeypatch.setattr("sys.platform", system)
    assert bool(certificates().get_ca_certs()) == (system == "darwin")


def test_a_server_is_believed_by_those_certificates(tmp_path, monkeypatch):
    known, asked = object(), []

    def urlopen(url, *, timeout, context):
        asked.append(context)
        raise OSError("refused")

    monkeypatch.setattr(downloads, "certificates", lambda: known)
    monkeypatch.setattr(downloads, "urlopen", urlopen)
    with pytest.raises(NetworkError):
        download("https://127.0.0.1:1/a.pth", tmp_path / "a.pth", SHA256)
    assert asked == [known]


@pytest.mark.parametrize(
    ("name", "sha256", "sentence"),
    [
        ("cut", SHA256, r"^a\.pth did not arrive whole: try again, or choose other weights to start from\.$"),
        ("whole", "0" * 8, r"^a\.pth did not arrive whole"),
        ("gone", SHA256, r"^a\.pth could not be downloaded \(.*Not Found\): connect to the internet, "),
    ],
)
def test_nothing_is_kept_of_a_file_that_is_not_the_right_one(server, tmp_path, name, sha256, sentence):
    with pytest.raises(NetworkError, match=sentence):
        download(f"{server}/{name}", tmp_path / "a.pth", sha256)
    assert not list(tmp_path.iterdir())


def test_a_server_that_does_not_answer_is_told_in_one_sentence(tmp_path):
    with pytest.raises(NetworkError, match=r"^a\.pth could not be downloaded \(.*refused\): connect to"):
        download("http://127.0.0.1:1/a.pth", tmp_path / "a.pth", SHA256)
    assert not list(tmp_path.iterdir())


def test_a_download_can_be_cancelled(server, tmp_path):
    def cancel(share):
        if share > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        download(f"{server}/whole", tmp_path / "a.pth", SHA256, cancel)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_takes_no_file_is_told_in_one_sentence(server, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NetworkError, match=r"^a\.pth was not kept in .*file .*: free space there"):
        download(f"{server}/whole", tmp_path / "file" / "a.pth", SHA256)
