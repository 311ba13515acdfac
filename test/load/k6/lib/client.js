// A client of the JSON protocol on k6's own WebSocket: connect, subscribe, answer pings, recover. Nothing else.
import crypto from 'k6/crypto';
import encoding from 'k6/encoding';
import { WebSocket } from 'k6/experimental/websockets';

import { SOCKET_URLS, TOKEN_SECRET } from './settings.js';
import { connectFailures, connects, connectTime, recoveries, recoveryFailures } from './metrics.js';

const TOKEN_TTL_S = 24 * 3600;
const OPEN = 1;
const CONNECT_ID = 1;

export function tokenFor(user) {
  const exp = Math.floor(Date.now() / 1000) + TOKEN_TTL_S;
  const part = (value) => encoding.b64encode(JSON.stringify(value), 'rawurl');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: user, exp })}`;
  return `${signed}.${crypto.hmac('sha256', TOKEN_SECRET, signed, 'base64rawurl')}`;
}

/**
 * Opens one connection and subscribes to `channels`. `positions` (channel → {offset, epoch}) belongs to the caller: what it holds
 * is recovered, and it is kept up to date. Callbacks: `onReady()` when all subscriptions are there, `onPublication(channel,
 * publication)` for live and recovered ones alike, `onClose(wasAsked)`.
 */
export function openClient({ user, channels, positions = {}, onReady, onPublication, onClose }) {
  const startedAt = Date.now();
  const socket = new WebSocket(SOCKET_URLS[Math.floor(Math.random() * SOCKET_URLS.length)]);
  const waiting = new Map();
  let nextId = CONNECT_ID;
  let isReady = false;
  let wasAsked = false;
  let isOver = false;

  const send = (command) => {
    nextId += 1;
    const id = command.connect === undefined ? nextId : CONNECT_ID;
    socket.send(JSON.stringify({ id, ...command }));
    return id;
  };
  const fail = () => {
    if (!isReady && !wasAsked) connectFailures.add(1);
    isReady = true;
    socket.close();
  };
  const ready = () => {
    isReady = true;
    connects.add(1);
    connectTime.add(Date.now() - startedAt);
    if (onReady !== undefined) onReady();
  };
  const take = (channel, publication) => {
    if (publication.offset !== undefined && positions[channel] !== undefined)
      positions[channel].offset = publication.offset;
    if (onPublication !== undefined) onPublication(channel, publication);
  };
  const subscribed = (channel, result) => {
    if (positions[channel] !== undefined) {
      if (result.recovered) recoveries.add(1);
      else recoveryFailures.add(1);
    }
    // The publications may reach beyond the offset of the result, so they count last.
    if (result.epoch !== undefined) positions[channel] = { offset: result.offset || 0, epoch: result.epoch };
    for (const publication of result.publications || []) take(channel, publication);
  };
  const onReply = (reply) => {
    if (reply.error !== undefined) fail();
    else if (reply.id === CONNECT_ID) {
      for (const channel of channels) {
        const position = positions[channel];
        const recover = position === undefined ? {} : { recover: true, ...position };
        waiting.set(send({ subscribe: { channel, ...recover } }), channel);
      }
      if (channels.length === 0) ready();
    } else if (waiting.has(reply.id)) {
      subscribed(waiting.get(reply.id), reply.subscribe || {});
      waiting.delete(reply.id);
      if (waiting.size === 0) ready();
    }
  };

  socket.addEventListener('open', () => send({ connect: { token: tokenFor(user), name: 'k6' } }));
  socket.addEventListener('message', ({ data }) => {
    // What comes after our close is not taken: it is recovered.
    if (wasAsked || isOver) return;
    for (const line of data.split('\n')) {
      const reply = line === '' ? undefined : JSON.parse(line);
      if (reply === undefined) continue;
      if (reply.push !== undefined) {
        if (reply.push.pub !== undefined) take(reply.push.channel, reply.push.pub);
      } else if (reply.id !== undefined) onReply(reply);
      else socket.send('{}');
    }
  });
  socket.addEventListener('error', () => {
    if (!wasAsked) fail();
  });
  socket.addEventListener('close', () => {
    if (isOver) return;
    isOver = true;
    if (!isReady && !wasAsked) connectFailures.add(1);
    if (onClose !== undefined) onClose(wasAsked);
  });
  return {
    isOpen: () => socket.readyState === OPEN,
    publish: (channel, data) => send({ publish: { channel, data } }),
    close: () => {
      wasAsked = true;
      socket.close();
    },
  };
}
