"""A check of our own for .ci/schemathesis: where a bad item costs itself only, every item is accounted for.

Such a request is answered with 200 although it breaks the document, so `negative_data_rejection` is off for it, and this
stands in its place: a 200 means that the request as a whole had its form, and tells of each of its items.
"""

import json
import os
from pathlib import Path

import schemathesis

LIMITS = {"addConsents": 500, "checkConsents": 1000, "insiderEvents": 5000}


def counted(operation: str, body, answer: dict) -> None:
    """Fails unless the answer tells of every item of the body."""
    if operation == "addConsents":
        items = body["consents"]
        assert [line["index"] for line in answer["results"]] == list(range(len(items))), "a consent has no result of its own"
        for item, line in zip(items, answer["results"]):
            whole = isinstance(item, dict) and all(item.get(name) for name in ("recipient", "type", "status"))
            assert whole or line["result"] == "rejected", "half a consent was taken"
    elif operation == "checkConsents":
        items = body["recipients"]
        assert len(answer["allowed"]) + len(answer["denied"]) == len(items), "an address has no answer"
        odd = sum(1 for item in items if not isinstance(item, str))
        invalid = sum(1 for denied in answer["denied"] if denied["reason"] == "invalid")
        assert invalid >= odd, "what is no address is not invalid"
    elif operation == "integratorEvents":
        # A line may be about a record and a person at once; none is passed over.
        items = body if isinstance(body, list) else [body]
        assert answer["received"] >= len(items), "a line was passed over"
        told = sum(answer[name] for name in ("outcomes", "accepted", "duplicates", "superseded", "ignored", "unreadable"))
        assert told <= answer["received"], "more was made of the lines than there were"
        return
    elif operation == "iysPush":
        items = body if isinstance(body, list) else body["list"]
        if isinstance(items, list):
            assert answer["received"] == len(items), "a line was passed over"
            odd = sum(1 for item in items if not isinstance(item, dict))
            assert answer["unreadable"] >= odd, "what is no line was read"
        return
    else:
        assert isinstance(body, (dict, list)), "what is neither an object nor an array was taken"
        items = body if isinstance(body, list) else [body]
        assert answer["received"] >= len(items), "an event was passed over"
    assert len(items) <= LIMITS[operation], "more items than the limit were taken"


@schemathesis.hook
def after_call(_context, case, response) -> None:
    """Notes what each operation was answered, for .ci/schemathesis."""
    seen = os.environ.get("SCHEMATHESIS_SEEN")
    if seen:
        with Path(seen).open("a", encoding="utf-8") as file:
            file.write(f"{case.operation.definition.raw.get('operationId')} {response.status_code}\n")


@schemathesis.check
def every_item_is_accounted_for(_context, response, case) -> None:
    """See above."""
    operation = case.operation.definition.raw.get("operationId")
    if response.status_code != 200 or operation not in {*LIMITS, "integratorEvents", "iysPush"}:
        return
    sent = response.request.body
    if not sent:
        assert operation == "insiderEvents", "no body was taken"
        return
    counted(operation, json.loads(sent), response.json())
