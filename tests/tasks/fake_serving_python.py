"""Stands in for the serving environment's Python: a small server with vLLM's life and addresses.

What it does wrong is told by FAKE in its environment. It starts one more process, in a session of
its own, as workers are started.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FAULT = os.environ.get("FAKE", "")


class Handler(BaseHTTPRequestHandler):
    hangs = False

    def do_GET(self) -> None:
        if Handler.hangs:
            time.sleep(60)
        key = os.environ.get("VLLM_API_KEY")
        if self.path.startswith("/v1") and key and self.headers["Authorization"] != f"Bearer {key}":
            self.answer(401, {})
        elif self.path == "/v1/models":
            self.answer(200, {"data": [{"id": FLAGS["served-model-name"]}]})
        else:
            self.answer(200, {"version": "0.32.0"})

    def do_POST(self) -> None:
        if self.path == "/crash":
            write("the engine met a fault")
            os._exit(3)
        Handler.hangs = True
        self.answer(200, {})

    def answer(self, status: int, body: dict) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True


def write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(model: Path) -> None:
    Path(os.environ["TMPDIR"], "socket").touch()
    write(f"TMPDIR={os.environ['TMPDIR']}")
    if FAULT == "crash":
        write("(Worker) ERROR ValueError: no weights in the folder")
    for line in range(50):
        write(f"line {line}")
    if FAULT == "crash":
        sys.exit("RuntimeError: see above")
    if FAULT == "port taken" and not (model / "tried").exists():
        (model / "tried").touch()
        with socket.create_server(("127.0.0.1", 0)) as other:
            socket.create_server(other.getsockname())
    if FAULT == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    if FAULT == "never ready":
        time.sleep(600)
    Server(("127.0.0.1", int(FLAGS["port"])), Handler).serve_forever()


if sys.argv[1] == "-I":
    write("" if FAULT == "no vllm" else "vllm")
else:
    FLAGS = dict(flag[2:].partition("=")[::2] for flag in sys.argv[5:])
    main(Path(sys.argv[4]))
