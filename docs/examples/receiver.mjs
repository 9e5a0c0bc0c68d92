// Receives MoltFlow's webhooks.
//
//     npm install standardwebhooks
//     WEBHOOK_SECRET=whsec_… node receiver.mjs

import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const { WEBHOOK_SECRET: secret, HOST: host = "127.0.0.1", PORT: port = "9000" } = process.env;
const LONGEST = 10 * 1024 * 1024;

// After whsec_ comes base64. Any other secret is the key as it is.
const webhook = secret.startsWith("whsec_")
  ? new Webhook(secret)
  : new Webhook(Buffer.from(secret), { format: "raw" });

// The events that were handled, or are being handled. Keep them where a restart does not forget
// them, best in the same transaction as what they cause.
const handled = new Map();

/**
 * What you do with an event. If it throws, the event comes again later. Be quick: what takes
 * longer than a few seconds belongs into a queue of your own.
 */
async function handle(event) {
  console.log(event.event, event.id);
}

async function read(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > LONGEST) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The status to answer. */
async function receive(request) {
  // The signature is over these bytes: verify them before anything parses them.
  const body = await read(request);
  if (body === null) return 413;
  let event;
  try {
    event = webhook.verify(body, request.headers);
  } catch {
    return 400;
  }
  const id = request.headers["webhook-id"];
  if (!handled.has(id)) handled.set(id, handle(event));
  try {
    await handled.get(id);
    return 204;
  } catch (error) {
    handled.delete(id);
    console.error("not handled:", error);
    return 500;
  }
}

const server = createServer(async (request, response) => {
  const status = await receive(request).catch(() => 500);
  response.writeHead(status).end();
});
server.listen(Number(port), host, () => {
  console.log(`listening on http://${host}:${server.address().port}`);
});
