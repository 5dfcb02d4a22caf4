"""A job server that keeps what it is told and answers as a real one would, as far as a client can tell."""

import http.server
import json
import threading
import time

WAIT_S = 30  # several times what a loaded machine takes


def until(condition, what):
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


class Server:
    """Keeps what is posted. Serves one program of clocks to everybody, where it is given one."""

    def __init__(self):
        self.posts = []
        self.clocks_mhz = None
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.posts.append((self.path, self.headers.get("Authorization"), body))
                if self.path == "/v1/jobs":
                    self.answer({"job": "job-1", "is_new": True})
                elif self.path.endswith("/ranks"):
                    self.answer({"rank": body["rank"]})
                else:
                    self.answer({"acknowledged": body["steps"][-1]["step"] if body["steps"] else -1})

            def do_GET(self):
                query = dict(pair.split("=") for pair in self.path.partition("?")[2].split("&"))
                if server.clocks_mhz is None or (query["have"] == "1" and query["start"] != "-1"):
                    time.sleep(0.05)
                    self.send_response(204)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                segments = [{"steps": None, "clocks_mhz": server.clocks_mhz}]
                from_step = int(query["step"]) + 2 if query["have"] == "1" else None
                self.answer({"revision": 1, "phase": "plan", "from_step": from_step, "segments": segments})

            def answer(self, document):
                content = json.dumps(document).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self._thread.start()

    def bodies(self, path):
        return [body for posted, _, body in list(self.posts) if posted == path]

    def close(self):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
