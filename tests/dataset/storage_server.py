"""An S3 server, moto's, that can be told to refuse writes or to break off in the middle."""

import socket
import threading
from collections.abc import Iterable
from contextlib import contextmanager

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

BUCKET = "archive"
REFUSED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
WRITES = ("PUT", "POST")


class Quiet(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        pass


class StorageServer:
    """`writes` are the paths that were written; after `most` of them it does as `fault` says."""

    def __init__(self) -> None:
        self.app = DomainDispatcherApplication(create_backend_app)
        self.writes: list[str] = []
        self.most: int | None = None
        self.fault = "refuse"
        self.lock = threading.Lock()
        self.server = make_server("127.0.0.1", 0, self, threaded=True, request_handler=Quiet)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def healed(self) -> None:
        self.most, self.writes = None, []

    def __call__(self, environ, start_response) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] in WRITES and path.count("/") > 1:
            with self.lock:
                broken = self.most is not None and len(self.writes) >= self.most
                if not broken:
                    self.writes.append(path)
            if broken and self.fault == "refuse":
                start_response("403 Forbidden", [("Content-Type", "application/xml")])
                return [REFUSED]
            if broken:
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
                return []
        return self.app(environ, start_response)


@contextmanager
def serving():
    served = StorageServer()
    thread = threading.Thread(target=served.server.serve_forever, daemon=True)
    thread.start()
    yield served
    served.server.shutdown()
    thread.join()
    served.server.server_close()
