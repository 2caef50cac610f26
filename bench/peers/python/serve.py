"""Computes and times fovea's operations with another library, at the word of bench/peers/python.mjs.

    serve.py                    prints the version of each engine whose library is installed
    serve.py ENGINE THREADS     answers requests, a line of JSON each

An engine is a file under engines/. A function of an operation's name there takes its tensors, parameters and
weights as keywords, and returns the call to time, with what brings its output into fovea's layout where that
is another. What a signature has no keyword for, that engine cannot do.
"""

import inspect
import json
import os
import sys
import time
from importlib import import_module, metadata

packages = {
    "openvino": "openvino",
    "jax": "jax",
    "torch": "torch",
    "flex_attention": "torch",
    "timm": "timm",
    "transformers": "transformers",
    "routing_transformer": "routing-transformer",
}


def installed():
    versions = {}
    for engine, package in packages.items():
        try:
            versions[engine] = metadata.version(package)
        except metadata.PackageNotFoundError:
            pass
    return versions


class Server:
    def __init__(self, name, threads):
        # Before the import: XLA has as many threads as processors that it may run on.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        self.engine = import_module(f"engines.{name}")
        self.engine.start(threads)
        self.clock = time.process_time if threads == 1 else time.perf_counter
        self.run = self.layout = None

    def prepare(self, op, file, params):
        """Whether the engine has such a call; the next requests are about it."""
        from safetensors.numpy import load_file

        self.run = None
        function = getattr(self.engine, op, None)
        if function is None:
            return False
        named, weights = dict(params), {}
        for name, array in load_file(file).items():
            tensor = self.engine.tensor(array)
            if name.startswith("weights."):
                weights[name.removeprefix("weights.")] = tensor
            else:
                named[name] = tensor
        if weights:
            named["weights"] = weights
        try:
            inspect.signature(function).bind(**named)
        except TypeError:
            return False
        call = function(**named)
        self.run, self.layout = call if isinstance(call, tuple) else (call, lambda out: out)
        return call is not None

    def time(self, times):
        """Seconds of so many calls: of the processor with one thread, as fovea counts its own."""
        start = self.clock()
        for _ in range(times):
            self.run()
        return self.clock() - start

    def output(self, file):
        self.engine.array(self.layout(self.run())).astype("float32").tofile(file)


def main():
    if len(sys.argv) == 1:
        print(json.dumps(installed()))
        return
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is no reply
    server = None
    for line in sys.stdin:
        try:
            server = server or Server(sys.argv[1], int(sys.argv[2]))
            request = json.loads(line)
            reply = {"value": getattr(server, request.pop("do"))(**request)}
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(json.dumps(reply), file=replies)


if __name__ == "__main__":
    main()
