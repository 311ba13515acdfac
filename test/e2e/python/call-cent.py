"""Calls a server with the official library `cent`, as it is on PyPI.

Reads one JSON object per line, {"method", "request", "is_async"}, and answers each with a line: {"result"} or {"error"}.
"""

import asyncio
import json
import sys

import cent


def request_of(method, fields):
    if method == "batch":
        requests = [request_of(name, inner) for name, inner in fields["requests"]]
        return cent.BatchRequest(requests=requests, parallel=fields.get("parallel"))
    name = "".join(word.title() for word in method.split("_")) + "Request"
    return getattr(cent, name)(**fields)


async def call_async(url, key, method, request):
    client = cent.AsyncClient(url, key)
    try:
        return await getattr(client, method)(request)
    finally:
        await client.close()


def main(url, key):
    client = cent.Client(url, key)
    for line in sys.stdin:
        call = json.loads(line)
        method = call["method"]
        try:
            request = request_of(method, call["request"])
            if call.get("is_async"):
                result = asyncio.run(call_async(url, key, method, request))
            else:
                result = getattr(client, method)(request)
            answer = {"result": result.model_dump(exclude_none=True, serialize_as_any=True)}
        except cent.CentApiResponseError as error:
            answer = {"error": {"kind": "api", "code": error.code, "message": error.message}}
        except cent.CentError as error:
            answer = {"error": {"kind": type(error).__name__}}
        print(json.dumps(answer), flush=True)
    client.close()


main(sys.argv[1], sys.argv[2])
