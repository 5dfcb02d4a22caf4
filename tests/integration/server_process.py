"""A job server under test: a process with a store of its own, on a Unix socket and a TCP port. Standard library alone."""
import http.client
import os
import re

from service_process import Client, Service

PERSEUS = os.environ["PERSEUS_PROGRAM"]


class Server(Service):
    """`perseus serve`. Started anew after an end, it has the store and the port of before."""

    def __init__(self, *options, wait=True, env=None):
        super().__init__("server")
        self.database = self.directory / "server.db"
        self.program = [PERSEUS, "serve"]
        self.options = ["--socket", self.socket_path, "--database", str(self.database), "--zeus-dump-dir",
                        str(self.directory / "dump"), *options]
        self.env = {name: value for name, value in os.environ.items() if not name.upper().startswith("ZEUS_PFO_")}
        self.env.update(env or {})
        self.port = 0
        self.start(wait)

    def start(self, wait=True):
        self.program = [PERSEUS, "serve", "--listen", f"127.0.0.1:{self.port}"]
        super().start(wait)
        if wait:
            self.port = int(re.findall(r"event=listen message=127\.0\.0\.1:(\d+)\n", self.log())[-1])

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def tcp_client(self, bearer=None):
        self.clients.append(Client(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10), bearer))
        return self.clients[-1]
