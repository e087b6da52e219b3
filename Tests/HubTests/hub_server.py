"""A small hub on 127.0.0.1, as far as fetching a model goes. Run as `hub_server.py FOLDER`.

FOLDER/models.json holds the models: {"owner/name": {"files": {PATH: CONTENT}, ...}}, where a content is
a text, or a number of random bytes or {"file": PATH}, a file of this machine; the last two are large files: they
have a SHA-256 as their etag and lie on another host, a second port here. "private" and "gated" name the token
that opens a model.

FOLDER/faults.json, which may change at any time, says what goes wrong:
  "listing", "head", "get", "cdn": {"status": ..., "headers": {...}, "times": N} answers so
  "cut": N           breaks off after N bytes of each answer of the second host
  "cut_times": N     only so often
  "ignore_ranges"    sends whole files always
  "flip"             turns a bit of large files
  "short": N         leaves N bytes out at the end, and says so
  "size": N          what is said about the size of large files; null says nothing
  "etag": TEXT       what is said about the etag of large files
  "rate": N          bytes per second of each answer of the second host
  "extra": [...]     more names in lists of files
  "commit": TEXT     what is said about the commit
  "location": TEXT   where large files are said to be

FOLDER/requests.jsonl is the list of what was asked. Both ports are printed as JSON. The end of standard
input is the end.
"""

import hashlib
import json
import random
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])
LOCK = threading.Lock()
USED = {}


class Model:
    def __init__(self, name, description):
        self.name = name
        self.private = description.get("private")
        self.gated = description.get("gated")
        self.files = {}
        self.large = set()
        for path, content in description["files"].items():
            if isinstance(content, int):
                self.large.add(path)
                self.files[path] = random.Random(path).randbytes(content)
            elif isinstance(content, dict):
                self.large.add(path)
                self.files[path] = Path(content["file"]).read_bytes()
            else:
                self.files[path] = content.encode()
        listing = "".join(f"{path} {self.etag(path)}\n" for path in sorted(self.files))
        self.commit = hashlib.sha1(listing.encode()).hexdigest()

    def etag(self, path):
        content = self.files[path]
        if path in self.large:
            return hashlib.sha256(content).hexdigest()
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()

    def tree(self):
        for path, content in sorted(self.files.items()):
            entry = {
                "type": "file",
                "path": path,
                "size": len(content),
                "oid": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest(),
            }
            if path in self.large:
                entry["lfs"] = {"oid": self.etag(path), "size": len(content), "pointerSize": 130}
            yield entry


def read_models():
    descriptions = json.loads((FOLDER / "models.json").read_text())
    return {name: Model(name, description) for name, description in descriptions.items()}


def faults():
    try:
        return json.loads((FOLDER / "faults.json").read_text())
    except FileNotFoundError:
        return {}


