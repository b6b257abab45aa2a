"""A look-up through the typed method of the client that was generated from the document."""

import json
import os

import dagr_client
from dagr_client.api.documents_api import DocumentsApi
from dagr_client.api.if_pets_api import IfPetsApi
from dagr_client.exceptions import ForbiddenException
from dagr_client.models.if_pets_key import IfPetsKey
from dagr_client.models.if_pets_lookup import IfPetsLookup

with open(os.environ["INTERFACE_SEEDS"], encoding="utf-8") as file:
    SEEDS = json.load(file)


def main():
    number = SEEDS["permissions"]["by_set"]["data/if_pets"][0]
    wanted = SEEDS["sets"]["if_pets"]["records"][-1]
    known = IfPetsKey(owner=wanted["Owner"], year=wanted["Year"], tag=wanted["Tag"])
    absent = IfPetsKey(owner=wanted["Owner"], year=1900, tag="none")
    configuration = dagr_client.Configuration(host=SEEDS["base"], access_token=SEEDS["tokens"]["consumer"])
    with dagr_client.ApiClient(configuration) as client:
        usable = DocumentsApi(client).current_user_permissions()
        assert number in [permission.permission_number for permission in usable], usable
        pets = IfPetsApi(client)
        answer = pets.if_pets_lookup(x_dagr_permission=number, if_pets_lookup=IfPetsLookup(keys=[known, absent]))
        found, missed = answer.results
        assert found.found and not missed.found and missed.record is None, answer
        record = found.record
        assert (record.owner, record.name, record.weight) == (wanted["Owner"], wanted["Name"], wanted["Weight"])
        assert record.born.isoformat() == wanted["Born"] and record.home.town == wanted["Home"]["Town"], record
        assert str(record.chip) == wanted["Chip"] and record.visits[0].vet == wanted["Visits"][0]["Vet"], record
        try:
            pets.if_pets_lookup(x_dagr_permission="1", if_pets_lookup=IfPetsLookup(keys=[known]))
            raise SystemExit("a look-up under a foreign permission was answered")
        except ForbiddenException as refused:
            code = refused.data.code
            assert code == "permission_missing", refused
    print(f"generated client: if_pets_lookup found {record.name!r} ({type(record).__name__}), born {record.born!r}, "
          f"of {record.home.town}; the absent key is not found; a foreign permission is refused: {code}")


if __name__ == "__main__":
    main()
