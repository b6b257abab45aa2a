"""A small site on a running server: two institutions, data sets of every kind, permissions for every way of reading,
and spare things that the run may break. What it made is told in `seeds`, for the hooks."""

import base64
import datetime
import json
import secrets
import time
import urllib.parse

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

PROVIDER, RECIPIENT, SPARE = "90000000001", "90000000002", "90000000003"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MANY = 1_000_000_000

# Personal, composite key, history, two indexes, a named change list, fields of most types.
PETS = """
name: if_pets
key: Owner(, Year, Tag)
data_description: Pets by their owner
classification: restricted
subject: [Owner]
history: true
indexes: [Name, [Species, Home.Town]]
changes: [{name: renamed, when: "old != null && new != null && new.Name != old.Name"}]
fields:
  - Owner person_code! : Personal code of the owner
  - Year int! : Year of entry
  - Tag! : Number of the tag
  - Name : Name
  - Species code(SPECIES) : Species
  - Born date : Date of birth
  - Seen timestamp : Last seen
  - Weight decimal : Weight
  - Chipped bool : Has a chip
  - Chip uuid : The chip
  - Home :
      fields:
        - Town : Town
        - Street : Street
  - Visits * :
      fields:
        - On date : Day of the visit
        - Vet org_code : Who saw it
  - Extra json : What else is known
"""

# Open, with a public file.
ROUTES = """
name: if_routes
key: Day(, Line)
data_description: Routes of the day
classification: open
public: {filename: routes.csv}
indexes: [Stop]
changes: [{name: moved, when: "old != null && new != null && new.Stop != old.Stop"}]
fields:
  - Day date! : Day
  - Line int! : Line
  - Stop : Last stop
  - Length decimal : Length
"""

# Stays in the sandbox.
TREES = """
name: if_trees
key: Id
data_description: Trees of the town
classification: restricted
history: true
indexes: [Species]
changes: [{name: felled, when: "new == null"}]
fields:
  - Id uuid! : Number
  - Species : Species
  - Planted date : Planted
"""

# Not in the document the run reads: sets to break.
PARCELS = """
name: %s
key: Id
data_description: Parcels
classification: restricted
fields:
  - Id int! : Number
  - Note : Note
"""

OWNERS = ["36184726051", "37295837162", "34162514838"]


def pets():
    out = []
    for number, owner in enumerate(OWNERS):
        for year in (2020, 2021):
            for tag in ("T-1", "T/2"):
                out.append({
                    "Owner": owner, "Year": year, "Tag": tag, "Name": f"Pet {number}", "Species": "dog",
                    "Born": "2019-05-01", "Seen": "2024-02-29T12:00:00Z", "Weight": 12.5, "Chipped": True,
                    "Chip": f"00000000-0000-4000-8000-{number:012}",
                    "Home": {"Town": "Cēsis", "Street": "Rīgas"},
                    "Visits": [{"On": "2022-01-02", "Vet": PROVIDER}], "Extra": {"a": [1, None]},
                })
    return out


def routes():
    return [{"Day": f"2024-05-{day:02}", "Line": line, "Stop": f"Stop {line}", "Length": 7.25}
            for day in range(1, 6) for line in range(1, 5)]