def still(name, times):
    """Whether a fault that happens `times` times is due once more."""
    with LOCK:
        USED[name] = USED.get(name, 0) + 1
        return times is None or USED[name] <= times


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    models = read_models()
    cdn_port = None

    def log_message(self, *arguments):
        pass

    def do_HEAD(self):
        self.handle_request()

    def do_GET(self):
        self.handle_request()

    def handle_request(self):
        # What a proxy gets is the whole address.
        address = urllib.parse.urlsplit(self.path)
        entry = {
            "host": self.server.role,
            "method": self.command,
            "path": address.path,
            "range": self.headers.get("Range"),
            "token": self.headers.get("Authorization"),
            "proxied": address.hostname,
        }
        with LOCK, open(FOLDER / "requests.jsonl", "a") as log:
            log.write(json.dumps(entry) + "\n")
        self.faults = faults()
        path = urllib.parse.unquote(address.path)
        if self.server.role == "cdn":
            self.send_large(path)
        elif path.startswith("/api/models/"):
            self.send_api(path.removeprefix("/api/models/"))
        elif path.startswith("/api/resolve-cache/models/"):
            owner, name, _, file = path.removeprefix("/api/resolve-cache/models/").split("/", 3)
            self.send_small(self.models[f"{owner}/{name}"], file)
        elif "/resolve/" in path:
            self.resolve(path)
        else:
            self.refuse(404, "EntryNotFound")

    # Answers

    def answer(self, status, headers=(), body=b""):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        if "Content-Length" not in dict(headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def refuse(self, status, code=None, message=None):
        headers = {}
        if code is not None:
            headers["X-Error-Code"] = code
        if message is not None:
            headers["X-Error-Message"] = message
        self.answer(status, headers, b'{"error": "no"}')

    def fails(self, kind):
        """Answers as the faults say, if they say anything about such requests."""
        fault = self.faults.get(kind)
        if fault is None or not still(kind, fault.get("times")):
            return False
        self.answer(fault["status"], fault.get("headers", {}), fault.get("body", "no").encode())
        return True

    def token(self):
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None

    def opens(self, model, needed):
        if needed is None or self.token() == needed:
            return True
        if self.token() == "expired":
            self.refuse(401, None, "Invalid credentials in Authorization header")
        elif needed == model.gated:
            self.refuse(401 if self.token() is None else 403, "GatedRepo", "Access is restricted")
        else:
            self.refuse(401 if self.token() is None else 404, "RepoNotFound", "Not found")
        return False

    def found(self, name):
        model = self.models.get(name)
        if model is None:
            self.refuse(401 if self.token() is None else 404, "RepoNotFound", "Not found")
        return model

    # The hub

    def send_api(self, path):
        if self.fails("listing"):
            return
        parts = path.split("/", 3)
        if len(parts) == 2:
            parts += ["revision", "main"]
        model = self.found("/".join(parts[:2]))
        if model is None or not self.opens(model, model.private):
            return
        if parts[3] not in ("main", "v1/beta", model.commit):
            self.refuse(404, "RevisionNotFound", "Invalid rev id")
        elif parts[2] == "tree":
            self.answer(200, {}, json.dumps(list(model.tree())).encode())
        else:
            names = sorted(model.files) + self.faults.get("extra", [])
            body = {
                "id": model.name,
                "sha": self.faults.get("commit", model.commit),
                "private": model.private is not None,
                "siblings": [{"rfilename": name} for name in names],
                "tags": ["diffusers"],
            }
            self.answer(200, {"Content-Type": "application/json"}, json.dumps(body).encode())

    def resolve(self, path):
        if self.fails("head" if self.command == "HEAD" else "get"):
            return
        owner, name, _, _, file = path[1:].split("/", 4)
        model = self.found(f"{owner}/{name}")
        if model is None or not self.opens(model, model.private or model.gated):
            return
        if file not in model.files:
            self.refuse(404, "EntryNotFound", "Entry not found")
            return
        headers = {"X-Repo-Commit": self.faults.get("head_commit", model.commit)}
        if file in model.large:
            size = self.faults.get("size", len(model.files[file]))
            headers["X-Linked-Etag"] = f'"{self.faults.get("etag", model.etag(file))}"'
            if size is not None:
                headers["X-Linked-Size"] = str(size)
            place = f"http://127.0.0.1:{Handler.cdn_port}/{owner}/{name}/{file}?signature=secret"
            headers["Location"] = self.faults.get("location", place)
            self.answer(302, headers)
        else:
            place = f"/api/resolve-cache/models/{owner}/{name}/{model.commit}/{file}"
            headers["Location"] = urllib.parse.quote(place)
            self.answer(307, headers)

    def send_small(self, model, file):
        headers = {"X-Repo-Commit": model.commit, "ETag": f'W/"{model.etag(file)}"'}
        self.answer(200, headers, model.files[file])

    # The other host

    def send_large(self, path):
        if self.fails("cdn"):
            return
        owner, name, file = path[1:].split("/", 2)
        content = self.models[f"{owner}/{name}"].files[file]
        if self.faults.get("flip"):
            content = content[:-1] + bytes([content[-1] ^ 1])
        content = content[: len(content) - self.faults.get("short", 0)]
        status, start, headers = 200, 0, {}
        if self.headers.get("Range") and not self.faults.get("ignore_ranges"):
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.answer(416, {"Content-Range": f"bytes */{len(content)}"})
                return
            status = 206
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.send_response(status)
        for header, value in headers.items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if self.command == "GET":
            self.pour(content[start:])

    def pour(self, content):
        """Sends bytes, as slowly as the faults say, and breaks off where they do."""
        cut = self.faults.get("cut")
        if cut is not None and cut < len(content) and still("cut", self.faults.get("cut_times")):
            content = content[:cut]
            self.close_connection = True
        rate = self.faults.get("rate")
        try:
            if rate is None:
                self.wfile.write(content)
                return
            piece = max(rate // 100, 1)
            for start in range(0, len(content), piece):
                self.wfile.write(content[start : start + piece])
                time.sleep(0.01)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, role):
        super().__init__(("127.0.0.1", 0), Handler)
        self.role = role
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        # A client that was killed.
        pass


hub, cdn = Server("hub"), Server("cdn")
Handler.cdn_port = cdn.server_address[1]
models = {
    model.name: {
        "commit": model.commit,
        "etags": {path: model.etag(path) for path in model.files},
        "hashes": {
            path: hashlib.sha256(content).hexdigest() for path, content in model.files.items()
        },
    }
    for model in Handler.models.values()
}
print(
    json.dumps({"hub": hub.server_address[1], "cdn": Handler.cdn_port, "models": models}),
    flush=True,
)
sys.stdin.read()
