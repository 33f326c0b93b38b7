"""What schemathesis cannot read from the API's description, and one check of our own."""

import os

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

# What JSON Schema has no words for: variables that are distinct by name, numbers of at most nine decimals, what an earlier
# answer has said, and who the owner is.
UNSAID = (
    "is there twice",
    "must be a positive Kubernetes quantity",
    "continue: must be what an answer has said",
    "it is the owner",
)


@schemathesis.check
def well_formed_is_never_invalid(ctx, response, case):
    """What follows the schemas may meet a class that there is not, or be too long in all; it is never "Invalid"."""
    if response.status_code == 413:
        return None
    if response.status_code == 400:
        error = response.json()["error"]
        if error["reason"] != "Invalid" or any(words in error["message"] for words in UNSAID):
            return None
    return positive_data_acceptance(ctx, response, case)


if os.environ.get("FUZZ_AS_STRANGER"):

    @schemathesis.check
    def nobody_is_let_in(ctx, response, case):
        """Without a token that is good here every operation is answered 401, and says what it wants."""
        if response.status_code == 405:
            return
        assert response.status_code == 401, f"{response.status_code} without a token"
        assert response.headers["www-authenticate"][0].startswith("Bearer realm="), "It does not ask for a token"


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """Whoever waits for a status waits a second: the fuzzer has no time."""
    query = case.query
    if isinstance(query, dict) and "wait" in query and str(query.get("timeout", 1)).isdecimal():
        query["timeout"] = min(int(query.get("timeout", 1)), 1)
