"""A double of the job server: what a client sees of one, with the failures that a test wants. Standard library alone.

It speaks the routes that a rank uses, keeps what was posted, and offers the programs that the test gives it.
"""
import collections
import http.server
import json
import re
import socket
import threading
import time
import urllib.parse

MAX_WAIT_S = 60


class Rank:
    def __init__(self, body):
        self.body = body
        self.steps = {}
        self.windows = []
        self.last_report = {}
        self.step = -1


class JobServer:
    """Listens on a port of its own, from start() to stop(); its jobs outlive a stop unless forget() is called."""

    def __init__(self):
        self.lock = threading.Condition()
        self.jobs = {}
        self.programs = {}  # of a rank: the newest offered
        self.requests = []
        self.failures = collections.deque()  # what becomes of the next requests: a code, "hang up", "garbage", "slow"
        self.always = None  # the same of every request
        self.port = 0
        self.server = None

    def start(self):
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def handle(self):
                try:
                    super().handle()
                except (ConnectionError, socket.timeout):
                    pass

            def do_GET(self):
                owner.serve(self)

            do_POST = do_GET

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            connections = set()

            def process_request(self, request, address):
                self.connections.add(request)
                super().process_request(request, address)

            def handle_error(self, *_):
                pass

        self.stopped = False
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.connections = set()
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def stop(self):
        """As if it were killed: every connection ends."""
        with self.lock:
            self.stopped = True
            self.lock.notify_all()
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.server.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()
        self.thread.join()

    def forget(self):
        with self.lock:
            self.jobs.clear()
            self.programs.clear()
            self.lock.notify_all()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    # What a test does.

    def offer(self, revision, clocks=None, from_step=None, phase="plan", steps=None, rank=0, segments=None):
        if segments is None:
            segments = [] if clocks is None else [{"steps": steps, "clocks_mhz": clocks}]
        with self.lock:
            self.programs[rank] = {"revision": revision, "phase": phase, "from_step": from_step, "segments": segments}
            self.lock.notify_all()

    def rank(self, number=0):
        with self.lock:
            return next((job["ranks"][number] for job in self.jobs.values() if number in job["ranks"]), None)

    def steps(self, number=0):
        rank = self.rank(number)
        with self.lock:
            return dict(rank.steps) if rank else {}

    # What a client asks.

    def serve(self, handler):
        length = int(handler.headers.get("Content-Length", 0))
        body = handler.rfile.read(length)
        with self.lock:
            self.requests.append((handler.command, handler.path, body, dict(handler.headers)))
            failure = self.always or (self.failures.popleft() if self.failures else None)
        if failure == "hang up":
            handler.close_connection = True
            return
        if failure == "slow":
            time.sleep(1.5)
        if failure == "garbage":
            return self.answer(handler, 200, b'{"revision": [1, ')
        if isinstance(failure, int):
            return self.answer(handler, failure, {"error": "as the test wants"})
        if failure == "stall":
            with self.lock:
                self.lock.wait_for(lambda: self.stopped or self.always != "stall", MAX_WAIT_S)
            handler.close_connection = True
            return
        self.answer(handler, *self.route(handler.command, handler.path, body))

    def answer(self, handler, code, body=None):
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        try:
            handler.send_response(code)
            if code != 204:
                handler.send_header("Content-Type", "application/json")
                handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            if code != 204:
                handler.wfile.write(data)
        except OSError:
            handler.close_connection = True

    def route(self, method, target, body):
        url = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(url.query))
        if method == "POST" and url.path == "/v1/jobs":
            return self.register(json.loads(body))
        match = re.fullmatch(r"/v1/jobs/([^/]+)/ranks(?:/(\d+)/(plan|steps))?", url.path)
        with self.lock:
            job = self.jobs.get(match.group(1)) if match else None
        if not job:
            return 404, {"error": "there is no such job"}
        if not match.group(2):
            return self.register_rank(job, json.loads(body))
        rank = job["ranks"].get(int(match.group(2)))
        if not rank:
            return 404, {"error": "there is no such rank"}
        if match.group(3) == "steps":
            return self.take_steps(rank, json.loads(body))
        return self.poll(rank, int(match.group(2)), {key: int(value) for key, value in query.items()})

    def register(self, body):
        assert set(body) <= {"name", "key", "parallel", "fingerprint", "target", "profiling", "granularity"}, body
        with self.lock:
            for name, job in self.jobs.items():
                if body.get("key") is not None and job["body"].get("key") == body["key"]:
                    if job["body"] != body:
                        return 409, {"error": "another job has this key"}
                    return 200, {"job": name, "is_new": False}
            name = f"j{len(self.jobs) + 1}"
            self.jobs[name] = {"body": body, "ranks": {}}
            return 200, {"job": name, "is_new": True}

    def register_rank(self, job, body):
        assert set(body) == {"rank", "dp", "pp", "tp", "cp", "ep", "gpu", "clocks_mhz", "control", "switch_latency_s",
                             "order"}, body
        with self.lock:
            before = job["ranks"].get(body["rank"])
            rank = Rank(body)
            if before:
                rank.steps, rank.windows = before.steps, before.windows
            job["ranks"][body["rank"]] = rank
            self.lock.notify_all()
        return 200, {"rank": body["rank"]}

    def take_steps(self, rank, body):
        assert set(body) <= {"steps", "windows", "switch_latency_s", "control"}, body
        with self.lock:
            for step in body["steps"]:
                rank.steps[step["step"]] = step
            rank.windows += body["windows"]
            rank.last_report = body
            self.lock.notify_all()
            return 200, {"acknowledged": max(rank.steps)}

    def poll(self, rank, number, query):
        def news():
            program = self.programs.get(number)
            if program and (program["revision"] > query["have"] or (
                    program["revision"] == query["have"] and program["from_step"] is not None
                    and program["from_step"] != query["start"])):
                return program
            return None

        with self.lock:
            rank.step = query["step"]
            self.lock.notify_all()
            self.lock.wait_for(lambda: news() or self.stopped, min(query["wait_s"], MAX_WAIT_S))
            program = news()
        return (200, program) if program else (204, None)