def trees():
    return [{"Id": f"00000000-0000-4000-8000-{number:012}", "Species": "oak", "Planted": "1990-04-01"}
            for number in range(20)]


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A private key with a self-signed certificate."""

    def __init__(self, name):
        self.private = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        day = datetime.timedelta(days=1)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
        builder = builder.public_key(self.private.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - day).not_valid_after(now + 30 * day)
        self.certificate = builder.sign(self.private, hashes.SHA256())

    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def sha256(self):
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def private_pem(self):
        return self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption()).decode()


def assertion(private, client_id, audience):
    """A signed assertion for one use (RFC 7523, ES256)."""
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": audience, "iat": now, "exp": now + 120,
              "jti": secrets.token_hex(16)}
    text = ".".join(unpadded(json.dumps(part).encode()) for part in ({"alg": "ES256", "typ": "JWT"}, claims))
    r, s = decode_dss_signature(private.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{unpadded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def token_form(private, client_id, audience):
    return {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(private, client_id, audience)}


class Site:
    def __init__(self, base, operator_token, directory):
        self.base, self.directory = base, directory
        self.http = requests.Session()
        self.tokens = {"operator": operator_token}
        self.keys = {}

    def call(self, method, path, who="operator", permission=None, body=None, media="application/json", **words):
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        if permission:
            headers["X-DAGR-Permission"] = permission
        if body is not None:
            headers["Content-Type"] = media
            body = body if isinstance(body, str) else json.dumps(body)
        answer = self.http.request(method, self.base + path, headers=headers, params=words, timeout=30,
                                   data=None if body is None else body.encode())
        if answer.status_code >= 300:
            raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def connection(self, client_id, system, kind):
        body = {"client_id": client_id, "system": system, "kind": kind, "token_lifetime_s": 36_000}
        self.call("POST", "/registry/connections", body=body)
        return self.certificate(client_id)

    def certificate(self, client_id):
        key = Key(client_id)
        self.call("PUT", f"/registry/connections/{client_id}/certificate", body=key.pem(),
                  media="application/x-pem-file")
        return key

    def sign_in(self, who):
        form = token_form(self.keys[who].private, who, self.base)
        answer = self.http.post(f"{self.base}/token", data=form, timeout=30)
        if answer.status_code != 200:
            raise SystemExit(f"sign-in of {who}: {answer.status_code} {answer.text}")
        self.tokens[who] = answer.json()["access_token"]

    def define(self, name, text, publish=True):
        self.call("PUT", f"/registry/datasets/{name}/definition", body=text, media="application/yaml",
                  institution=PROVIDER)
        if publish:
            self.call("POST", f"/registry/datasets/{name}/publish")

    def deliver(self, root, package, operations, **words):
        lines = "\n".join(json.dumps(operation) for operation in operations)
        return self.call("PUT", f"{root}/packages/{package}", who="producer", body=lines,
                         media="application/x-ndjson", **words)

    def grant(self, dataset, recipient=RECIPIENT, environment="main", **over):
        body = {"dataset": dataset, "recipient": recipient, "environment": environment, "purpose": "interface",
                "legal_basis": "test", "fields": "all", "misses_per_hour": MANY, **over}
        return self.call("POST", "/registry/permissions", body=body)["number"]

    def move(self, number, verb):
        self.call("POST", f"/registry/permissions/{number}/{verb}", body={"reason": "interface"})

    def describe(self):
        """What is registered beside data sets: one of each."""
        why, law = "interface", "Pet law, article 4"
        facts = {"purposes": "Pets", "content": "Pets and owners", "controller": "Town council", "volume": "A hundred",
                 "processing": "Entered by hand", "conditions_of_access": "By permission", "legal_acts": ["Pet law"],
                 "criticality": "ordinary"}
        self.call("PUT", "/registry/systems/PETS/facts", body={"facts": facts, "reason": why})
        self.call("PUT", "/registry/acts/PETLAW", body={"title": "Pet law"})
        self.call("PUT", "/registry/acts/PETLAW/articles/4", body={"text": "Pets are registered", "reason": why})
        resource = {"system": "PETS", "title_lv": "Grāmata", "title_en": "Book", "description": "Pets", "content": "Pets",
                    "legal_acts": ["Pet law"]}
        self.call("PUT", "/registry/resources/PETS-BOOK", body={"described": resource, "reason": why})
        service = {"kind": "api", "system": "PETS", "title_lv": "Saskarne", "title_en": "Interface", "description": "Pets",
                   "address": "https://pets.test/api", "access": "Ask", "classification": "open", "state": "in_use"}
        self.call("PUT", "/registry/services/PETS-API", body={"described": service, "reason": why})
        template = {"title": "Shelter", "use_case": "Finds owners", "purpose": "Finding owners", "legal_basis": law,
                    "fields": [{"field": "Owner", "law": law}, {"field": "Year", "law": law}, {"field": "Tag", "law": law}],
                    "ways": ["key"]}
        self.call("POST", "/registry/datasets/if_pets/templates", body={"template": template, "reason": why})

    # What the document is to show.

    def build(self):
        """Institutions, connections, data sets with records. The document is read after this."""
        for number, name in ((PROVIDER, "Town council"), (RECIPIENT, "Animal shelter"), (SPARE, "Spare")):
            self.call("POST", "/registry/institutions", body={"registration_number": number, "name": name})
        for code, institution in (("PETS", PROVIDER), ("SHELTER", RECIPIENT), ("SPARE", SPARE)):
            self.call("POST", "/registry/systems", body={"institution": institution, "code": code, "name": code})
        self.call("PUT", "/registry/classifiers/KINDS", body={"title": "Kinds", "keeper": PROVIDER})
        self.call("POST", "/registry/classifiers/KINDS/versions",
                  body={"values": [{"code": "DOG", "name": "Suns"}, {"code": "CAT", "name": "Kaķis"}], "reason": "interface"})
        self.keys["producer"] = self.connection("producer", "PETS", "producer")
        self.keys["consumer"] = self.connection("consumer", "SHELTER", "consumer")
        self.sign_in("producer")
        self.sign_in("consumer")
        self.define("if_pets", PETS)
        self.define("if_routes", ROUTES)
        self.define("if_trees", TREES, publish=False)
        upserts = lambda records: [{"op": "upsert", "record": record} for record in records]
        self.deliver("/intake/if_pets", "first", upserts(pets()))
        self.describe()
        self.deliver("/intake/if_routes", "first", upserts(routes()))
        self.deliver("/sandbox/if_trees/intake", "first", upserts(trees()))
        # A published set keeps its place in the sandbox.
        self.deliver("/sandbox/if_pets/intake", "first", upserts(pets()))
        self.deliver("/sandbox/if_routes/intake", "first", upserts(routes()))
        # An event for each named list, and a row for the quarantine.
        renamed = {**pets()[0], "Name": "Reksis"}
        broken = {"op": "upsert", "record": {"Owner": "x"}}
        self.deliver("/intake/if_pets", "second", [*upserts([renamed]), broken])
        self.deliver("/intake/if_routes", "second", upserts([{**routes()[0], "Stop": "Depot"}]))
        self.deliver("/sandbox/if_trees/intake", "second", [{"op": "delete", "key": {"Id": trees()[19]["Id"]}}])
        self.await_file()

    def await_file(self):
        """Until the public file is there."""
        until = time.time() + 20
        while self.http.get(f"{self.base}/public/if_routes", params={"filename": "routes.csv"},
                            timeout=30).status_code != 200:
            if time.time() > until:
                raise SystemExit("the public file of if_routes was not made within 20 s")
            time.sleep(0.2)

    # What the run uses and breaks.

    def permissions(self):
        """Numbers by data set: the first allows everything, each other lacks something."""
        pets_ways = ["key", "bulk", "changes", "history", "list:renamed", "index:Name", "index:Species,Home.Town"]
        trees_ways = ["key", "bulk", "changes", "history", "list:felled", "index:Species"]
        pet = lambda **over: self.grant("if_pets", **{"ways": pets_ways, **over})
        full = pet()
        some = [
            pet(scope={"keys": [[OWNERS[0]], [OWNERS[1], 2020]]}, quota=MANY, quota_unit="record"),
            pet(scope={"when": "record.Year == 2020"}),
            pet(fields=["Owner", "Year", "Tag", "Name", "Home.Town"], ways=["key", "bulk", "changes"]),
            pet(fields=["Name"], ways=["key"]),
            pet(ways=["key"], case_required=True),
            pet(quota=1),
            pet(rate_per_second=1),
            pet(misses_per_hour=1),
            pet(valid_to="2020-01-01"),
            pet(valid_from="2999-01-01"),
        ]
        # A key that is not there: it uses up the quota and the misses.
        for number in some:
            headers = {"Authorization": f"Bearer {self.tokens['consumer']}", "X-DAGR-Permission": number}
            self.http.get(f"{self.base}/data/if_pets/records/{OWNERS[0]}/1900/none", headers=headers, timeout=30)
        suspended, revoked, amended = pet(), pet(), pet()
        self.move(suspended, "suspend")
        self.move(revoked, "revoke")
        # A cursor of before the amendment has expired after it.
        expired = self.call("GET", "/data/if_pets/changes", who="consumer", permission=amended)["next"]
        self.call("PATCH", f"/registry/permissions/{amended}", body={"ways": ["key", "changes"]})
        routes_ways = ["key", "bulk", "changes", "list:moved", "index:Stop"]
        sandbox = {
            f"sandbox/{name}": [self.grant(name, environment="sandbox", ways=ways)]
            for name, ways in (("if_pets", pets_ways), ("if_routes", routes_ways), ("if_trees", trees_ways))
        }
        # The provider's own, made with the set's first definition.
        own = self.call("GET", "/registry/permissions", limit=1_000)["permissions"]
        own = {f"sandbox/{one['dataset']}": one["number"] for one in own if one["recipient"] == PROVIDER}
        followed = {"data/if_pets": full, **{place: numbers[0] for place, numbers in sandbox.items()}, "data/if_routes": None}
        return {
            "by_set": {"data/if_pets": [full, *some, suspended, revoked, amended], **sandbox}, "own": own,
            "expired": {"X-DAGR-Permission": amended, "after": expired},
            "followed": {place: self.followed(place, number) for place, number in followed.items()},
        }

    def followed(self, place, number):
        """A cursor behind the first load."""
        page, after = {"end": False}, {}
        while not page["end"]:
            page = self.call("GET", f"/{place}/changes", who="consumer", permission=number, limit=10_000, **after)
            after = {"after": page["next"]}
        return page["next"]

    def people(self):
        """Ids of people, each with a role. Applications are made by people alone, who sign in at no call: none is seeded."""
        ids = []
        for number in range(4):
            body = {"code": f"32{number:09}", "name": f"Person {number}"}
            made = self.call("POST", "/registry/people", body=body)
            ids.append(str(made["id"]))
            role = {"institution": SPARE, "role": "data_manager"}
            self.call("POST", f"/registry/people/{ids[-1]}/roles", body=role)
        return ids

    def spares(self):
        """Things to revoke, withdraw, confirm, reject and publish."""
        for number in range(6):
            self.connection(f"spare-{number}", "SPARE", "consumer")
        certificates = [[f"spare-{number % 6}", self.certificate(f"spare-{number % 6}").sha256()]
                        for number in range(12)]
        permissions = [self.grant("if_pets", recipient=SPARE, ways=["key"]) for _ in range(24)]
        for number in permissions[::4]:
            self.move(number, "suspend")
        held = []
        for number in range(4):
            name = f"if_parcels_{number}"
            self.define(name, PARCELS % name)
            held.append([name, self.held(f"/intake/{name}", 3 if number else 1)])
        self.define("if_shrubs", PARCELS % "if_shrubs", publish=False)
        held_sandbox = [["if_shrubs", self.held("/sandbox/if_shrubs/intake", 4)]]
        for number in range(8):
            self.define(f"if_trial_{number}", PARCELS % f"if_trial_{number}", publish=False)
        return {
            "connections": [f"spare-{number}" for number in range(6)], "certificates": certificates,
            "permissions": permissions, "held": held, "held_sandbox": held_sandbox,
            "trials": [f"if_trial_{number}" for number in range(8)],
            "pem": [Key(f"spare-{number}").pem() for number in range(8)],
        }

    def held(self, root, count):
        """Packages the guard holds."""
        records = [{"op": "upsert", "record": {"Id": number, "Note": "a"}} for number in range(20)]
        self.deliver(root, "first", records)
        removal = [{"op": "delete", "key": {"Id": number}} for number in range(10)]
        names = [f"held-{number}" for number in range(count)]
        for number, name in enumerate(names):
            answer = self.deliver(root, name, removal[number:])
            assert answer["state"] == "held", answer
        return names

    def evidence(self, permission):
        """Disclosures and a backup to be read."""
        keys = [{"Owner": pet["Owner"], "Year": pet["Year"], "Tag": pet["Tag"]} for pet in pets()]
        self.call("POST", "/data/if_pets/lookup", who="consumer", permission=permission, body={"keys": keys})
        one = keys[0]
        path = "/".join(urllib.parse.quote(str(part), safe="") for part in one.values())
        self.call("GET", f"/data/if_pets/records/{path}", who="consumer", permission=permission)
        body = {"directory": f"{self.directory}/backups/first"}
        backup = self.call("POST", "/registry/backups", body=body)
        listed = self.call("GET", "/registry/disclosures", permission=None, limit=50)["disclosures"]
        return {"disclosures": [entry["id"] for entry in listed], "backups": [str(backup["id"])]}

    def seeds(self):
        permissions = self.permissions()
        return {
            "base": self.base, "directory": str(self.directory), "tokens": self.tokens,
            "keys": {who: key.private_pem() for who, key in self.keys.items()},
            "institutions": [PROVIDER, RECIPIENT, SPARE], "systems": ["PETS", "SHELTER", "SPARE"],
            "connections": ["producer", "consumer"], "owners": OWNERS, "permissions": permissions,
            "sets": {
                "if_pets": {
                    "records": pets(), "key": ["Owner", "Year", "Tag"], "history": True,
                    "indexes": [["Name"], ["Species", "Home.Town"]],
                    "fields": ["Owner", "Name", "Home", "Home.Town", "Visits.On", "Seen"],
                },
                "if_routes": {
                    "records": routes(), "key": ["Day", "Line"], "history": False, "indexes": [["Stop"]],
                    "fields": ["Day", "Line", "Stop", "Length"],
                },
                "if_trees": {
                    "records": trees()[:19], "key": ["Id"], "history": True, "indexes": [["Species"]],
                    "fields": ["Id", "Species", "Planted"],
                },
            },
            "parcel": PARCELS, "spares": self.spares(), "people": self.people(),
            "evidence": self.evidence(permissions["by_set"]["data/if_pets"][0]),
        }
