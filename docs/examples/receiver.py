"""Receives MoltFlow's webhooks.

    pip install standardwebhooks
    WEBHOOK_SECRET=whsec_… python3 receiver.py
"""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

SECRET = os.environ["WEBHOOK_SECRET"]
HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "9000"))
LONGEST = 10 * 1024 * 1024

# After whsec_ comes base64. Any other secret is the key as it is.
webhook = Webhook(SECRET if SECRET.startswith("whsec_") else SECRET.encode())

# The events that were handled. Keep them where a restart does not forget them, best in the same
# transaction as what they cause.
handled = set()
lock = threading.Lock()


def handle(event):
    """What you do with an event. If it raises, the event comes again later.

    Be quick: what takes longer than a few seconds belongs into a queue of your own.
    """
    print(event["event"], event["id"], flush=True)


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are used again
    timeout = 60

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > LONGEST:
            self.close_connection = True
            return self.answer(413)
        # The signature is over these bytes: verify them before anything parses them.
        body = self.rfile.read(length)
        try:
            event = webhook.verify(body, dict(self.headers))
        except (WebhookVerificationError, ValueError):
            return self.answer(400)
        try:
            with lock:
                if self.headers["webhook-id"] not in handled:
                    handle(event)
                    handled.add(self.headers["webhook-id"])
        except Exception as error:
            self.log_error("not handled: %r", error)
            return self.answer(500)
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    server = ThreadingHTTPServer((HOST, PORT), Receiver)
    print(f"listening on http://{HOST}:{server.server_port}", flush=True)
    server.serve_forever()
