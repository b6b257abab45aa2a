"""Schemathesis hooks: put seeded values into part of what was generated, keep the site alive, note every answer.

What a case gets depends on the case alone, so that the same case is sent the same way when it is replayed."""

import json
import os
import random
import re
import sys

import schemathesis
from cryptography.hazmat.primitives import serialization

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import town  # noqa: E402

ROLE = os.environ["INTERFACE_ROLE"]
SEED = os.environ["INTERFACE_SEED"]
with open(os.environ["INTERFACE_SEEDS"], encoding="utf-8") as file:
    SEEDS = json.load(file)
# One line a call; the driver counts them.
CALLS = open(os.environ["INTERFACE_CALLS"], "a", encoding="utf-8", buffering=1)
KEYS = {who: serialization.load_pem_private_key(pem.encode(), None) for who, pem in SEEDS["keys"].items()}
SPARES, EVIDENCE = SEEDS["spares"], SEEDS["evidence"]
ALL_NUMBERS = sorted({number for some in SEEDS["permissions"]["by_set"].values() for number in some})
JSON, NDJSON = "application/json", "application/x-ndjson"

# How a case is treated: all of it seeded, most of it, as generated, or a call that went well before, continued.
PLANS = ["all"] * 5 + ["most"] * 8 + ["none"] * 4 + ["follow"] * 3
# The first calls of an operation are seeded, so that it is reached however few cases there are.
FIRST = 3
KEPT = 12

seen = {}
went_well = {}


def at(record, path):
    for name in path.split("."):
        record = record[name]
    return record


# Seeds: (path, query, headers, body, media type) of a call that should be answered 2xx.


def page(rng, **query):
    if rng.random() < 0.5:
        query["limit"] = rng.choice([1, 2, 100])
    return query


def read_seed(rng, path, surely):
    """Records, lookup, changes, digest, definition of a set, from the path's template; `surely` under the permission of everything."""
    parts = path.strip("/").split("/")
    place, call, rest = "/".join(parts[:2]), parts[2], parts[3:]
    about = SEEDS["sets"][parts[1]]
    record = rng.choice(about["records"])
    headers, query, body = {}, {}, None
    numbers = SEEDS["permissions"]["by_set"].get(place)
    if numbers:
        number = numbers[0] if surely or rng.random() < 0.6 else rng.choice(numbers)
        if ROLE == "producer" and place in SEEDS["permissions"]["own"]:
            number = SEEDS["permissions"]["own"][place]
        headers = {"X-DAGR-Permission": number, "X-DAGR-Case": "case-1"}
    if rng.random() < 0.3:
        query["fields"] = rng.sample(about["fields"], 2)
    fields = [part[1:-1] for part in rest if part.startswith("{")]
    key = {name: record[name] for name in fields}
    if call == "lookup":
        names = about["key"]
        found = [{name: one[name] for name in names} for one in rng.sample(about["records"], 3)]
        body = {"keys": found, **query}
        query = {}
    elif call == "changes":
        query = page(rng, **query)
        if rng.random() < 0.5:
            query["include"] = "record"
        if not rest and place == "data/if_pets" and not surely and rng.random() < 0.1:
            expired = dict(SEEDS["permissions"]["expired"])
            query, headers["X-DAGR-Permission"] = {"after": expired["after"]}, expired["X-DAGR-Permission"]
    elif call == "definition":
        query = {}
    elif call == "digest":
        after = SEEDS["permissions"]["followed"].get(place, "none")
        body, query = {"after": after, "parts": rng.choice([1, 16, 256]), **query}, {}
        if rng.random() < 0.5:
            body["from"] = {name: record[name] for name in about["key"]}
    elif not fields:
        query = page(rng, **query)
        if rng.random() < 0.5:
            query.update({name: at(record, name) for name in rng.choice(about["indexes"])})
    elif len(fields) < len(about["key"]):
        query = page(rng, **query)
    elif about["history"] and not surely and rng.random() < 0.3:
        query["as_of"] = rng.choice(["2999-01-01T00:00:00Z", "2001-01-01T00:00:00Z"])
    return key, query, headers, body, JSON


