"""Calls a server with version 4 of the official library `cent`, which sends all commands to one address.

Reads one JSON object per line, {"calls": [[method, arguments], …]}, and answers each with a line: {"results"} or {"error"}.
Several calls go in one request.
"""

import json
import sys

from cent import Client, CentException


def call(client, calls):
    if len(calls) == 1:
        method, arguments = calls[0]
        return [getattr(client, method)(**arguments)]
    for method, arguments in calls:
        client.add(method, getattr(client, f"get_{method}_params")(**arguments))
    return client.send()


def main(url, key):
    client = Client(url, api_key=key, timeout=20)
    for line in sys.stdin:
        try:
            answer = {"results": call(client, json.loads(line)["calls"])}
        except CentException as error:
            answer = {"error": {"kind": type(error).__name__, "detail": error.args[0]}}
        print(json.dumps(answer, default=str), flush=True)


main(sys.argv[1], sys.argv[2])
