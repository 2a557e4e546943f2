"""What Helios answers on purpose otherwise than its schemas alone let schemathesis expect, each with its reason. Loaded by schemathesis
(schemathesis_test.py), whose two checks of acceptance these stand in for; all its other checks hold without exception."""
import re

import schemathesis
from schemathesis.specs.openapi import checks

ANY = r".*"
# (operation, status, what the answer says, why)
ACCEPTED_OTHERWISE = [
    (
        r"GET .*",
        400,
        r"not a position of this server|cursor: not one that this list gave out",
        "positions and cursors are opaque: only those are taken that an answer of this server had",
    ),
    (
        r"GET /api/v1/reconciliation/cases",
        400,
        r"pending cases have not been reconciled",
        "status=pending and by=reconciled contradict one another, which no schema of a single parameter can say",
    ),
    (
        r"GET .*",
        400,
        r"start_time is after end_time|buckets of (30s|1m|5m|1h), at most|counters lie in this range",
        "how two parameters go together is no matter of their schemas",
    ),
    (r"GET /api/v1/stream", 426, ANY, "it speaks WebSocket only, schemathesis does not"),
    (
        r"POST .*",
        422,
        r'"dlqId":"',
        "what the catalogue asks of an event's type is no matter of the envelope's schema: it is kept in quarantine, as documented",
    ),
    (
        r"POST /api/v1/dlq/redrive",
        400,
        r"filter\.(startTime|endTime): must be RFC 3339|startTime.*is after endTime",
        "how two times go together is no matter of their schemas; times outside 1970 to 2200 are refused",
    ),
]
REFUSED_OTHERWISE = [
    (r"GET /api/v1/stream", 426, ANY, "it says so before it looks at parameters"),
]


def is_excepted(exceptions, case, response):
    return any(
        re.fullmatch(operation, case.operation.label)
        and status == response.status_code
        and re.search(said, response.content.decode("utf-8", "replace"))
        for operation, status, said, _ in exceptions
    )


@schemathesis.check
def valid_data_is_accepted(ctx, response, case):
    if is_excepted(ACCEPTED_OTHERWISE, case, response):
        return None
    return checks.positive_data_acceptance(ctx, response, case)


@schemathesis.check
def invalid_data_is_refused(ctx, response, case):
    if is_excepted(REFUSED_OTHERWISE, case, response):
        return None
    return checks.negative_data_rejection(ctx, response, case)
