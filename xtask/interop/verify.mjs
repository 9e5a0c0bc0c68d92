// Verifies deliveries that our code signed, with the published library for JavaScript.
//
// Takes a file with a list of {current, previous, headers, body}. Ends with 1 and says why.

import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

/** As docs/receiving-webhooks.md says. */
function library(secret) {
  return secret.startsWith("whsec_")
    ? new Webhook(secret)
    : new Webhook(Buffer.from(secret), { format: "raw" });
}

function isTaken(secret, body, headers) {
  try {
    library(secret).verify(body, headers);
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}

function* faults({ current, previous, headers, body }) {
  const secrets = [current, previous].filter(Boolean);
  for (const secret of secrets) {
    if (!isTaken(secret, body, headers)) yield "a good delivery is refused";
    if (isTaken(secret, body.replace("{", "{ "), headers)) yield "a changed body is taken";
    if (isTaken(secret, body, { ...headers, "webhook-id": "another" })) yield "a changed id is taken";
  }
  if (isTaken("another secret", body, headers)) yield "another secret is taken";
  const plain = createHmac("sha256", secrets.at(-1)).update(body).digest("hex");
  if (headers["x-webhook-signature"] !== plain) yield "the plain header is wrong";
}

const deliveries = JSON.parse(readFileSync(process.argv[2], "utf8"));
const found = deliveries.flatMap((delivery, number) =>
  [...faults(delivery)].map((fault) => `delivery ${number}: ${fault}`),
);
console.log(found.join("\n") || `${deliveries.length} deliveries verified`);
process.exitCode = found.length || !deliveries.length ? 1 : 0;
