"""Drives the interface of the real program: Schemathesis with the token of each kind of connection, then a look-up
through a generated client. Exits with 1 when something is not as it must be."""

import argparse
import collections
import json
import os
import pathlib
import queue
import subprocess
import sys
import threading
import time

import town

HERE = pathlib.Path(__file__).resolve().parent
ROLES = ["consumer", "producer", "operator"]
# A call of this kind reads although it is a POST.
READING_POSTS = ("lookup", "digest", "disclosure_search")
LEAST_READ_PERCENT = 80
CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance",
          "response_headers_conformance", "response_schema_conformance"]
READY_S = 30
# Longest a run with one token may take before it is ended.
ROLE_S = 600


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True, type=pathlib.Path, help="the dagr program")
    parser.add_argument("--work", required=True, type=pathlib.Path, help="an empty directory for everything made")
    parser.add_argument("--quick", action="store_true", help="fewer cases, about a minute")
    parser.add_argument("--examples", type=int, help="generated cases of an operation (12; quick: 5)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed sends the same cases")
    parser.add_argument("--only", choices=["schemathesis", "client"], help="one of the two parts")
    return parser.parse_args()


class Server:
    """`dagr serve` on free ports; ended with the run."""

    def __init__(self, binary, work):
        self.log = open(work / "server.log", "w", encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DAGR_")}
        words = {"DAGR_LISTEN__DATA": "127.0.0.1:0", "DAGR_LISTEN__OPERATIONS": "127.0.0.1:0",
                 "DAGR_LOG__LEVEL": "warn"}
        self.process = subprocess.Popen([binary, "serve", "--data", work / "data"], env={**kept, **words}, cwd=work,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.base = self.ready()
        self.operator_token = (work / "data/secrets/operator-token").read_text(encoding="utf-8")

    def ready(self):
        """Waits for `dagr is ready: data URL, operations URL, …`."""
        lines = queue.Queue()
        threading.Thread(target=lambda: lines.put(self.process.stdout.readline()), daemon=True).start()
        try:
            line = lines.get(timeout=READY_S)
            return line.split("data ", 1)[1].split(",")[0].strip()
        except (queue.Empty, IndexError):
            self.end()
            raise SystemExit(f"the server was not ready within {READY_S} s; see {self.log.name}") from None

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        return self.process.returncode


def operations(document):
    """operationId → method and path, documented statuses, is it a read, who may call (none named: anyone)."""
    out = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"]
            reads = method == "get" or name.endswith(READING_POSTS)
            callers = {scheme for way in operation["security"] for scheme in way}
            out[name] = {"call": f"{method.upper()} {path}", "documented": set(operation["responses"]),
                         "reads": reads, "callers": callers}
    return out


def configuration(work, known, role):
    """What this token may never call is only fuzzed: every boundary value would be answered by the same refusal."""
    own = "operator" if role == "operator" else "token"
    refused = [name for name, about in known.items() if about["callers"] and own not in about["callers"]]
    path = work / f"schemathesis-{role}.toml"
    path.write_text(f"[[operations]]\ninclude-operation-id = {json.dumps(refused)}\n"
                    "phases.coverage.enabled = false\n", encoding="utf-8")
    return path


def schemathesis(args, server, known, role):
    """One run with one token. Its own output goes to a file; the exit code is its verdict."""
    work = args.work
    phases = "fuzzing" if args.quick else "examples,coverage,fuzzing"
    examples = args.examples or (5 if args.quick else 12)
    command = [
        pathlib.Path(sys.executable).parent / "schemathesis", "--config-file", configuration(work, known, role),
        "run", work / "openapi.json", "--url", server.base,
        "--checks", ",".join(CHECKS), "--phases", phases, "--max-examples", str(examples), "--seed", str(args.seed),
        "--no-shrink", "--continue-on-failure", "--workers", "1", "--suppress-health-check", "all",
        "--generation-database", "none", "--request-timeout", "20", "--no-color", "--warnings", "off",
    ]
    words = {
        "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"), "INTERFACE_ROLE": role, "INTERFACE_SEED": str(args.seed),
        "INTERFACE_SEEDS": str(work / "seeds.json"), "INTERFACE_CALLS": str(work / "calls.jsonl"),
    }
    began = time.time()
    log = work / f"schemathesis-{role}.log"
    with open(log, "w", encoding="utf-8") as file:
        try:
            code = subprocess.run(command, env={**os.environ, **words}, cwd=work, stdin=subprocess.DEVNULL,
                                  stdout=file, stderr=subprocess.STDOUT, timeout=ROLE_S, check=False).returncode
        except subprocess.TimeoutExpired:
            code = f"not ended within {ROLE_S} s"
    print(f"schemathesis with the token of the {role}: exit {code}, {time.time() - began:.0f} s", flush=True)
    if code != 0:
        text = log.read_text(encoding="utf-8", errors="replace")
        print("\n".join(text.splitlines()[-150:]))
    return code == 0


def report(work, known):
    """The table and the figures. Gives what is wrong, in words."""
    with open(work / "calls.jsonl", encoding="utf-8") as file:
        calls = [json.loads(line) for line in file]
    reached = collections.defaultdict(collections.Counter)
    elsewhere, faults, slowest = collections.Counter(), [], max((call["ms"] for call in calls), default=0)
    errors = unknown = 0
    for call in calls:
        status, name = call["status"], call["operation"]
        if call["own"]:
            reached[name, call["role"]][status] += 1
        else:
            elsewhere[call["method"], status] += 1
        undocumented = call["own"] and str(status) not in known[name]["documented"]
        errors, unknown = errors + (status >= 500), unknown + undocumented
        if status >= 500 or undocumented:
            kind = "server error" if status >= 500 else "undocumented status"
            faults.append(f"{kind} {status} of {name}: {call.get('request')}\n    {call.get('answer')}")
    print(f"\n{'operation':<66} {'2xx':<4} statuses reached: {' | '.join(ROLES)}")
    reads, read = 0, 0
    unread = []
    for name, about in known.items():
        by_role = [reached[name, role] for role in ROLES]
        good = any(200 <= status < 300 for statuses in by_role for status in statuses)
        told = [" ".join(f"{status}:{count}" for status, count in sorted(statuses.items())) or "-"
                for statuses in by_role]
        print(f"{about['call']:<66} {'yes' if good else 'no':<4} {' | '.join(told)}")
        if about["reads"]:
            reads, read = reads + 1, read + good
            unread += [] if good else [about["call"]]
    own = sum(call["own"] for call in calls)
    statuses = collections.Counter(call["status"] for call in calls if call["own"])
    percent = 100 * read / reads
    others = ", ".join(f"{method} {status}: {count}" for (method, status), count in sorted(elsewhere.items()))
    print(f"\n{own} calls of {len(known)} operations; with other methods {len(calls) - own}: {others or '-'}")
    print("statuses: " + ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items())))
    print(f"slowest answer: {slowest} ms")
    print(f"server errors: {errors}, undocumented statuses: {unknown}")
    print(f"reads that reached 2xx: {read} of {reads} = {percent:.1f} % (at least {LEAST_READ_PERCENT} % wanted)"
          + (f"; not {', '.join(unread)}" if unread else ""), flush=True)
    if percent < LEAST_READ_PERCENT:
        faults.append(f"only {percent:.1f} % of the reads reached 2xx")
    uncalled = [about["call"] for name, about in known.items() if not any(reached[name, role] for role in ROLES)]
    if uncalled:
        faults.append(f"never called: {', '.join(uncalled)}")
    return faults


