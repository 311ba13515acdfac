"""Drives clients of the official library `centrifuge-python`, as it is on PyPI.

Reads one JSON object per line, {"client", "do", …}, and answers each with a line: {"result"} or {"error"}. What clients
report is recorded and read with "events".
"""

import asyncio
import json
import sys

from centrifuge import CentrifugeError, Client, DeltaType, Filter, ReplyError, StreamPosition

RECONNECT_S = 0.05


class Driver:
    def __init__(self, url, token, next_token, protobuf):
        self.events = []
        self.protobuf = protobuf
        self.next_token = next_token
        self.states = []
        self.client = Client(
            url,
            token=token,
            get_token=self.get_token if next_token else None,
            use_protobuf=protobuf,
            timeout=20,
            min_reconnect_delay=RECONNECT_S,
            max_reconnect_delay=10 * RECONNECT_S,
            proxy=None,
        )
        self.record(self.client.events, "client")

    async def get_token(self):
        self.events.append({"event": "asked for a token"})
        return self.next_token

    async def get_state(self, channel):
        offset, epoch = self.states.pop(0)
        self.events.append({"event": "asked for the state", "channel": channel})
        return StreamPosition(offset=offset, epoch=epoch)

    def encode(self, value):
        return json.dumps(value).encode() if self.protobuf else value

    def decode(self, data):
        return json.loads(data) if isinstance(data, bytes) else data

    def publication(self, pub):
        user = pub.info.user if pub.info else None
        return {"data": self.decode(pub.data), "offset": pub.offset, "tags": pub.tags or {}, "user": user}

    def record(self, handler, source):
        def listen(name):
            async def on_event(ctx):
                event = {"event": name, "source": source}
                for field in ("channel", "code", "reason", "recovered", "version", "was_recovering"):
                    if hasattr(ctx, field):
                        event[field] = getattr(ctx, field)
                if hasattr(ctx, "pub"):
                    event["publication"] = self.publication(ctx.pub)
                    event["delta"] = ctx.pub.delta
                if hasattr(ctx, "info"):
                    event["user"] = ctx.info.user
                self.events.append(event)

            setattr(handler, "on_" + name, on_event)

        for name in ("connecting", "connected", "disconnected", "subscribing", "subscribed", "unsubscribed"):
            listen(name)
        for name in ("publication", "join", "leave", "error"):
            listen(name)

    async def connect(self):
        await self.client.connect()
        await self.client.ready()

    async def disconnect(self):
        await self.client.disconnect()

    async def subscribe(self, channel, ready=True, delta=False, states=None, tag=None):
        options = {"min_resubscribe_delay": RECONNECT_S, "max_resubscribe_delay": 10 * RECONNECT_S}
        if delta:
            options["delta"] = DeltaType.FOSSIL
        if states is not None:
            self.states = states
            options["get_state"] = self.get_state
        if tag is not None:
            options["tags_filter"] = Filter.eq(*tag)
        subscription = self.client.new_subscription(channel, **options)
        self.record(subscription.events, channel)
        await subscription.subscribe()
        if ready:
            await subscription.ready()

    async def unsubscribe(self, channel):
        await self.client.get_subscription(channel).unsubscribe()

    async def publish(self, channel, data):
        await self.client.publish(channel, self.encode(data))

    async def history(self, channel, since=None, **options):
        if since is not None:
            options["since"] = StreamPosition(offset=since[0], epoch=since[1])
        result = await self.client.history(channel, **options)
        publications = [self.publication(pub) for pub in result.publications]
        return {"publications": publications, "offset": result.offset, "epoch": result.epoch}

    async def presence(self, channel):
        result = await self.client.presence(channel)
        return sorted(info.user for info in result.clients.values())

    async def presence_stats(self, channel):
        result = await self.client.presence_stats(channel)
        return {"num_clients": result.num_clients, "num_users": result.num_users}

    async def rpc(self, method, data):
        return self.decode((await self.client.rpc(method, self.encode(data))).data)


async def main():
    drivers = {}
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        call = json.loads(line)
        name, action = call.pop("client"), call.pop("do")
        try:
            if action == "open":
                drivers[name] = Driver(**call)
                result = None
            elif action == "events":
                result = drivers[name].events
            else:
                result = await getattr(drivers[name], action)(**call)
            answer = {"result": result}
        except ReplyError as error:
            answer = {"error": {"code": error.code, "message": error.message}}
        except CentrifugeError as error:
            answer = {"error": {"kind": type(error).__name__}}
        print(json.dumps(answer), flush=True)
    for driver in drivers.values():
        await driver.disconnect()


asyncio.run(main())