def intake_seed(rng, path, method):
    sandbox = path.startswith("/sandbox")
    live = ["if_trees", "if_pets", "if_routes"] if sandbox else ["if_pets", "if_routes"]
    name, query, body = rng.choice(live), {}, None
    package = rng.choice(["first", "second"]) if not sandbox or name == "if_trees" else "first"
    if path.endswith("/digest"):
        return {"set": name}, {}, {}, {"parts": rng.choice([1, 16, 256])}, JSON
    if path.endswith(("/confirm", "/reject")):
        name, packages = rng.choice(SPARES["held_sandbox"] if sandbox else SPARES["held"])
        package = rng.choice(packages)
    elif method == "PUT":
        # The first set of parcels holds the package to confirm: nothing else may be applied there.
        name = "if_shrubs" if sandbox else rng.choice(SPARES["held"][1:])[0]
        package = f"package-{rng.randrange(1_000_000)}"
        number = rng.randrange(1_000)
        body = rng.choice([
            json.dumps({"op": "upsert", "record": {"Id": number, "Note": "b"}}),
            json.dumps({"op": "erase", "key": {"Id": number}}),
            json.dumps({"op": "delete", "key": {"Id": number}}), "",
        ])
        query = rng.choice([{}, {"dry_run": "true"}, {"mode": "snapshot"}, {"mode": "delta"}])
    elif path.endswith("/quarantine"):
        query = page(rng, package="second") if rng.random() < 0.5 else page(rng)
    elif path.endswith(("/packages", "/recipients")):
        query = page(rng)
    return {"set": name, "id": package}, query, {}, body, NDJSON


def registry_seed(rng, name, path, method):
    """By operationId: what is read may be anything, what is changed is a spare."""
    noun = name.rsplit("_", 1)[0]
    verb = name.rsplit("_", 1)[1]
    ids = {"institution": SEEDS["institutions"], "system": SEEDS["systems"], "permission": ALL_NUMBERS,
           "connection": SEEDS["connections"] + SPARES["connections"], "dataset": list(SEEDS["sets"]),
           "definition": list(SEEDS["sets"]), "certificate": SEEDS["connections"] + SPARES["connections"],
           "system_facts": ["PETS"], "act": ["PETLAW"], "article": ["PETLAW"], "template": ["1"], "rules": list(SEEDS["sets"]), "stop": list(SEEDS["sets"]),
           "registered_resource": ["PETS-BOOK"], "registered_service": ["PETS-API"],
           "classifier": ["KINDS"], "classifier_version": ["KINDS"], "classifier_value": ["KINDS"],
           "person": SEEDS["people"], "role": SEEDS["people"], "disclosure": EVIDENCE["disclosures"], "subject": EVIDENCE["disclosures"], "backup": EVIDENCE["backups"]}
    fresh = rng.randrange(10_000_000)
    keys, query, headers, body, media = {}, {}, {}, None, JSON
    if "{id}" in path:
        keys["id"] = rng.choice(ids.get(noun, ["100001"]))
    if "{number}" in path:
        keys["number"] = "current"
    if name == "template_list":
        keys["id"] = rng.choice(list(SEEDS["sets"]))
    if verb in ("list", "search"):
        query = page(rng)
    if verb in ("update", "withdraw", "publish", "suspend", "resume", "revoke") and rng.random() < 0.3:
        headers["If-Match"] = rng.choice(['"1"', '"2"', "*"])
    if verb == "update":
        media = rng.choice(["application/merge-patch+json", JSON])
    match name:
        case "institution_create":
            body = {"registration_number": f"5{fresh:010}", "name": "New"}
        case "institution_update":
            keys, body = {"id": town.SPARE}, {"name": f"Spare {fresh}"}
        case "classifier_put":
            body = {"title": f"Kinds {fresh}", "keeper": town.PROVIDER}
        case "classifier_version_create":
            body = {"values": [{"code": f"K{fresh}", "name": "New"}], "reason": "interface"}
            query = {"dry_run": rng.choice(["true", "false"])}
        case "system_create":
            body = {"institution": town.SPARE, "code": f"S{fresh}", "name": "New"}
        case "system_update":
            keys, body = {"id": "SPARE"}, {"name": f"Spare {fresh}"}
        case "connection_create":
            body = {"client_id": f"new-{fresh}", "system": "SPARE", "kind": "consumer", "token_lifetime_s": 60}
        case "connection_update":
            keys, body = {"id": rng.choice(SPARES["connections"])}, {"description": f"Spare {fresh}"}
        case "connection_withdraw":
            keys, body = {"id": rng.choice(SPARES["connections"][:3])}, {"reason": "interface"}
        case "certificate_put":
            keys = {"id": rng.choice(SPARES["connections"][3:])}
            body, media = rng.choice(SPARES["pem"]), "application/x-pem-file"
        case "certificate_delete":
            keys = dict(zip(("id", "sha256"), rng.choice(SPARES["certificates"])))
        case "dataset_publish":
            keys = {"id": rng.choice(SPARES["trials"])}
        case "definition_put":
            trial = rng.choice([*SPARES["trials"], f"if_trial_{fresh}"])
            keys, media, body = {"id": trial}, "application/yaml", SEEDS["parcel"] % trial
            query = {"institution": town.PROVIDER, "dry_run": rng.choice(["true", "false"])}
        case "dataset_stop" | "dataset_resume":
            # What everybody reads goes on.
            keys, body = {"id": SPARES["trials"][-1]}, {"reason": "interface"}
        case "definition_get":
            query = rng.choice([{}, {"section": "sandbox"}])
        case "permission_create":
            body = {"dataset": "if_pets", "recipient": town.SPARE, "environment": "main", "purpose": "interface",
                    "legal_basis": "test", "fields": rng.choice(["all", ["Owner", "Year", "Tag"]]), "ways": ["key"]}
        case "permission_update":
            keys, body = {"id": rng.choice(SPARES["permissions"])}, {"purpose": f"interface {fresh}"}
        case "permission_suspend" | "permission_resume" | "permission_revoke":
            # Each has its own, or all would end revoked.
            share = SPARES["permissions"][1::4] if verb == "revoke" else SPARES["permissions"][::4]
            keys, body = {"id": rng.choice(share)}, {"reason": "interface"}
        case "permission_explain":
            query = {"way": rng.choice(["key", "bulk", "changes", "history"])}
            if query["way"] == "key":
                query["key"] = f"{rng.choice(SEEDS['owners'])}/2020/T-1"
        case "disclosure_list":
            query |= rng.choice([{}, {"dataset": "if_pets"}, {"recipient": town.RECIPIENT},
                                 {"permission": ALL_NUMBERS[0]}, {"from": "2001-01-01T00:00:00Z"}])
        case "disclosure_search":
            body = {"person": rng.choice(SEEDS["owners"])}
        case "audit_list":
            query |= rng.choice([{}, {"actor": "operator"}, {"to": "2999-01-01T00:00:00Z"}])
        case "person_create":
            body = {"code": f"33{fresh:09}", "name": "New"}
        case "role_grant":
            body = {"institution": town.SPARE, "role": rng.choice(["head", "auditor", "legal_reviewer"])}
        case "backup_create":
            body = {"directory": f"{SEEDS['directory']}/backups/{fresh}"}
    return keys, query, headers, body, media


