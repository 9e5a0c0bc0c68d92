"""Verifies deliveries that our code signed, with the published library for Python.

Takes a file with a list of {current, previous, headers, body}. Ends with 1 and says why.
"""

import hashlib
import hmac
import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def library(secret):
    """As docs/receiving-webhooks.md says."""
    return Webhook(secret if secret.startswith("whsec_") else secret.encode())


def is_taken(secret, body, headers):
    try:
        library(secret).verify(body, headers)
        return True
    except WebhookVerificationError:
        return False


def faults(delivery):
    headers = delivery["headers"]
    body = delivery["body"].encode()
    secrets = [secret for secret in (delivery["current"], delivery["previous"]) if secret]
    for secret in secrets:
        if not is_taken(secret, body, headers):
            yield "a good delivery is refused"
        if is_taken(secret, body + b" ", headers):
            yield "a changed body is taken"
        if is_taken(secret, body, {**headers, "webhook-id": "another"}):
            yield "a changed id is taken"
    if is_taken("another secret", body, headers):
        yield "another secret is taken"
    plain = hmac.new(secrets[-1].encode(), body, hashlib.sha256).hexdigest()
    if headers["x-webhook-signature"] != plain:
        yield "the plain header is wrong"


with open(sys.argv[1], encoding="utf-8") as file:
    deliveries = json.load(file)
found = [
    f"delivery {number}: {fault}"
    for number, delivery in enumerate(deliveries)
    for fault in faults(delivery)
]
print("\n".join(found) or f"{len(deliveries)} deliveries verified")
sys.exit(1 if found or not deliveries else 0)