def generated_client(args, server, seeds):
    """Makes a Python client from the document and looks one record up by it."""
    work, package = args.work, "dagr_client"
    command = [pathlib.Path(sys.executable).parent / "openapi-generator-cli", "generate", "-g", "python",
               "-i", work / "openapi.json", "-o", work / "client", "--package-name", package]
    log = work / "generator.log"
    with open(log, "w", encoding="utf-8") as file:
        made = subprocess.run(command, cwd=work, stdout=file, stderr=subprocess.STDOUT, timeout=300, check=False)
    if made.returncode != 0:
        print("\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-60:]))
        return [f"the generator failed: exit {made.returncode}"]
    words = {"PYTHONPATH": str(work / "client"), "INTERFACE_SEEDS": str(work / "seeds.json")}
    used = subprocess.run([sys.executable, HERE / "client.py"], env={**os.environ, **words}, timeout=120, check=False)
    return [] if used.returncode == 0 else ["the generated client failed"]


def main():
    args = arguments()
    args.work, args.binary = args.work.resolve(), args.binary.resolve()
    (args.work / "backups").mkdir(parents=True)
    began, faults = time.time(), []
    server = Server(args.binary, args.work)
    try:
        site = town.Site(server.base, server.operator_token, args.work)
        site.build()
        document = site.http.get(f"{server.base}/api/openapi.json", timeout=30).json()
        (args.work / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
        seeds = site.seeds()
        (args.work / "seeds.json").write_text(json.dumps(seeds), encoding="utf-8")
        print(f"the site is built: {time.time() - began:.0f} s", flush=True)
        if args.only != "client":
            known = operations(document)
            passed = [schemathesis(args, server, known, role) for role in ROLES]
            faults += report(args.work, known)
            if not all(passed):
                faults.append("schemathesis found failures, told above")
        if server.process.poll() is not None:
            faults.append(f"the server ended by itself: {server.process.returncode}")
        elif args.only != "schemathesis":
            faults += generated_client(args, server, seeds)
    finally:
        code = server.end()
    if code != 0:
        faults.append(f"the server's exit code is {code}")
    for fault in faults:
        print(f"FAULT {fault}")
    print(f"\n{'failed' if faults else 'passed'} in {time.time() - began:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
