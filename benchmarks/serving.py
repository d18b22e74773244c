"""How many requests does an exported recommender serve in a second, and how fast?

    KERAS_BACKEND=torch python benchmarks/serving.py --items 3706 --clients 4

An untrained SASRec is exported to ONNX. A process with Python's own web server and ONNX
Runtime serves it on loopback, with one history per JSON request. Another process sends
the requests. Prints one line: requests per second, and the median and 99th percentile
of the milliseconds from sending a request to reading its answer.
"""

import argparse
import http.client
import http.server
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--items", type=int, default=3706)
    parser.add_argument("--length", type=int, default=50, help="items per history")
    parser.add_argument("--dim", type=int, default=64, help="width of the embeddings")
    parser.add_argument("--num-blocks", type=int, default=8)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--clients", type=int, default=4, help="clients at once")
    parser.add_argument("--requests", type=int, default=2000, help="requests in all")
    parser.add_argument("--serve", metavar="FILE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = export(arguments, Path(folder) / "model.onnx")
        command = [sys.executable, __file__, "--serve", path]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                measure(arguments, int(server.stdout.readline()))
            finally:
                server.terminate()


def export(arguments, path):
    import stackrec_keras as sr

    model = sr.SASRec(
        arguments.items, arguments.length, arguments.dim, arguments.num_blocks
    )
    model.export_recommender(path, arguments.k, format="onnx", verbose=False)
    return str(path)


def serve(path):
    """Serves an exported model on a free port, and prints the port's number."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Each request has one thread, and several requests run in parallel.
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            items = np.array([json.loads(body)["items"]], "int32")
            ids, scores = session.run(["ids", "scores"], {"items": items})
            answer = {"ids": ids[0].tolist(), "scores": scores[0].tolist()}
            answer = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


def measure(arguments, port):
    each = arguments.requests // arguments.clients
    shape = (arguments.clients, each, arguments.length)
    histories = np.random.default_rng(0).integers(1, arguments.items + 1, shape)
    request(port, histories[0, :20].tolist())  # to warm up
    taken = [None] * arguments.clients

    def client(number):
        taken[number] = request(port, histories[number].tolist())

    threads = [threading.Thread(target=client, args=(i,)) for i in range(len(taken))]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    milliseconds = 1000 * np.concatenate(taken)
    median, p99 = np.quantile(milliseconds, [0.5, 0.99])
    print(
        f"{arguments.items:,} items, {arguments.num_blocks} blocks, histories of "
        f"{arguments.length}, {arguments.clients} clients: "
        f"{len(milliseconds) / seconds:,.0f} requests a second; median "
        f"{median:.1f} ms, p99 {p99:.1f} ms"
    )


def request(port, histories):
    """Sends histories one after the other over one connection, and returns the seconds
    that each takes."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    seconds = []
    for items in histories:
        start = time.perf_counter()
        connection.request("POST", "/", json.dumps({"items": items}))
        answer = json.loads(connection.getresponse().read())
        seconds.append(time.perf_counter() - start)
        assert len(answer["ids"]) == len(answer["scores"])
    connection.close()
    return seconds


if __name__ == "__main__":
    main()