def other_seed(rng, name):
    headers, query, body, media = {}, {}, None, JSON
    if name == "token_create":
        who = rng.choice(list(KEYS))
        body, media = town.token_form(KEYS[who], who, SEEDS["base"]), "application/x-www-form-urlencoded"
    elif name.endswith("_file_get"):
        query = {"filename": "routes.csv"}
        headers = rng.choice([{}, {}, {"Range": "bytes=0-9"}, {"Range": "bytes=99999999-"}])
    return {}, query, headers, body, media


def seed(rng, name, path, method, surely=False):
    if re.match(r"/(data|sandbox)/\w+/(records|lookup|changes|digest|definition)", path):
        return read_seed(rng, path, surely)
    if "/intake" in path:
        return intake_seed(rng, path, method)
    if path.startswith("/registry"):
        return registry_seed(rng, name, path, method)
    return other_seed(rng, name)


# What a case becomes.


# These bodies are texts: Schemathesis knows no serializer for some, would quote the others, and reads a CSV of one
# number as a number.
TEXTS = [NDJSON, "text/csv", "application/x-pem-file", "application/pem-certificate-chain", "application/yaml",
         "text/yaml", "application/x-yaml"]


@schemathesis.serializer(*TEXTS)
def as_it_stands(context, value):
    text = value if isinstance(value, (str, bytes)) else json.dumps(value)
    return text.encode(errors="replace") if isinstance(text, str) else text


@schemathesis.deserializer("text/csv")
def as_text(context, response):
    return response.content.decode()


def name_of(case):
    return case.operation.definition.raw["operationId"]


def schemathesis_body(case):
    return None if isinstance(case.body, schemathesis.core.NotSet) else case.body


@schemathesis.hook
def before_call(context, case, kwargs):
    name, own_method = name_of(case), case.operation.method.upper()
    cases = seen.setdefault(name, {})
    text = repr((case.method, sorted(case.path_parameters.items()), sorted(case.query.items()),
                 sorted(case.headers.items()), case.body, case.media_type))
    ordinal = cases.setdefault(text, len(cases))
    rng = random.Random(f"{SEED}/{ROLE}/{name}/{ordinal}")
    plan = "all" if ordinal <= FIRST else rng.choice(PLANS)
    if case.method.upper() != own_method:
        plan = "none"
    if plan != "none" or rng.random() < 0.8:
        case.headers["Authorization"] = f"Bearer {SEEDS['tokens'][ROLE]}"
    if plan == "follow":
        follow(rng, case, name)
    elif plan != "none":
        values = seed(rng, name, case.operation.path, own_method, surely=ordinal == 0)
        put(rng, case, values, 1.0 if plan == "all" else 0.75)
    # Once surely, and now and then.
    if ordinal == FIRST or (plan == "most" and rng.random() < 0.05):
        case.query["nobody_knows"] = "1"
    guard(rng, case, name)


def put(rng, case, values, share):
    """Seeded values over the generated ones: all, or this share of them."""
    keys, query, headers, body, media = values
    chosen = lambda: rng.random() < share
    case.path_parameters = {name: keys[name] if name in keys and chosen() else value
                            for name, value in case.path_parameters.items()}
    case.query = {name: value for name, value in {**case.query, **query}.items()
                  if (name in query or share < 1) and chosen()}
    for name, value in headers.items():
        if chosen():
            case.headers[name] = value
    if share == 1:
        for name in ("If-Match", "If-None-Match", "If-Range", "Range", "Repr-Digest", "Content-Encoding"):
            if name not in headers:
                case.headers.pop(name, None)
    if body is not None and chosen():
        case.body, case.media_type = body, media
        case.headers.pop("Content-Type", None)


def follow(rng, case, name):
    """A call that went well, with its `next` or its `ETag`."""
    if not went_well.get(name):
        return
    before = rng.choice(went_well[name])
    case.path_parameters, case.query = dict(before["path"]), dict(before["query"])
    case.headers.update(before["headers"])
    if before["next"]:
        case.query["after"] = before["next"]
    elif before["etag"] and case.operation.method.upper() == "GET":
        case.headers["If-None-Match"] = before["etag"]
    if before["body"] is not None:
        case.body, case.media_type = before["body"], before["media"]


def guard(rng, case, name):
    """The site outlives the run, and the run ends: main objects are not ended, nobody waits long."""
    keys, main = case.path_parameters, {*SEEDS["connections"], *ALL_NUMBERS, *SEEDS["permissions"]["own"].values()}
    if name in ("connection_withdraw", "connection_update", "certificate_delete", "certificate_put",
                "permission_update", "permission_suspend", "permission_resume", "permission_revoke"):
        if str(keys.get("id")) in main:
            keys["id"] = SPARES["connections"][0] if name.startswith("c") else SPARES["permissions"][0]
    if name in ("definition_put", "dataset_publish", "dataset_stop", "dataset_resume") and keys.get("id") in SEEDS["sets"]:
        keys["id"] = SPARES["trials"][0]
    if name.endswith(("package_put", "package_confirm", "package_reject")) and keys.get("set") in SEEDS["sets"]:
        keys["set"] = "if_shrubs" if case.path.startswith("/sandbox") else SPARES["held"][1][0]
    if name == "backup_create" and isinstance(case.body, dict):
        directory = case.body.get("directory")
        inside = f"{SEEDS['directory']}/backups/"
        if isinstance(directory, str) and directory.startswith("/") and not directory.startswith(inside):
            case.body["directory"] = inside + str(rng.randrange(1_000_000))
    wait = case.query.get("wait")
    if isinstance(wait, int) and 1 < wait <= 60:
        case.query["wait"] = 1


# What was answered.


@schemathesis.hook
def after_call(context, case, response):
    name, own = name_of(case), case.method.upper() == case.operation.method.upper()
    status = response.status_code
    line = {"role": ROLE, "operation": name, "method": case.method.upper(), "own": own, "status": status,
            "ms": round(response.elapsed * 1_000)}
    if status >= 500 or (own and str(status) not in case.operation.responses.status_codes):
        line["request"], line["answer"] = case.as_curl_command(), response.content.decode(errors="replace")[:2_000]
    CALLS.write(json.dumps(line) + "\n")
    if own and 200 <= status < 300:
        keep(case, name, response)


def keep(case, name, response):
    calls = went_well.setdefault(name, [])
    try:
        answer = response.json()
    except ValueError:
        answer = None
    after = answer.get("next") if isinstance(answer, dict) else None
    if len(calls) >= KEPT and not after:
        return
    headers = {word: value for word, value in case.headers.items() if word.lower().startswith("x-dagr")}
    calls.append({
        "path": dict(case.path_parameters), "query": dict(case.query), "headers": headers, "next": after,
        "etag": (response.headers.get("etag") or [None])[0], "body": schemathesis_body(case),
        "media": case.media_type,
    })
    del calls[:-KEPT]
